"""The daemon's end: each question has one turn, and a process that fails costs its sessions alone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loginward.core.secret import Secret
from loginward.doors.radius.eap import client, frames
from loginward.doors.radius.eap.client import EapProcess
from loginward.doors.radius.eap.frames import (
    Configure,
    Configured,
    Receive,
    Resume,
    Start,
    Turned,
)
from loginward.doors.radius.eap.turns import (
    Accept,
    Accepted,
    EapMethod,
    Failed,
    Ignored,
    NeedsAccount,
    Send,
    Turn,
    Why,
)
from loginward.doors.radius.loop import Loop
from loginward.errors import ConfigError, ProtocolError
from loginward.wire.eap import packet
from tests.doubles.clock import FixedWall

IDENTITY = packet.response(7, 1, b"x")
GONE = packet.failure(7)


class FakeChild:
    """A process of which the test plays the part."""

    def __init__(self) -> None:
        self.link, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.theirs.settimeout(10)
        self.ended = 0
        self.says(Configured())

    def end(self) -> None:
        self.ended += 1
        self.link.close()

    def says(self, report) -> None:
        self.theirs.send(report if isinstance(report, bytes) else frames.encode(report))

    def hears(self):
        return frames.decode_order(self.theirs.recv(frames.MAX_OCTETS))


class Desk:
    """A loop with the client on it, turned by hand."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.turns: list[tuple[int, Turn]] = []
        self.moment = 100.0
        self.faults = 0
        self.refuses: OSError | None = None
        self.loop = Loop(self, self._fault)
        self.answers: Callable[[int, Turn], None] | None = None  # to what is no end
        self.eap = EapProcess(self._spawn, self.loop, self, self._on_turn)

    def _on_turn(self, number: int, turn: Turn) -> None:
        self.turns.append((number, turn))
        if self.answers and not isinstance(turn, Failed):
            self.answers(number, turn)

    def _fault(self) -> None:
        self.faults += 1

    def _spawn(self) -> FakeChild:
        if self.refuses:
            raise self.refuses
        self.children.append(FakeChild())
        return self.children[-1]

    now = FixedWall.now
    boottime = FixedWall.boottime

    def monotonic(self) -> float:
        return self.moment

    def run(self, until: Callable[[], bool]) -> None:
        patience = time.monotonic() + 10
        while not until():
            assert time.monotonic() < patience, "it never came"
            self.spin()

    def spin(self, turns: int = 1) -> None:
        for _ in range(turns):
            self.loop.post(lambda: None)  # so that no turn waits for ever
            self.loop._turn()

    def begin(self, octets: bytes = IDENTITY) -> int:
        return self.eap.begin("wifi", [EapMethod.TTLS_PAP], 1020, octets)


@pytest.fixture
def desk(site):
    made = Desk()
    made.eap.open(site.eap)
    assert made.children[0].hears() == Configure(site.eap)
    yield made
    made.eap.close()
    assert made.faults == 0
    for child in made.children:
        child.theirs.close()
        assert child.ended >= 1
    made.loop.close()


def test_each_question_has_its_turn(desk):
    (child,) = desk.children
    number = desk.begin()
    assert child.hears() == Start(number, "wifi", (EapMethod.TTLS_PAP,), 1016, IDENTITY)
    child.says(Turned(number, Send(b"challenge")))
    desk.run(lambda: desk.turns == [(number, Send(b"challenge"))])

    desk.eap.go_on(number, IDENTITY)
    assert child.hears() == Receive(number, IDENTITY)
    child.says(Turned(number, NeedsAccount(EapMethod.TLS, "ann")))
    desk.run(lambda: len(desk.turns) == 2)

    desk.eap.resume(number, Accept())
    assert child.hears() == Resume(number, Accept(), 7)
    end = Accepted(b"s", Secret(bytes(64)))
    child.says(Turned(number, end))
    desk.run(lambda: desk.turns[2:] == [(number, end)])
    assert desk.eap.is_well
    assert desk.begin() == number + 1


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda child: child.theirs.close(), id="it-ended"),
        pytest.param(lambda child: child.says(b"nonsense"), id="it-says-nonsense"),
        pytest.param(lambda child: child.says(Turned(99, Ignored())), id="an-unasked-turn"),
    ],
)
def test_a_process_that_fails_costs_its_sessions_and_is_replaced(desk, site, end):
    desk.moment += 5
    number = desk.begin()
    end(desk.children[0])
    desk.run(lambda: desk.turns == [(number, Failed(Why.GONE, GONE))])

    assert desk.children[0].ended == 1
    assert desk.eap.restarts == 1
    fresh = desk.children[1]
    assert fresh.hears() == Configure(site.eap)
    again = desk.begin()
    assert fresh.hears().session == again
    fresh.says(Turned(again, Send(b"x")))
    desk.run(lambda: desk.turns[1:] == [(again, Send(b"x"))])


