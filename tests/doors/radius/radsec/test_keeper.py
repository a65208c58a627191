"""The daemon's end of the process: orders in their order, and a process that fails is replaced."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import pytest

from loginward.doors.radius.loop import Loop
from loginward.doors.radius.radsec import frames, keeper
from loginward.doors.radius.radsec.frames import (
    Close,
    Closed,
    Configure,
    Configured,
    End,
    Opened,
    Received,
    Send,
    Take,
)
from loginward.doors.radius.radsec.keeper import TlsProcess
from loginward.errors import ConfigError
from loginward.runtime.clock import SystemClock
from tests.doubles.waiting import eventually

FILES = Configure("/cert", "/key", "/ca")
OTHER = Configure("/cert2", "/key2", "/ca2")


class Child:
    """A process of which the test plays the part."""

    def __init__(self, *says) -> None:
        self.link, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.theirs.settimeout(10)
        self.ended = 0
        for report in says:
            self.says(report)

    def end(self) -> None:
        self.ended += 1
        self.link.close()

    def says(self, report) -> None:
        self.theirs.send(report if isinstance(report, bytes) else frames.encode(report))

    def hears(self):
        return frames.decode_order(self.theirs.recv(frames.MAX_OCTETS))

    def taken(self) -> tuple[Take, socket.socket]:
        octets, descriptors, _, _ = socket.recv_fds(self.theirs, frames.MAX_OCTETS, 1)
        order = frames.decode_order(octets)
        assert isinstance(order, Take)
        return order, socket.socket(fileno=descriptors[0])


class Desk:
    """The daemon's loop with its processes."""

    def __init__(self, monkeypatch) -> None:
        monkeypatch.setattr(keeper, "RESTART_S", 0.05)
        self.faults = 0
        self.loop = Loop(SystemClock(), self._fault)
        self.said = []
        self.lost = 0
        self.children = [Child(Configured())]
        self.is_started = False
        self.fails: OSError | None = None
        self.process = TlsProcess(
            self._spawn, self.loop, SystemClock(), self.said.append, self._lost
        )
        self.process.open(FILES)
        assert self.child.hears() == FILES
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    @property
    def child(self) -> Child:
        return self.children[-1]

    def _fault(self) -> None:
        self.faults += 1

    def _lost(self) -> None:
        self.lost += 1

    def _spawn(self) -> Child:
        if self.fails is not None:
            raise self.fails
        if self.is_started:
            self.children.append(Child())
        self.is_started = True
        return self.child

    def on_loop(self, act: Callable[[], object]) -> object:
        done = threading.Event()
        came = []

        def run() -> None:
            came.append(act())
            done.set()

        self.loop.post(run)
        assert done.wait(10)
        return came[0]

    def order(self, order, sock=None) -> object:
        return self.on_loop(lambda: self.process.order(order, sock))

    def close(self) -> None:
        if self.thread.is_alive():
            self.loop.stop()
            self.thread.join(10)
        for child in self.children:
            with contextlib.suppress(OSError):
                child.theirs.close()
        self.process.close()
        self.loop.close()


@pytest.fixture
def desk(monkeypatch):
    made = Desk(monkeypatch)
    yield made
    made.close()
    assert made.faults == 0


def test_orders_reach_it_in_order_and_what_it_says_is_told(desk):
    assert desk.order(Send(1, b"one"))
    assert desk.order(Close(1))
    assert [desk.child.hears(), desk.child.hears()] == [Send(1, b"one"), Close(1)]
    said = [Opened(2), Received(2, b"x"), Closed(2, End.IDLE)]
    for report in said:
        desk.child.says(report)
    eventually(lambda: desk.said == said, "it is not told")


def test_a_connection_goes_over_and_is_kept_here_no_longer(desk):
    ours, theirs = socket.socketpair()
    desk.order(Take(7, "nas.example"), ours)
    order, taken = desk.child.taken()
    assert order == Take(7, "nas.example")
    assert ours.fileno() == -1
    with taken, theirs:
        taken.send(b"hello")
        assert theirs.recv(9) == b"hello"


def test_orders_wait_for_room_and_none_is_lost(desk):
    packets = [Send(number, bytes(4000)) for number in range(500)]
    for order in packets:
        desk.order(order)
    assert [desk.child.hears() for _ in packets] == packets


def test_a_process_that_takes_no_orders_is_given_up(desk, monkeypatch):
    monkeypatch.setattr(keeper, "MOST_WAITING", 50)
    first = desk.child
    for number in range(300):
        desk.order(Send(number, bytes(4000)))
        if desk.lost:
            break
    assert desk.lost == 1
    assert first.ended == 1
    eventually(lambda: len(desk.children) > 1, "no other process is started")
    assert desk.child.hears() == FILES


