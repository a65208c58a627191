"""eapol_test against the running agent with its own directory: EAP and PAM say the same of everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.live.eap_site import Papers, door, source_of
from tests.live.eapol import Device, Heard, enter_all, network, shown
from tests.runtime.daemon import Daemon
from tests.runtime.people import RIGHT, STATES, WRONG, person

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("eap-matrix")]

METHODS = ("eap-ttls-pap", "eap-ttls-gtc", "peap-gtc", "eap-tls")
KINDS = (*STATES, "wrong", "stranger")
# eapol_test gives its one password to every question (test_eap_inside).
ASKED = {("temporary", "eap-ttls-gtc"), ("temporary", "peap-gtc")}
LOGINS = [
    (kind, method, tls)
    for kind in KINDS
    for method in METHODS
    for tls in ("1.2", "1.3")
    if (kind, method) not in ASKED and (kind, method) != ("wrong", "eap-tls")
]


@dataclass
class Outcome:
    """What became of a login, and what PAM says of somebody in the same state."""

    heard: Heard
    reasons: list[str]
    pam: str


def uid(kind: str, method: str, tls: str) -> str:
    return f"{kind}-{method}-{tls}".replace(".", "")


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[tuple[str, str, str], Outcome]]:
    daemon, networks = Daemon(), tmp_path_factory.mktemp("networks")
    try:
        papers = Papers(daemon.folder)
        text, port = door(daemon.folder)
        daemon.configure(text)
        daemon.start()
        named = [(kind, f"{kind}-pam") for kind in KINDS]
        named += [(login[0], uid(*login)) for login in LOGINS]
        daemon.people(
            *(
                person(name, kind if kind in STATES else "active")
                for kind, name in named
                if kind != "stranger"
            )
        )
        devices = [device(papers, *login) for login in LOGINS]
        heard = enter_all(devices, port, networks)
        pam = {kind: asked_by_pam(daemon, kind) for kind in KINDS}
        trail = [row for row in daemon.events() if row.door == "radius"]
        yield {
            login: Outcome(
                said,
                [row.reason for row in trail if row.source.endswith(one.station)],
                pam[login[0]][login[1] == "eap-tls"],
            )
            for login, one, said in zip(LOGINS, devices, heard, strict=True)
        }
    finally:
        daemon.close()


def device(papers: Papers, kind: str, method: str, tls: str) -> Device:
    name = uid(kind, method, tls)
    if method == "eap-tls":
        known = {"identity": "outer@elsewhere.example"} | shown(papers.person(name))
    else:
        known = {"identity": name, "password": (WRONG if kind == "wrong" else RIGHT).decode()}
    return Device(network(method, tls, papers.authority.ca_file, **known), source_of(method))


def asked_by_pam(daemon: Daemon, kind: str) -> tuple[str, str]:
    """Return the reasons of authenticate and of the account phase."""
    name, typed = f"{kind}-pam", WRONG if kind == "wrong" else RIGHT
    said = (daemon.ask(name, typed, service="login"), daemon.acct(name, service="login"))
    return said[0][0].reason.value, said[1][0].reason.value


@pytest.mark.parametrize("login", LOGINS, ids="-".join)
def test_each_login_ends_as_at_pam(outcomes, login) -> None:
    kind, method, tls = login
    outcome = outcomes[login]
    expected = "ok" if (kind, method) == ("pending", "eap-tls") else outcome.pam
    assert outcome.reasons == [expected]
    assert outcome.heard.is_in == (expected == "ok")
    assert outcome.heard.keys == int(expected == "ok")
    assert f"SSL: Using TLS version TLSv{tls}" in outcome.heard.said


def test_there_is_one_of_every_kind(outcomes) -> None:
    seen = {reason for outcome in outcomes.values() for reason in outcome.reasons}
    assert len(outcomes) == len(LOGINS) >= 80
    assert seen == {
        "ok", "wrong-credentials", "user-unknown", "user-staged", "user-suspended",
        "password-pending", "account-locked", "password-expired", "change-required",
    }  # fmt: skip