@pytest.mark.parametrize("passed_s", [0.0, 5.0], ids=["restarted-later", "restarted-at-once"])
def test_one_that_ends_when_it_is_asked_fails_that_session_too(desk, passed_s):
    desk.moment += passed_s
    desk.children[0].theirs.close()
    number = desk.begin()
    desk.run(lambda: desk.turns == [(number, Failed(Why.GONE, GONE))])


def test_one_that_ends_while_turns_are_taken_costs_the_next_one_nothing(desk, site):
    """The turn is taken, its answer finds nobody, and another process is there already."""
    desk.moment += 5
    first = desk.begin()
    second = desk.begin()
    child = desk.children[0]
    child.hears(), child.hears()
    child.says(Turned(first, Send(b"x")))
    child.theirs.close()
    desk.answers = lambda number, _: desk.eap.go_on(number, IDENTITY)
    desk.run(lambda: len(desk.turns) == 3)
    desk.answers = None
    gone = Failed(Why.GONE, GONE)
    assert sorted(number for number, _ in desk.turns[1:]) == [first, second]
    assert [turn for _, turn in desk.turns[1:]] == [gone, gone]
    desk.spin(5)
    assert len(desk.children) == 2
    assert desk.children[1].ended == 0
    assert desk.children[1].hears() == Configure(site.eap)


@pytest.mark.parametrize("fault", [OSError(1, "no way out"), ProtocolError("RADIUS: too long")])
def test_a_fault_of_the_door_is_not_the_processs(desk, fault):
    def fail(*_: object) -> None:
        raise fault

    number = desk.begin()
    desk.children[0].says(Turned(number, Send(b"x")))
    desk.answers = fail
    with pytest.raises(type(fault)):
        desk.spin(3)
    desk.answers = None
    assert desk.children[0].ended == 0
    assert desk.eap.is_well


def test_who_waits_for_the_law_fails_when_the_law_has_spoken(desk):
    """The new process knows no such session; the failure answers the right packet."""
    desk.moment += 5
    number = desk.begin()
    desk.children[0].hears()
    desk.children[0].says(Turned(number, NeedsAccount(EapMethod.TLS, "ann")))
    desk.run(lambda: len(desk.turns) == 1)
    desk.children[0].theirs.close()
    desk.run(lambda: len(desk.children) == 2)
    assert desk.turns[1:] == []

    desk.eap.resume(number, Accept())
    desk.children[1].hears()
    assert desk.children[1].hears() == Resume(number, Accept(), 7)


def test_it_is_not_started_more_than_once_a_second(desk):
    desk.children[0].theirs.close()
    desk.run(lambda: not desk.eap.is_well)
    number = desk.begin()
    desk.run(lambda: desk.turns == [(number, Failed(Why.GONE, GONE))])
    assert len(desk.children) == 1
    desk.moment += 1.0
    desk.run(lambda: len(desk.children) == 2)
    assert desk.eap.is_well


def test_where_no_process_can_be_had_it_is_tried_again(desk, caplog):
    desk.moment += 5
    desk.refuses = OSError(11, "Resource temporarily unavailable")
    desk.children[0].theirs.close()
    desk.run(lambda: "no process for EAP" in caplog.text)
    desk.refuses = None
    desk.moment += 1.0
    desk.run(lambda: desk.eap.is_well)


def test_one_that_hangs_is_replaced(desk):
    number = desk.begin()
    desk.moment += client.SILENCE_S
    desk.spin(5)
    assert desk.turns == []
    desk.moment += 1.1
    desk.run(lambda: desk.turns == [(number, Failed(Why.GONE, GONE))])
    assert len(desk.children) == 2


def test_one_that_has_nothing_to_do_may_be_silent(desk):
    for _ in range(5):
        desk.moment += 60
        desk.spin(5)
    assert len(desk.children) == 1


def test_under_overload_new_sessions_fail_and_those_under_way_wait(desk):
    """RFC 5080 section 2.2.3: who has begun goes first; nothing of theirs is lost."""
    (child,) = desk.children
    begun = [desk.begin() for _ in range(10)]
    for number in begun:
        child.hears()
        child.says(Turned(number, Send(b"x")))
    desk.run(lambda: len(desk.turns) == 10)
    desk.turns.clear()

    big = packet.response(7, 1, bytes(4000))
    new = [desk.begin(big) for _ in range(client.MOST_NEW + 50)]
    for number in begun:
        desk.eap.go_on(number, big)
    desk.run(lambda: len(desk.turns) == 50)
    assert {turn for _, turn in desk.turns} == {Failed(Why.BUSY, GONE)}
    assert [number for number, _ in desk.turns] == new[client.MOST_NEW :]
    assert desk.eap._backlog, "the socket has no room for all that"

    for number in new[: client.MOST_NEW] + begun:
        assert child.hears().session == number
        child.says(Turned(number, Send(b"y")))
        desk.spin(2)
    desk.run(lambda: len(desk.turns) == 50 + client.MOST_NEW + 10)
    assert desk.turns[-1] == (begun[-1], Send(b"y"))


