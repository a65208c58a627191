"""RFC 5080 section 2.2.3: a login under way goes before a new one; bounded, and none is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from loginward.doors.radius.judges import MOST_CONTINUING, MOST_NEW, Judges
from tests.doubles.waiting import eventually

PATIENCE_S = 10.0


class Gate:
    """Keeps every thread busy until it opens."""

    def __init__(self, judges: Judges, workers: int) -> None:
        self.open = threading.Event()
        for _ in range(workers):
            assert judges.offer(self.wait, continuing=False)
        eventually(lambda: judges.busy[0] == workers, "the threads never began")

    def wait(self) -> None:
        assert self.open.wait(PATIENCE_S)


@contextmanager
def working(workers: int = 1) -> Iterator[tuple[Judges, Gate]]:
    judges = Judges(workers)
    judges.start()
    gate = Gate(judges, workers)
    try:
        yield judges, gate
    finally:
        gate.open.set()
        judges.stop(PATIENCE_S)


def test_what_continues_goes_first():
    done: list[str] = []
    with working() as (judges, gate):
        judges.offer(lambda: done.append("new 1"), continuing=False)
        judges.offer(lambda: done.append("new 2"), continuing=False)
        judges.offer(lambda: done.append("going on"), continuing=True)
        gate.open.set()
        eventually(lambda: len(done) == 3, "not all were done")
    assert done == ["going on", "new 1", "new 2"]


def test_each_queue_is_bounded_by_itself_and_nothing_taken_is_lost():
    """Sheds the new and still takes what continues."""
    done: list[int] = []
    with working() as (judges, gate):
        taken = sum(judges.offer(lambda: done.append(1), continuing=False) for _ in range(2000))
        assert taken == MOST_NEW
        went_on = sum(judges.offer(lambda: done.append(1), continuing=True) for _ in range(4000))
        assert went_on == MOST_CONTINUING
        assert judges.busy == (1, taken + went_on)
        gate.open.set()
        eventually(lambda: len(done) == taken + went_on, "some were lost")


def test_a_fault_of_a_job_costs_no_thread(caplog):
    def fault() -> None:
        raise RuntimeError("ours")

    with working() as (judges, gate):
        gate.open.set()
        for _ in range(3):
            judges.offer(fault, continuing=False)
        seen = threading.Event()
        judges.offer(seen.set, continuing=False)
        assert seen.wait(PATIENCE_S)
        assert judges.are_well
        eventually(lambda: judges.busy == (0, 0), "busy for ever")
    assert len([record for record in caplog.records if record.exc_info]) == 3


def test_at_the_end_what_is_under_way_is_waited_for_and_nothing_begins():
    """However many threads there are, each may use the whole of the time."""
    judges, done, waiting = Judges(8), [], []
    judges.start()
    gate = Gate(judges, 7)
    began = threading.Event()

    def slow() -> None:
        began.set()
        time.sleep(0.4)
        done.append("slow")

    judges.offer(slow, continuing=False)
    assert began.wait(PATIENCE_S)
    judges.offer(lambda: waiting.append("never"), continuing=False)
    gate.open.set()
    judges.stop(1.6)  # 0.2 s a thread, were it shared out
    assert done == ["slow"]
    assert waiting == []
    assert not judges.offer(lambda: None, continuing=True)


def test_the_end_does_not_wait_for_ever():
    with working() as (judges, _):
        began = time.monotonic()
        judges.stop(0.2)
        assert time.monotonic() - began < 2


def test_before_they_start_none_is_missing():
    judges = Judges(2)
    assert judges.are_well
    judges.stop(0.1)
