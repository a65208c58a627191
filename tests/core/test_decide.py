"""The law case by case: each id is the rule that the row proves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loginward.core.decide import Warn, account, after_password, before_password, malformed
from loginward.core.evidence import NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.core.policy import Asker, Rules
from loginward.core.readings import NeverSeen, Unknown, Unusable
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.core.status import (
    ExpiryCause,
    PasswordStatus,
    StateCause,
    UserState,
)
from tests.core.judging import (
    CHANGE,
    FORBIDDEN,
    KEEPS_EXPIRED,
    KEEPS_LOCKED,
    STAGED,
    STALE,
    SUSPENDED,
    TAKES_CHANGE,
    THROTTLED,
    copy,
    fresh,
    signed_in,
)
from tests.core.people import (
    DAY,
    EXPIRED,
    HOUR,
    LOCKED,
    NOW,
    PENDING,
    RIGHT,
    TEMPORARY,
    due,
    lock,
)

# In the order in which the law asks; each of these refuses alone.
ORDER = [
    pytest.param(SUSPENDED, {}, Reason.USER_SUSPENDED, id="state"),
    pytest.param(PENDING, {}, Reason.PASSWORD_PENDING, id="pending"),
    pytest.param(LOCKED, {}, Reason.ACCOUNT_LOCKED, id="locked"),
    pytest.param({}, THROTTLED, Reason.SOURCE_THROTTLED, id="throttled"),
    pytest.param({}, FORBIDDEN, Reason.NOT_PERMITTED, id="not-permitted"),
    pytest.param(STALE, {}, Reason.OFFLINE_TOO_LONG, id="offline-too-long"),
]


@pytest.mark.parametrize(("known", "asks", "reason"), ORDER)
def test_r60_each_of_these_needs_no_password(known, asks, reason):
    decision = before_password(copy(known), Asker(**asks), Rules(), NOW)
    assert decision is not None
    assert (decision.verdict, decision.reason) == (Verdict.REFUSE, reason)


def test_the_first_of_several_reasons_is_told():
    """The order of the design, proven by taking the reasons away one by one."""
    rows = [row.values for row in ORDER]
    while rows:
        known = [row[0] for row in rows]
        asks = {key: value for row in rows for key, value in row[1].items()}
        assert signed_in(copy(*known), Wrong(), Asker(**asks)).reason is rows[0][2]
        rows.pop(0)
    assert signed_in(copy(EXPIRED, TEMPORARY), Wrong()).reason is Reason.WRONG_CREDENTIALS
    assert signed_in(copy(EXPIRED, TEMPORARY)).reason is Reason.PASSWORD_EXPIRED
    assert signed_in(copy(TEMPORARY)).reason is Reason.CHANGE_REQUIRED
    assert signed_in(copy()).reason is Reason.OK


@pytest.mark.parametrize(
    ("reading", "asks", "reason"),
    [
        pytest.param(Unknown(), {}, Reason.USER_UNKNOWN, id="unknown"),
        pytest.param(Unknown(), THROTTLED, Reason.USER_UNKNOWN, id="unknown-comes-first"),
        pytest.param(NeverSeen(), {}, Reason.OFFLINE_NEVER_SEEN, id="never-seen"),
        pytest.param(NeverSeen(), THROTTLED, Reason.SOURCE_THROTTLED, id="throttled-before-it"),
        pytest.param(NeverSeen(), FORBIDDEN, Reason.NOT_PERMITTED, id="not-permitted-before-it"),
        pytest.param(Unusable("store"), {}, Reason.DIRECTORY_UNAVAILABLE, id="unusable"),
        pytest.param(Unusable("store"), THROTTLED, Reason.SOURCE_THROTTLED, id="throttled-first"),
    ],
)
def test_without_an_account_to_speak_of(reading, asks, reason):
    decision = before_password(reading, Asker(**asks), Rules(), NOW)
    assert decision is not None
    assert (decision.reason, decision.status) == (reason, None)
    assert account(reading, Asker(**asks), Rules(), NOW) == decision


@pytest.mark.parametrize("has_password", [True, False])
@pytest.mark.parametrize("state", [UserState.ACTIVE, UserState.SUSPENDED])
def test_r05_full_access_needs_a_password_and_an_active_state(has_password, state):
    reading = fresh({"has_password": has_password, "state": state})
    in_order = has_password and state is UserState.ACTIVE
    assert (signed_in(reading).verdict is Verdict.ALLOW) == in_order


@pytest.mark.parametrize("door", Door)
@pytest.mark.parametrize("state", [STAGED, SUSPENDED])
@pytest.mark.parametrize("password", [PENDING, {}, EXPIRED, LOCKED])
def test_r06_state_dominates_whatever_the_password(door, state, password):
    """I3: twelve cases at three doors, with every resource rule there is."""
    asker = Asker(door=door, proven=True, keep_while=frozenset(PasswordStatus))
    reason = Reason.USER_STAGED if state is STAGED else Reason.USER_SUSPENDED
    reading = fresh(state, password)
    assert signed_in(reading, asker=asker).reason is reason
    assert account(reading, asker, Rules(), NOW).reason is reason


@pytest.mark.parametrize(
    ("known", "message", "until"),
    [
        pytest.param(
            {"starts_at": NOW + DAY}, "user-staged.not-started", NOW + DAY, id="not-started"
        ),
        pytest.param(
            {"state": UserState.STAGED, "state_since": NOW - DAY},
            "user-staged.by-admin",
            None,
            id="staged-by-admin-has-no-end-to-wait-for",
        ),
        pytest.param({"ends_at": NOW}, "user-suspended.ended", None, id="ended"),
        pytest.param(SUSPENDED, "user-suspended.by-admin", None, id="suspended"),
        pytest.param({"removed": True}, "user-suspended.removed", None, id="removed"),
        pytest.param(LOCKED, "account-locked.until", NOW + HOUR, id="locked-for-a-time"),
        pytest.param(
            {"locks": (lock(until=None),)}, "account-locked.for-good", None, id="locked-for-good"
        ),
        pytest.param(PENDING, "password-pending", None, id="pending"),
        pytest.param(
            {"due": due(NOW, ExpiryCause.POLICY_DEADLINE)},
            "password-expired.policy-deadline",
            None,
            id="R14-policy",
        ),
        pytest.param(
            {"due": due(NOW, ExpiryCause.BY_ADMIN)},
            "password-expired.by-admin",
            None,
            id="R14-by-admin",
        ),
        pytest.param(EXPIRED, "password-expired.aging", None, id="R14-aging"),
    ],
)
def test_a_refusal_says_why_and_until_when(known, message, until):
    decision = signed_in(fresh(known))
    assert (decision.message, decision.until) == (message, until)


def test_a_state_without_a_cause_still_refuses():
    decision = after_password(fresh(), Refused(Refusal.SUSPENDED), Asker(), Rules(), NOW)
    assert decision.message == "user-suspended"


@pytest.mark.parametrize(
    ("checked", "reason"),
    [
        pytest.param(Wrong(), Reason.WRONG_CREDENTIALS, id="wrong"),
        pytest.param(Wrong(repeat=True), Reason.WRONG_CREDENTIALS, id="repeat"),
        pytest.param(NoVerdict("connect"), Reason.DIRECTORY_UNAVAILABLE, id="silence"),
        pytest.param(Refused(Refusal.LOCKED), Reason.ACCOUNT_LOCKED, id="bind-says-locked"),
        pytest.param(Refused(Refusal.SUSPENDED), Reason.USER_SUSPENDED, id="bind-says-suspended"),
        pytest.param(Refused(Refusal.NOT_STARTED), Reason.USER_STAGED, id="bind-says-not-started"),
        pytest.param(Refused(Refusal.NOT_PERMITTED), Reason.NOT_PERMITTED, id="bind-says-hours"),
        pytest.param(
            Proven(proof=Proof.BIND, expired=True), Reason.PASSWORD_EXPIRED, id="bind-says-expired"
        ),
        pytest.param(
            Proven(proof=Proof.BIND, must_change=True), Reason.CHANGE_REQUIRED, id="bind-says-reset"
        ),
        pytest.param(
            Proven(proof=Proof.BIND, grace_left=2), Reason.PASSWORD_EXPIRED, id="grace-is-expired"
        ),
        pytest.param(RIGHT, Reason.OK, id="right"),
    ],
)
def test_what_a_check_shows_is_told(checked, reason):
    assert signed_in(fresh(), checked).reason is reason


def test_r53_a_resource_keeps_the_locked_and_says_so():
    decision = signed_in(fresh(LOCKED), Proven(proof=Proof.VERIFIER), Asker(**KEEPS_LOCKED))
    assert (decision.verdict, decision.allowed_by) == (Verdict.ALLOW, "keep_while:mail")
    assert account(fresh(LOCKED), Asker(**KEEPS_LOCKED), Rules(), NOW) == decision


@pytest.mark.parametrize("known", [EXPIRED, TEMPORARY])
def test_the_locked_change_no_password_though_a_resource_keeps_them(known):
    """State machine: a change is refused if locked."""
    reading = fresh(LOCKED, known, TAKES_CHANGE)
    asker = Asker(**KEEPS_LOCKED)
    assert signed_in(reading, asker=asker, rules=CHANGE).verdict is Verdict.REFUSE
    passwd = replace(asker, changing=True)
    assert signed_in(reading, asker=passwd, rules=CHANGE).reason is Reason.ACCOUNT_LOCKED


def test_a_locked_and_expired_account_needs_both_kept():
    reading = fresh(LOCKED, EXPIRED)
    both = Asker(keep_while=frozenset({PasswordStatus.LOCKED, PasswordStatus.EXPIRED}))
    assert signed_in(reading).reason is Reason.ACCOUNT_LOCKED
    assert signed_in(reading, asker=Asker(**KEEPS_EXPIRED)).reason is Reason.ACCOUNT_LOCKED
    assert signed_in(reading, asker=Asker(**KEEPS_LOCKED)).reason is Reason.PASSWORD_EXPIRED
    assert signed_in(reading, asker=both).reason is Reason.OK


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        pytest.param(timedelta(0), Reason.OK, id="just-read"),
        pytest.param(timedelta(seconds=259200), Reason.OK, id="Q9-to-the-second"),
        pytest.param(timedelta(seconds=259201), Reason.OFFLINE_TOO_LONG, id="Q9-a-second-later"),
        pytest.param(timedelta(seconds=-1), Reason.OFFLINE_TOO_LONG, id="from-the-future"),
    ],
)
def test_r27_an_allowance_has_an_age(age, reason):
    assert signed_in(copy({"read_at": NOW - age})).reason is reason


@pytest.mark.parametrize("known", [SUSPENDED, PENDING, LOCKED])
def test_i9_a_cached_deny_is_told_however_old_the_copy(known):
    assert signed_in(copy(known, STALE)).reason is signed_in(fresh(known)).reason


def test_who_is_let_in_offline_hears_of_it():
    assert signed_in(copy()).warnings == (Warn.OFFLINE,)
    assert signed_in(copy(STALE), rules=Rules(offline_allowed_s=5 * 86400)).reason is Reason.OK


def test_malformed_is_a_refusal_of_its_own():
    assert (malformed().verdict, malformed().reason) == (Verdict.REFUSE, Reason.MALFORMED)


def test_q17_r08_what_is_shown_of_a_locked_and_expired_account():
    """R07, R08: both flags, the headline locked, the date that is past."""
    status = signed_in(fresh(LOCKED, EXPIRED)).status
    assert status is not None
    assert status.headline is PasswordStatus.LOCKED
    assert status.statuses == {PasswordStatus.LOCKED, PasswordStatus.EXPIRED}
    assert status.due is not None
    assert status.due.at < NOW


def test_q18_staged_with_a_password_has_no_access():
    decision = signed_in(fresh(STAGED))
    assert decision.reason is Reason.USER_STAGED
    assert decision.status is not None
    assert decision.status.state_cause is StateCause.BY_ADMIN
