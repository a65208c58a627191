"""What a check of the password adds to what was read."""

from __future__ import annotations

import pytest
from hypothesis import given

from loginward.core.evidence import NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.core.facts import status_at
from loginward.core.learnt import REASONS, status_learnt
from loginward.core.status import DueDate, ExpiryCause, PasswordStatus, StateCause, UserState
from tests.core import people
from tests.core.people import DAY, HOUR, LOCKED, NOW, RIGHT, alice, due

EXPIRED, LOCKED_STATUS = PasswordStatus.EXPIRED, PasswordStatus.LOCKED


def learnt(checked, **known):
    return status_learnt(status_at(alice(**known), NOW), checked, NOW)


def test_every_refusal_of_a_directory_has_a_reason():
    assert set(REASONS) == set(Refusal)


@pytest.mark.parametrize(
    "checked",
    [RIGHT, Wrong(), NoVerdict("connect"), Refused(Refusal.NOT_PERMITTED)],
)
def test_most_checks_say_nothing_of_the_account(checked):
    assert learnt(checked) == status_at(alice(), NOW)


@pytest.mark.parametrize(
    ("checked", "statuses"),
    [
        pytest.param(Proven(proof=Proof.BIND, expired=True), {EXPIRED}, id="expired"),
        pytest.param(Proven(proof=Proof.BIND, grace_left=0), {EXPIRED}, id="last-grace-login"),
        pytest.param(Refused(Refusal.LOCKED), {LOCKED_STATUS}, id="locked"),
    ],
)
def test_a_status_is_added(checked, statuses):
    assert learnt(checked).statuses == statuses
    assert learnt(checked, **LOCKED).statuses == statuses | {LOCKED_STATUS}


def test_a_temporary_password():
    assert learnt(Proven(proof=Proof.BIND, must_change=True)).must_change
    assert learnt(RIGHT, must_change=True).must_change  # nothing read is taken back


def test_a_state():
    suspended = learnt(Refused(Refusal.SUSPENDED))
    assert (suspended.state, suspended.state_cause) == (UserState.SUSPENDED, None)
    staged = learnt(Refused(Refusal.NOT_STARTED))
    assert (staged.state, staged.state_cause) == (UserState.STAGED, StateCause.NOT_STARTED)


def test_a_due_date_is_taken_from_the_control_only_where_none_was_read():
    soon = Proven(proof=Proof.BIND, expires_in_s=3600)
    assert learnt(soon).due == DueDate(NOW + HOUR, ExpiryCause.AGING)
    assert learnt(soon, due=due(NOW + DAY)).due == due(NOW + DAY)[0]


@given(people.accounts, people.checks)
def test_nothing_that_was_read_is_taken_back(known, checked):
    before = status_at(known, NOW)
    after = status_learnt(before, checked, NOW)
    assert before.statuses - {PasswordStatus.ACTIVE} <= after.statuses
    assert after.must_change >= before.must_change
    assert after.lock == before.lock
    assert after.statuses
