"""The clocks, and that nothing else reads them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from loginward.core.clock import Clock, Deadline
from loginward.runtime.clock import SystemClock, read_raw, trusted_time


def test_the_clocks_of_this_machine_go_on():
    clock: Clock = SystemClock()
    first = (clock.now(), clock.monotonic(), clock.boottime())
    second = (clock.now(), clock.monotonic(), clock.boottime())

    assert all(one <= other for one, other in zip(first, second, strict=True))
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.boottime() >= time.monotonic() - 1  # suspended time counts too


def test_now_is_what_is_believed_where_that_is_kept():
    """I12: the wall clock is only one opinion."""
    believed = datetime(2020, 1, 1, tzinfo=UTC)
    assert SystemClock(lambda: believed).now() == believed


def test_the_raw_clocks_name_their_boot():
    raw = read_raw()
    assert len(raw.boot_id) == 36
    assert raw.boot_id == read_raw().boot_id
    assert raw.wall.tzinfo is UTC


def test_the_believed_time_starts_at_the_wall():
    clock = SystemClock(trusted_time(3600).now)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_deadline_runs_on_the_monotonic_clock():
    deadline = Deadline.after(30, SystemClock())
    assert 29 < deadline.left <= 30
    assert Deadline.after(0, SystemClock()).passed
