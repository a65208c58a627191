"""Two computations at once, checks first, fair by source."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from loginward.crypto.gate import Gate, GateBusy, Work


class Crowd:
    """Threads that wait at a gate and tell in which order they got in."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.admitted = list[str]()
        self.refused = list[str]()
        self.threads = list[threading.Thread]()

    def add(self, source: str, work: Work = Work.CHECK) -> None:
        """Let one more wait, and return once it does."""
        before = self.waiting()
        thread = threading.Thread(target=self._pass, args=(source, work))
        self.threads.append(thread)
        thread.start()
        while self.waiting() == before and thread.is_alive():
            thread.join(0.001)

    def waiting(self) -> tuple[int, int]:
        return len(self.gate._checks) + 1000 * len(self.refused), len(self.gate._verifiers)

    def _pass(self, source: str, work: Work) -> None:
        try:
            with self.gate.turn(work, source, 20):
                self.admitted.append(source)
        except GateBusy:
            self.refused.append(source)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(10)


def test_two_run_at_once_and_a_third_waits_its_time_out() -> None:
    gate = Gate()
    with (
        gate.turn(Work.CHECK, "a"),
        gate.turn(Work.CHECK, "b"),
        pytest.raises(GateBusy),
        gate.turn(Work.CHECK, "c", 0.01),
    ):
        pass
    with gate.turn(Work.CHECK, "c", 0.01):
        pass


def test_checks_go_before_verifiers_whoever_came_first() -> None:
    gate = Gate(at_once=1)
    crowd = Crowd(gate)
    with gate.turn(Work.CHECK, "holder"):
        crowd.add("verifier", Work.VERIFIER)
        crowd.add("check-1")
        crowd.add("check-2")
    crowd.join()

    assert crowd.admitted == ["check-1", "check-2", "verifier"]


def test_nobody_waits_behind_the_crowd_of_another_source() -> None:
    gate = Gate(at_once=2)
    crowd = Crowd(gate)
    with ExitStack() as running:
        running.enter_context(gate.turn(Work.CHECK, "flood"))
        with gate.turn(Work.CHECK, "flood"):
            for _ in range(4):
                crowd.add("flood")
            crowd.add("quiet")
        # One place is free while the flood holds the other.
        while not crowd.admitted:
            threading.Event().wait(0.001)
    crowd.join()

    assert crowd.admitted[0] == "quiet"


def test_a_newcomer_takes_a_place_of_the_crowd_and_a_crowd_takes_nobodys() -> None:
    gate = Gate(at_once=1, places=8)
    crowd = Crowd(gate)
    with gate.turn(Work.CHECK, "holder"):
        for _ in range(8):
            crowd.add("flood")
        crowd.add("flood")
        assert crowd.refused == ["flood"]
        crowd.add("quiet")
        crowd.threads[7].join(10)
        assert crowd.refused == ["flood", "flood"]
        assert len(gate._checks) == 8
    crowd.join()

    assert crowd.admitted.count("quiet") == 1
    assert crowd.admitted.count("flood") == 7


def test_a_failure_inside_frees_the_place() -> None:
    gate = Gate(at_once=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.turn(Work.CHECK, "a", 1):
            1 / 0  # noqa: B018


def test_verifiers_take_no_waiting_place() -> None:
    gate = Gate(at_once=1, places=1)
    crowd = Crowd(gate)
    with gate.turn(Work.CHECK, "holder"):
        for _ in range(3):
            crowd.add("verifier", Work.VERIFIER)
        crowd.add("check")
    crowd.join()

    assert crowd.refused == []
    assert crowd.admitted[0] == "check"
