"""From a bar to the NAS and into the trail: whose sessions, over real sockets, on the door's loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.secret import Secret
from loginward.core.transitions import Bar
from loginward.doors.radius.counters import Counters
from loginward.doors.radius.dictionaries import load
from loginward.doors.radius.disconnect import Outcome
from loginward.doors.radius.loop import Loop
from loginward.doors.radius.port import ResultTurn
from loginward.doors.radius.rules import door_rules
from loginward.doors.radius.sessions import Heard, Session, Sessions
from loginward.runtime.radius_disconnects import RadiusDisconnects
from loginward.runtime.recorder import Recorder
from loginward.settings.policy import Resource
from loginward.settings.radius import Client, Coa, Radius
from loginward.wire.radius.attributes import Attribute, attribute
from tests.doubles.clock import FixedWall
from tests.doubles.disconnected import DisconnectedNas, nak, silent
from tests.doubles.nas import SECRET
from tests.doubles.waiting import eventually

DICTIONARY = load()


@dataclass
class Trail:
    """Keeps what would be written."""

    events: list = field(default_factory=list)

    def record(self, event) -> None:
        self.events.append(event)

    @property
    def outcomes(self) -> list[Outcome]:
        return [event.outcome for event in self.events]


class Parts:
    """What ending sessions needs of a running agent."""

    def __init__(self, clock, recorder) -> None:
        self.clock, self.recorder = clock, recorder
        self.settings = SimpleNamespace(policy=SimpleNamespace(resources=()))


class Door:
    """The door's loop with everything that ends sessions, before a NAS."""

    def __init__(self, nas: DisconnectedNas, host: str = "127.0.0.1") -> None:
        self.nas, self.host = nas, host
        self.trail, self.counters, clock = Trail(), Counters(), FixedWall()
        self.loop = Loop(clock, lambda: None)
        self.parts = Parts(clock, Recorder(self.trail, clock))
        self.sessions = Sessions(clock)
        self.disconnect_on = ("suspended", "locked-by-admin")
        self.disconnects = RadiusDisconnects(
            self.parts, self.sessions, self.rules, self.loop,
            self.counters,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    def rules(self):
        client = Client(
            name="wifi", addresses=(self.host,), secret_file="/s", methods=("pap",),
            coa=Coa(port=self.nas.port),
        )  # fmt: skip
        radius = Radius(clients=(client,), disconnect_on=self.disconnect_on)
        return door_rules(radius, {"wifi": Secret(SECRET)}, DICTIONARY)

    def accept(self, account: str = "id-ann") -> bytes:
        class_ = f"class of {account}".encode()
        turn = ResultTurn(verdict=Verdict.ALLOW, reason=Reason.OK, account_id=account, name="ann")
        self.sessions.accepted(class_, "wifi", turn, "00-11")
        return class_

    def hear(self, session_id: bytes, *classes: bytes) -> tuple[Session, Bar] | None:
        named = attribute(Attribute.ACCT_SESSION_ID, session_id)
        return self.sessions.heard(
            Heard(
                client="wifi", source=self.host, session_id=session_id, classes=classes,
                name="ann", station="00-11", named=named,
            )
        )  # fmt: skip

    def run(self, session_id: bytes = b"1", account: str = "id-ann") -> None:
        self.hear(session_id, self.accept(account))

    def await_told(self, *outcomes: Outcome) -> None:
        eventually(lambda: self.trail.outcomes == list(outcomes), lambda: self.trail.outcomes)

    def close(self) -> None:
        self.disconnects.close()
        self.loop.stop()
        self.thread.join(5)
        self.loop.close()


@pytest.fixture
def nas() -> Iterator[DisconnectedNas]:
    with DisconnectedNas() as made:
        yield made


@pytest.fixture
def door(nas) -> Iterator[Door]:
    made = Door(nas)
    yield made
    made.close()


def test_every_session_of_the_account_is_ended_and_nobody_elses(door, nas) -> None:
    """Those that another server accepted are none of ours (security.md 20)."""
    door.run(b"1")
    door.run(b"2")
    door.run(b"bob's", "id-bob")
    door.hear(b"foreign")

    door.disconnects.barred("id-ann", Bar.SUSPENDED)

    door.await_told(Outcome.ACKNOWLEDGED, Outcome.ACKNOWLEDGED)
    assert sorted(nas.sessions) == [b"1", b"2"]
    assert [one.session_id for one in door.sessions.all()] == [b"bob's", b"foreign"]
    event = door.trail.events[0]
    assert (event.name, event.account, event.client, event.station) == (
        "ann", "id-ann", "wifi", "00-11",
    )  # fmt: skip
    assert (event.bar, event.session, event.nas) == (
        Bar.SUSPENDED, "1", f"127.0.0.1:{nas.port}",
    )  # fmt: skip
    assert door.counters.read()["wifi", "disconnect-acknowledged"] == 2


@pytest.mark.parametrize(
    ("cause", "outcome", "left"),
    [(503, Outcome.NOT_THERE, []), (501, Outcome.REFUSED, [b"1"])],
)
def test_only_a_session_that_is_gone_leaves_the_table(door, nas, cause, outcome, left) -> None:
    nas.answer = nak(cause)
    door.run()

    door.disconnects.barred("id-ann", Bar.LOCKED_BY_ADMIN)

    door.await_told(outcome)
    assert door.trail.events[0].cause == cause
    assert [one.session_id for one in door.sessions.all()] == left


def test_what_the_site_has_not_named_ends_nothing(door, nas) -> None:
    door.disconnect_on = ("locked-by-admin",)
    door.run()

    door.disconnects.barred("id-ann", Bar.SUSPENDED)
    door.disconnects.barred("id-ann", Bar.LOCKED_BY_ADMIN)

    door.await_told(Outcome.ACKNOWLEDGED)
    assert door.trail.events[0].bar is Bar.LOCKED_BY_ADMIN
    assert len(nas.heard) == 1


def test_where_people_keep_access_while_locked_a_lock_ends_nothing_and_a_suspension_does(
    door, nas
) -> None:
    """R53: they would be let in again at once."""
    resource = Resource(name="net", clients=("wifi",), keep_while=("locked",))
    door.parts.settings.policy.resources = (resource,)
    door.run()

    door.disconnects.barred("id-ann", Bar.LOCKED_BY_ADMIN)
    door.disconnects.barred("id-ann", Bar.SUSPENDED)

    door.await_told(Outcome.KEPT, Outcome.ACKNOWLEDGED)
    assert door.trail.events[1].bar is Bar.SUSPENDED
    assert len(nas.heard) == 1


def test_a_session_that_begins_barred_is_ended_then(door, nas) -> None:
    class_ = door.accept()
    door.disconnects.barred("id-ann", Bar.SUSPENDED)

    begun = door.hear(b"late", class_)
    assert begun is not None
    door.loop.post(lambda: door.disconnects.heard_of(*begun))

    door.await_told(Outcome.ACKNOWLEDGED)
    assert nas.sessions == [b"late"]


def test_a_nas_that_is_silent_hears_the_same_again(door, nas) -> None:
    nas.answer = silent
    door.run()
    door.disconnects.barred("id-ann", Bar.SUSPENDED)
    eventually(lambda: len(nas.heard) == 2, "nothing was sent again")

    (first, began), (second, again) = nas.heard
    assert first == second
    assert 0.9 < again - began < 2
    door.close()
    assert door.trail.outcomes == [Outcome.UNANSWERED]
    again = door.hear(b"1")  # its next accounting: the NAS is there after all
    assert again is not None
    assert again[1] is Bar.SUSPENDED


def test_a_nas_that_refused_is_not_asked_again_by_itself(door, nas) -> None:
    nas.answer = nak(501)
    door.run()
    door.disconnects.barred("id-ann", Bar.SUSPENDED)
    door.await_told(Outcome.REFUSED)

    assert door.hear(b"1") is None


def test_a_nas_is_reached_over_ipv6_too() -> None:
    with DisconnectedNas(host="::1") as nas:
        door = Door(nas, "::1")
        try:
            door.run()
            door.disconnects.barred("id-ann", Bar.SUSPENDED)
            door.await_told(Outcome.ACKNOWLEDGED)
            assert door.trail.events[0].nas == f"[::1]:{nas.port}"
        finally:
            door.close()
