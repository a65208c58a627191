"""Deadlines on a clock that never goes back."""

from __future__ import annotations

from loginward.core.clock import Deadline
from tests.core.people import NOW


class Stopped:
    """Moves only by hand."""

    def __init__(self):
        self.at = 100.0

    def now(self):
        return NOW

    def monotonic(self):
        return self.at

    boottime = monotonic


def test_a_deadline_runs_out_and_stays_so():
    clock = Stopped()
    deadline = Deadline.after(2.5, clock)
    assert (deadline.left, deadline.passed) == (2.5, False)
    clock.at += 2.0
    assert (deadline.left, deadline.passed) == (0.5, False)
    clock.at += 0.5
    assert (deadline.left, deadline.passed) == (0.0, True)
    clock.at += 9.0
    assert (deadline.left, deadline.passed) == (0.0, True)


def test_the_sooner_of_two():
    clock = Stopped()
    deadline = Deadline.after(2.5, clock)
    assert deadline.sooner(1.0).left == 1.0
    assert deadline.sooner(9.0).left == 2.5