@pytest.mark.parametrize("fails", ["ends", "talks-nonsense"])
def test_one_that_fails_is_replaced_and_its_connections_are_lost(desk, fails):
    first = desk.child
    first.theirs.close() if fails == "ends" else first.says(b"\xc1")
    eventually(lambda: len(desk.children) > 1, "no other process is started")
    assert (desk.lost, first.ended, desk.process.restarts) == (1, 1, 1)
    assert desk.child.hears() == FILES
    desk.child.says(Configured("key_file", "may not be read"))
    desk.child.says(Opened(9))
    eventually(lambda: desk.said == [Opened(9)], "the other process is not heard")


def test_where_no_process_can_be_had_it_is_tried_again(desk):
    desk.fails = OSError(12, "no memory")
    ours, theirs = socket.socketpair()
    desk.child.theirs.close()
    eventually(lambda: desk.lost == 1, "the loss is not seen")
    assert desk.order(Take(1, "n"), ours) is False
    assert ours.fileno() == -1
    theirs.close()
    desk.fails = None
    eventually(lambda: len(desk.children) > 1, "no other process is started")
    assert desk.child.hears() == FILES
    assert desk.order(Close(1)) is True


class TestReload:
    def reload(self, desk, answer) -> list[ConfigError | None]:
        """Return what came of a reload that the process answers so."""
        came: list[ConfigError | None] = []

        def run() -> None:
            try:
                desk.process.reconfigure(OTHER)
                came.append(None)
            except ConfigError as error:
                came.append(error)

        reloading = threading.Thread(target=run)
        reloading.start()
        assert desk.child.hears() == OTHER
        answer()
        reloading.join(10)
        return came

    def test_other_files_are_used_also_after_a_restart(self, desk):
        assert self.reload(desk, lambda: desk.child.says(Configured())) == [None]
        desk.child.theirs.close()
        eventually(lambda: len(desk.children) > 1, "no other process is started")
        assert desk.child.hears() == OTHER

    def test_files_that_cannot_be_used_are_named_and_the_earlier_ones_stay(self, desk):
        wrong = Configured("key_file", "is no key")
        [error] = self.reload(desk, lambda: desk.child.says(wrong))
        assert (error.path, error.problem) == ("doors.radius.tls.key_file", "is no key")
        desk.child.theirs.close()
        eventually(lambda: len(desk.children) > 1, "no other process is started")
        assert desk.child.hears() == FILES

    def test_a_process_that_ends_meanwhile_fails_it(self, desk):
        [error] = self.reload(desk, desk.child.theirs.close)
        assert "given up" in error.problem

    def test_one_that_does_not_answer_fails_it(self, desk, monkeypatch):
        monkeypatch.setattr(keeper, "CONFIGURE_S", 0.05)
        with pytest.raises(ConfigError, match="does not answer"):
            desk.process.reconfigure(OTHER)


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ([Configured("cert_file", "is none")], "tls.cert_file: is none"),
        ([Opened(1)], "answers something else"),
        ([b"\xc1"], "does not answer"),
        ([], "does not answer"),
    ],
)
def test_a_process_that_cannot_be_used_from_the_start_is_an_error(monkeypatch, says, problem):
    monkeypatch.setattr(keeper, "CONFIGURE_S", 0.05)
    child, loop = Child(*says), Loop(SystemClock(), lambda: None)
    process = TlsProcess(lambda: child, loop, SystemClock(), print, lambda: None)
    with child.theirs, pytest.raises(ConfigError, match=problem):
        process.open(FILES)
    assert child.ended == 1
    loop.close()


def test_no_process_at_all_is_an_error():
    def spawn() -> Child:
        raise OSError(12, "no memory")

    loop = Loop(SystemClock(), lambda: None)
    with pytest.raises(ConfigError, match="no process can be had"):
        TlsProcess(spawn, loop, SystemClock(), print, lambda: None).open(FILES)
    loop.close()


def test_at_the_end_it_sends_what_it_was_given(monkeypatch):
    desk = Desk(monkeypatch)
    desk.order(Send(1, b"last"))
    desk.loop.stop()
    desk.thread.join(10)
    heard = []

    def be() -> None:
        heard.append(desk.child.hears())
        assert desk.child.theirs.recv(9) == b""
        desk.child.theirs.close()

    child = threading.Thread(target=be)
    child.start()
    desk.process.close()
    child.join(10)
    assert heard == [Send(1, b"last")]
    assert desk.child.ended == 1
    desk.loop.close()
