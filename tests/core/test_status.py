"""Values of a status, each alone."""

from __future__ import annotations

from datetime import timedelta

from loginward.core.status import PasswordStatus, Status, UserState
from tests.core.people import NOW, lock


def test_r01_pending_locked_expired_active_in_that_order():
    order = (
        PasswordStatus.PENDING,
        PasswordStatus.LOCKED,
        PasswordStatus.EXPIRED,
        PasswordStatus.ACTIVE,
    )
    for at, first in enumerate(order):
        status = Status(state=UserState.ACTIVE, statuses=frozenset(order[at:]))
        assert status.headline is first


def test_q8_a_lock_without_an_end_holds_for_ever():
    assert lock(until=None).holds(NOW + timedelta(days=36500))


def test_a_lock_holds_until_its_end_and_no_longer():
    assert lock(until=NOW).holds(NOW - timedelta(microseconds=1))
    assert not lock(until=NOW).holds(NOW)
