"""Who is suspended or locked by an administrator is cut off at the NAS, and nobody else is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from loginward.core.reasons import Reason
from loginward.wire.radius.attributes import AcctStatus, Attribute, attribute
from loginward.wire.radius.packet import Code
from tests.doubles.disconnected import DisconnectedNas, ack, nak
from tests.doubles.nas import STATION, Nas
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.radius_site import RadiusSite, radius_site

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("radius-disconnect")]

RIGHT = people.PASSWORD.encode()
OF_COA = b"one for Disconnect alone"
WITHIN_S = 2.0
OUTER = attribute(Attribute.USER_NAME, b"outer")
CROWD = [people.Person(name, ("pwdReset: FALSE",)) for name in
         ("ann", "bob", "cat", "dan", "eve", "fay", "gus")]  # fmt: skip


@dataclass
class Site:
    """The agent with the door, and a NAS that can be told to end sessions."""

    radius: RadiusSite
    nas: DisconnectedNas
    classes: dict[str, bytes] = field(default_factory=dict)

    def accept(self, name: str) -> bytes:
        """Let somebody in and return the Class of it, to be accounted."""
        with self.radius.nas() as nas:
            reply = nas.login(name, RIGHT)
        assert reply.code is Code.ACCESS_ACCEPT
        return attribute(Attribute.CLASS, reply.first(Attribute.CLASS) or b"")

    def account(self, status: AcctStatus, session: str, *more: bytes, source: str = "") -> None:
        with Nas(self.radius.acct, source=source) as nas:
            octets = nas.accounting(
                status, session.encode(), OUTER, attribute(Attribute.CALLING_STATION_ID, STATION),
                attribute(Attribute.NAS_IDENTIFIER, b"wlc-1"), *more,
            )  # fmt: skip
            assert nas.exchange(octets).code is Code.ACCOUNTING_RESPONSE

    def start(self, session: str, *more: bytes, source: str = "") -> None:
        self.account(AcctStatus.START, session, *more, source=source)

    def command(self, *words: str) -> float:
        """Run a command; return the moment before it."""
        began = time.monotonic()
        done = self.radius.agent.command(*words)
        assert done.returncode == 0, done.stderr
        return began

    def await_asked(self, session: str) -> float:
        """Return when the NAS was first asked to end a session."""
        wanted = session.encode()
        eventually(lambda: wanted in self.nas.sessions, lambda: self.nas.sessions)
        return next(at for octets, at in self.nas.heard if wanted in octets)

    def told(self, name: str) -> list[tuple[str, str]]:
        """Return outcome and text of what the trail says of somebody's disconnects."""
        rows = self.radius.agent.trail(name)
        return [(row.verb, row.text) for row in rows if row.event == "disconnect"]

    def await_told(self, name: str, *outcomes: str) -> None:
        eventually(
            lambda: [verb for verb, _ in self.told(name)] == list(outcomes),
            lambda: self.told(name),
        )

    def sessions(self) -> dict[str, dict[str, object]]:
        """Return what the operator sees, by session."""
        lines = self.radius.agent.command("radius", "sessions", "--json").stdout.splitlines()
        return {row["session"]: row for row in map(json.loads, lines)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("disconnect")
    secret = folder / "coa.secret"
    secret.write_bytes(OF_COA + b"\n")
    secret.chmod(0o600)
    with DisconnectedNas(secret=OF_COA) as nas:
        coa = f", coa: {{port: {nas.port}, secret_file: {secret}}}"
        with radius_site(folder, CROWD, client=coa) as radius:
            yield Site(radius, nas)


@pytest.fixture(autouse=True)
def obedient(site: Site) -> None:
    site.nas.answer = ack


def test_a_suspension_ends_the_persons_sessions_within_two_seconds(site) -> None:
    """Ours alone: one of the same name that another server accepted runs on (security.md 20)."""
    site.start("ann-1", site.accept("ann"))
    site.start("ann-2", attribute(Attribute.CLASS, b"another server's"))
    site.start("bob-1", site.accept("bob"))
    seen = site.sessions()
    assert (seen["ann-1"]["name"], seen["ann-1"]["is_ours"]) == ("ann", True)
    assert (seen["ann-2"]["name"], seen["ann-2"]["is_ours"]) == ("outer", False)

    began = site.command("suspend", "ann")

    assert site.await_asked("ann-1") - began < WITHIN_S
    site.await_told("ann", "acknowledged")
    assert site.told("ann")[0][1] == f"suspended: session ann-1 at 127.0.0.1:{site.nas.port}"
    assert site.nas.sessions == [b"ann-1"]
    (request,) = site.nas.requests
    assert request.first(Attribute.USER_NAME) == b"outer"
    assert request.first(Attribute.CALLING_STATION_ID) == STATION
    assert request.first(Attribute.NAS_IDENTIFIER) == b"wlc-1"
    assert set(site.sessions()) >= {"ann-2", "bob-1"}
    assert "ann-1" not in site.sessions()


def test_a_lock_by_guesses_ends_nothing_and_an_administrators_does(site) -> None:
    """Or whoever knows a name could throw that person out."""
    site.start("cat-1", site.accept("cat"))
    for n in range(people.MAX_FAILURE):
        site.radius.agent.ask("cat", f"guess number {n}")
    assert site.radius.agent.ask("cat", people.PASSWORD) is Reason.ACCOUNT_LOCKED
    eventually(
        lambda: site.radius.agent.transitions("cat") == ["locked"],
        lambda: f"no lock is told, but {site.radius.agent.transitions('cat')}",
    )
    assert site.told("cat") == []

    site.command("users", "lock", "cat")

    site.await_told("cat", "acknowledged")
    assert site.told("cat")[0][1].startswith("locked-by-admin: session cat-1 ")
    assert site.nas.sessions.count(b"cat-1") == 1


def test_a_session_that_is_gone_already_is_as_good_as_ended(site) -> None:
    site.nas.answer = nak(503)
    site.start("dan-1", site.accept("dan"))

    site.command("suspend", "dan")

    site.await_told("dan", "not-there")
    assert "dan-1" not in site.sessions()


def test_a_refusal_is_told_with_its_cause_and_the_session_stays_in_sight(site) -> None:
    site.nas.answer = nak(501)
    site.start("eve-1", site.accept("eve"))

    site.command("suspend", "eve")

    site.await_told("eve", "refused")
    assert site.told("eve")[0][1].endswith("Error-Cause 501 administratively-prohibited")
    assert "eve-1" in site.sessions()


def test_who_was_suspended_on_the_way_in_is_out_as_soon_as_the_session_begins(site) -> None:
    """Between the Accept and its accounting there is nothing yet that a NAS could end."""
    class_ = site.accept("fay")
    site.command("suspend", "fay")
    eventually(lambda: site.radius.agent.transitions("fay") == ["suspended"], "not seen")

    site.start("fay-1", class_)

    site.await_told("fay", "acknowledged")
    assert site.nas.sessions.count(b"fay-1") == 1


def test_a_nas_that_starts_anew_clears_its_own_sessions_alone(site) -> None:
    """security.md 20."""
    class_ = site.accept("gus")
    site.start("gus-1", class_, source="127.0.0.2")
    site.start("other", source="127.0.0.3")
    assert site.sessions()["gus-1"]["address"] == "127.0.0.2"

    site.account(AcctStatus.ACCOUNTING_ON, "boot", source="127.0.0.3")

    assert "gus-1" in site.sessions()
    assert "other" not in site.sessions()