def test_what_waits_for_room_is_lost_with_the_process(desk):
    desk.moment += 5
    big = packet.response(7, 1, bytes(4000))
    for _ in range(client.MOST_NEW):
        desk.begin(big)
    desk.children[0].theirs.close()
    desk.run(lambda: len(desk.turns) == client.MOST_NEW)
    assert {turn for _, turn in desk.turns} == {Failed(Why.GONE, GONE)}
    assert isinstance(desk.children[1].hears(), Configure)


class TestConfiguring:
    def test_files_that_cannot_be_used_refuse_the_start(self, site):
        desk = Desk()

        class Refusing(FakeChild):
            def __init__(self):
                self.link, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self.ended = 0
                self.says(Configured("doors.radius.eap.key_file", "is encrypted"))

        child = Refusing()
        desk._spawn = lambda: child
        desk.eap._spawn = desk._spawn
        with pytest.raises(ConfigError, match="key_file: is encrypted"):
            desk.eap.open(site.eap)
        assert child.ended == 1
        assert not desk.eap.is_well
        child.theirs.close()
        desk.loop.close()

    @pytest.mark.parametrize("fault", ["none", "silent", "nonsense", "another"])
    def test_one_that_cannot_be_had_or_says_something_else_refuses_it(
        self, site, monkeypatch, fault
    ):
        monkeypatch.setattr(client, "CONFIGURE_S", 0.05)
        desk = Desk()

        def spawn():
            if fault == "none":
                raise OSError(11, "Resource temporarily unavailable")
            child = FakeChild()
            child.link.recv(1000)
            if fault != "silent":
                child.says(b"\x00" if fault == "nonsense" else Turned(1, Ignored()))
            desk.children.append(child)
            return child

        desk.eap._spawn = spawn
        with pytest.raises(ConfigError, match="process"):
            desk.eap.open(site.eap)
        for child in desk.children:
            child.theirs.close()
        desk.loop.close()

    @pytest.fixture
    def reload(self, desk):
        """Return a function that reloads from another thread, and what came of it."""

        def reload(settings) -> tuple[threading.Thread, list]:
            came: list = []

            def run():
                try:
                    desk.eap.reconfigure(settings)
                except ConfigError as error:
                    came.append(error)
                else:
                    came.append(None)

            thread = threading.Thread(target=run)
            thread.start()
            return thread, came

        return reload

    def test_a_reload_counts_once_the_process_has_read_it(self, desk, site, reload):
        other = replace(site.eap, tls_min="1.3")
        thread, came = reload(other)
        child = desk.children[0]
        desk.run(lambda: bool(desk.eap._configuring))
        assert child.hears() == Configure(other)
        assert came == []
        child.says(Configured())
        desk.run(lambda: not desk.eap._configuring)
        thread.join(10)
        assert came == [None]

        desk.moment += 5
        child.theirs.close()
        desk.run(lambda: len(desk.children) == 2)
        assert desk.children[1].hears() == Configure(other)

    def test_a_reload_that_is_refused_leaves_all_as_it_was(self, desk, site, reload):
        thread, came = reload(replace(site.eap, key_file=Path("/nonexistent")))
        desk.run(lambda: bool(desk.eap._configuring))
        desk.children[0].says(Configured("doors.radius.eap.key_file", "No such file"))
        desk.run(lambda: not desk.eap._configuring)
        thread.join(10)
        assert str(came[0]) == "doors.radius.eap.key_file: No such file"

        desk.moment += 5
        desk.children[0].theirs.close()
        desk.run(lambda: len(desk.children) == 2)
        assert desk.children[1].hears() == Configure(site.eap)

    @pytest.mark.parametrize("when", ["before", "while"])
    def test_a_process_that_ends_refuses_the_reload(self, desk, site, reload, when):
        if when == "before":
            desk.children[0].theirs.close()
        thread, came = reload(site.eap)
        if when == "while":
            desk.run(lambda: bool(desk.eap._configuring))
            desk.children[0].theirs.close()
        desk.run(lambda: bool(came))
        thread.join(10)
        assert isinstance(came[0], ConfigError)

    def test_a_restart_that_finds_its_files_bad_is_told(self, desk, caplog):
        desk.moment += 5
        desk.children[0].theirs.close()
        desk.run(lambda: len(desk.children) == 2)
        desk.children[1].says(Configured("doors.radius.eap.key_file", "Permission denied"))
        desk.run(lambda: "Permission denied" in caplog.text)
