"""The loop: what is due is done in order, from any thread, and a fault costs one callback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from loginward.doors.radius.loop import FAULTS_IN_A_ROW, Loop
from tests.doubles.clock import FixedWall

WAIT_S = 10


class Running:
    """A loop in a thread of its own."""

    def __init__(self) -> None:
        self.faults = 0
        self.loop = Loop(FixedWall(), self._fault)
        self.thread = threading.Thread(target=self._run)

    def _fault(self) -> None:
        self.faults += 1

    def _run(self) -> None:
        try:
            self.loop.run()
        except ZeroDivisionError:
            self.ended_by_fault = True

    def do(self, act) -> None:
        """Have something done, and wait for it."""
        done = threading.Event()
        self.loop.post(lambda: (act(), done.set()))
        assert done.wait(WAIT_S)


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    made.thread.start()
    yield made
    made.loop.stop()
    made.thread.join(WAIT_S)
    made.loop.close()


def test_what_others_post_is_done_by_the_loops_thread_in_order(running):
    seen: list[tuple[int, int]] = []
    for number in range(100):
        running.loop.post(lambda n=number: seen.append((n, threading.get_ident())))
    running.do(lambda: None)
    assert seen == [(n, running.thread.ident) for n in range(100)]


def test_moments_come_in_their_order_whatever_the_order_they_were_named_in(running):
    seen: list[str] = []
    over = threading.Event()
    now = FixedWall().monotonic()

    def name_them() -> None:
        running.loop.at(now + 0.06, over.set)
        running.loop.at(now + 0.04, lambda: seen.append("second"))
        running.loop.at(now + 0.02, lambda: seen.append("first"))
        running.loop.at(now - 1, lambda: seen.append("overdue"))

    running.do(name_them)
    assert over.wait(WAIT_S)
    assert seen == ["overdue", "first", "second"]


def test_a_socket_is_told_of_until_it_is_watched_no_more(running):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        told = threading.Semaphore(0)
        running.do(lambda: running.loop.watch(ours, lambda: (ours.recv(1), told.release())))
        theirs.send(b"a")
        assert told.acquire(timeout=WAIT_S)
        running.do(lambda: running.loop.unwatch(ours))
        theirs.send(b"b")
        running.do(lambda: None)
        assert not told.acquire(blocking=False)
        running.do(lambda: running.loop.unwatch(ours))  # idempotent


def test_a_fault_costs_the_callback_it_came_from(running, caplog):
    running.loop.post(lambda: 1 / 0)
    running.do(lambda: None)
    assert running.faults == 1
    assert "ZeroDivisionError" in caplog.text


def test_one_fault_after_another_ends_the_loop_so_that_it_is_missed(running):
    def again() -> None:
        running.loop.post(again)
        raise ZeroDivisionError

    running.loop.post(again)
    running.thread.join(WAIT_S)
    assert running.ended_by_fault
    assert running.faults == FAULTS_IN_A_ROW + 1


def test_at_its_end_what_waits_is_still_done(running):
    seen: list[str] = []
    running.do(lambda: running.loop.at(FixedWall().monotonic() + 3600, lambda: seen.append("at")))
    running.loop.stop()
    running.thread.join(WAIT_S)
    running.loop.post(lambda: 1 / 0)
    running.loop.post(lambda: seen.append("posted"))
    running.loop.close()
    assert seen == ["posted", "at"]
