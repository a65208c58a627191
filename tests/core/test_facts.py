"""Facts to status: one state, a set of statuses, one headline, at any moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given

from loginward.core.facts import status_at
from loginward.core.status import ExpiryCause, PasswordStatus, StateCause, UserState
from tests.core import people
from tests.core.people import DAY, EXPIRED, HOUR, LOCKED, NOW, PENDING, TEMPORARY, alice, due, lock

SECOND = timedelta(seconds=1)
ACTIVE, STAGED, SUSPENDED = UserState.ACTIVE, UserState.STAGED, UserState.SUSPENDED


@given(people.accounts)
def test_r01_there_is_always_a_status_and_one_headline(known):
    status = status_at(known, NOW)
    assert status.statuses
    if PasswordStatus.ACTIVE in status.statuses:
        assert status.statuses == {PasswordStatus.ACTIVE}
    if PasswordStatus.PENDING in status.statuses:
        assert PasswordStatus.EXPIRED not in status.statuses
        assert not status.must_change
    assert status.headline in status.statuses
    assert (status.lock is not None) == (PasswordStatus.LOCKED in status.statuses)
    assert (status.state_cause is None) == (status.state is ACTIVE)


@pytest.mark.parametrize(
    ("known", "statuses", "headline"),
    [
        pytest.param({}, {"active"}, "active", id="active"),
        pytest.param(PENDING, {"pending"}, "pending", id="R03-pending"),
        pytest.param(PENDING | EXPIRED, {"pending"}, "pending", id="nothing-to-expire"),
        pytest.param(PENDING | LOCKED, {"pending", "locked"}, "pending", id="pending-and-locked"),
        pytest.param(EXPIRED, {"expired"}, "expired", id="expired"),
        pytest.param(LOCKED, {"locked"}, "locked", id="locked"),
        pytest.param(LOCKED | EXPIRED, {"locked", "expired"}, "locked", id="R07-both"),
        pytest.param(TEMPORARY, {"active"}, "active", id="Q16-temporary-is-set"),
        pytest.param({"has_password": None}, {"active"}, "active", id="unreadable-is-not-pending"),
    ],
)
def test_statuses(known, statuses, headline):
    status = status_at(alice(**known), NOW)
    assert {one.value for one in status.statuses} == statuses
    assert status.headline.value == headline


@pytest.mark.parametrize(
    ("offset", "expired"),
    [
        pytest.param(-SECOND, False, id="a-second-before"),
        pytest.param(timedelta(0), True, id="on-the-second"),
        pytest.param(SECOND, True, id="a-second-after"),
    ],
)
def test_r02_r12_expiry_needs_no_sweep(offset, expired):
    status = status_at(alice(due=due(NOW)), NOW + offset)
    assert (PasswordStatus.EXPIRED in status.statuses) == expired
    assert status.due == due(NOW)[0]  # the next one is shown too


def test_the_earliest_due_date_is_the_one_that_counts():
    dates = (*due(NOW + DAY), *due(NOW - DAY, ExpiryCause.POLICY_DEADLINE))
    status = status_at(alice(due=dates), NOW)
    assert status.due == dates[1]


@pytest.mark.parametrize(
    ("known", "state", "cause", "date"),
    [
        pytest.param({}, ACTIVE, None, None, id="active"),
        pytest.param({"state": STAGED}, STAGED, StateCause.BY_ADMIN, None, id="staged"),
        pytest.param({"state": SUSPENDED}, SUSPENDED, StateCause.BY_ADMIN, None, id="suspended"),
        pytest.param(
            {"state": SUSPENDED, "state_since": NOW - DAY},
            SUSPENDED,
            StateCause.BY_ADMIN,
            NOW - DAY,
            id="since",
        ),
        pytest.param({"ends_at": NOW}, SUSPENDED, StateCause.ENDED, NOW, id="ends-on-the-second"),
        pytest.param({"ends_at": NOW + SECOND}, ACTIVE, None, None, id="not-ended-yet"),
        pytest.param(
            {"starts_at": NOW + SECOND},
            STAGED,
            StateCause.NOT_STARTED,
            NOW + SECOND,
            id="not-started-yet",
        ),
        pytest.param({"starts_at": NOW}, ACTIVE, None, None, id="starts-on-the-second"),
        pytest.param(
            {"state": STAGED, "starts_at": NOW - DAY}, ACTIVE, None, None, id="staged-until-start"
        ),
        pytest.param(
            {"state": SUSPENDED, "starts_at": NOW - DAY},
            SUSPENDED,
            StateCause.BY_ADMIN,
            None,
            id="no-start-opens-the-suspended",
        ),
        pytest.param(
            {"starts_at": NOW - DAY, "ends_at": NOW - SECOND},
            SUSPENDED,
            StateCause.ENDED,
            NOW - SECOND,
            id="the-end-outlasts-the-start",
        ),
        pytest.param({"removed": True}, SUSPENDED, StateCause.REMOVED, None, id="removed"),
        pytest.param(
            {"removed": True, "state": SUSPENDED}, SUSPENDED, StateCause.REMOVED, None, id="gone"
        ),
    ],
)
def test_states(known, state, cause, date):
    status = status_at(alice(**known), NOW)
    assert (status.state, status.state_cause, status.state_date) == (state, cause, date)


def test_the_lock_that_lasts_longest_is_shown():
    short, long, endless = lock("a"), lock("b", until=NOW + DAY), lock("c", until=None)
    assert status_at(alice(locks=(long, short)), NOW).lock is long
    assert status_at(alice(locks=(short, endless, long)), NOW).lock is endless


@pytest.mark.parametrize(
    ("offset", "held"),
    [
        pytest.param(HOUR - SECOND, True, id="a-second-before-its-end"),
        pytest.param(HOUR, False, id="at-its-end"),
    ],
)
def test_a_lock_ends_by_itself(offset, held):
    status = status_at(alice(**LOCKED), NOW + offset)
    assert (PasswordStatus.LOCKED in status.statuses) == held
    assert (status.lock is not None) == held
