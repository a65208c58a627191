"""The law case by case: each id is the rule that the row proves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loginward.core.decide import Warn, account, after_password, before_password, malformed
from loginward.core.evidence import NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.core.facts import Fact
from loginward.core.policy import Asker, KeyLogins, Rules, ServiceKind, WhenExpired
from loginward.core.readings import Copy, Fresh, NeverSeen, Unknown, Unusable
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.core.status import (
    ExpiryCause,
    PasswordStatus,
    StateCause,
    UserState,
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
    alice,
    due,
    lock,
)

SUSPENDED = {"state": UserState.SUSPENDED}
STAGED = {"state": UserState.STAGED}
THROTTLED = {"throttled_until": NOW + HOUR}
FORBIDDEN = {"permitted": False}
KEEPS_LOCKED = {"keep_while": frozenset({PasswordStatus.LOCKED}), "resource": "mail"}
KEEPS_EXPIRED = {"keep_while": frozenset({PasswordStatus.EXPIRED}), "resource": "mail"}
CHANGE = Rules(when_expired=WhenExpired.CHANGE)
WARN_KEYS = Rules(key_logins=KeyLogins.WARN)
TAKES_CHANGE = {"can_change_expired": True}
STALE = {"read_at": NOW - 4 * DAY}


def signed_in(reading, checked=RIGHT, asker=Asker(), rules=Rules()):
    """Return the decision on one password, by both rules."""
    before = before_password(reading, asker, rules, NOW)
    return before or after_password(reading, checked, asker, rules, NOW)


def fresh(*known):
    return Fresh(alice(**{key: value for one in known for key, value in one.items()}))


def copy(*known):
    return Copy(fresh(*known).facts)


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


# --- expired -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "asks", "rules", "verdict"),
    [
        pytest.param(TAKES_CHANGE, {}, Rules(), Verdict.REFUSE, id="deny-refuses"),
        pytest.param(TAKES_CHANGE, {}, CHANGE, Verdict.CHANGE, id="change-opens-it"),
        pytest.param({}, {}, CHANGE, Verdict.REFUSE, id="Q11-directory-does-not-take-it"),
        pytest.param(
            TAKES_CHANGE,
            {"service": ServiceKind.AUTHENTICATES},
            CHANGE,
            Verdict.REFUSE,
            id="service-cannot-converse",
        ),
        pytest.param(
            TAKES_CHANGE,
            {"service": ServiceKind.NON_INTERACTIVE},
            CHANGE,
            Verdict.REFUSE,
            id="cron-never-changes",
        ),
        pytest.param(
            TAKES_CHANGE,
            {"service": ServiceKind.AUTHENTICATES, "inline_change": True},
            CHANGE,
            Verdict.CHANGE,
            id="radius-challenge",
        ),
        pytest.param(TAKES_CHANGE, {"changing": True}, Rules(), Verdict.ALLOW, id="passwd-goes-on"),
        pytest.param({}, {"changing": True}, Rules(), Verdict.REFUSE, id="passwd-in-vain"),
        pytest.param(
            {},
            KEEPS_EXPIRED | {"changing": True},
            Rules(),
            Verdict.REFUSE,
            id="keeping-changes-none",
        ),
        pytest.param({}, KEEPS_EXPIRED, Rules(), Verdict.ALLOW, id="R54-kept"),
        pytest.param({}, KEEPS_LOCKED, Rules(), Verdict.REFUSE, id="R54-another-status-is-kept"),
    ],
)
def test_r26_an_expired_password(known, asks, rules, verdict):
    decision = signed_in(fresh(EXPIRED, known), asker=Asker(**asks), rules=rules)
    assert decision.verdict is verdict
    if verdict is not Verdict.ALLOW:
        assert decision.reason is Reason.PASSWORD_EXPIRED


def test_expired_offline_is_refused_even_where_it_might_be_changed():
    """A cached account falls due offline as well (amendment Offline)."""
    decision = signed_in(copy(EXPIRED, TAKES_CHANGE), rules=CHANGE)
    assert (decision.verdict, decision.message) == (Verdict.REFUSE, "password-expired.aging")


def test_expired_by_the_bind_alone_names_no_cause():
    decision = signed_in(fresh(), Proven(proof=Proof.BIND, expired=True))
    assert decision.message == "password-expired"
    assert decision.status is not None
    assert decision.status.statuses == {PasswordStatus.EXPIRED}


def test_r52_a_managed_mailbox_is_closed_to_the_expired_unless_it_keeps_them():
    assert signed_in(fresh(EXPIRED)).reason is Reason.PASSWORD_EXPIRED
    kept = signed_in(fresh(EXPIRED), asker=Asker(**KEEPS_EXPIRED))
    assert (kept.verdict, kept.allowed_by) == (Verdict.ALLOW, "keep_while:mail")


# --- grace logins --------------------------------------------------------------------------------

IN_GRACE = EXPIRED | {"grace_left": 2}


@pytest.mark.parametrize(
    ("known", "asks", "rules", "asked"),
    [
        pytest.param(TAKES_CHANGE, {}, Rules(), False, id="deny"),
        pytest.param(TAKES_CHANGE, {}, CHANGE, True, id="change"),
        pytest.param({}, {}, CHANGE, False, id="change-that-the-directory-refuses"),
        pytest.param(TAKES_CHANGE, {"changing": True}, Rules(), True, id="passwd"),
        pytest.param(
            TAKES_CHANGE, {"service": ServiceKind.NON_INTERACTIVE}, CHANGE, False, id="cron"
        ),
        pytest.param({}, KEEPS_EXPIRED, Rules(), True, id="kept-is-proven-otherwise"),
        pytest.param({"grace_left": 0}, {}, Rules(), True, id="without-grace-the-bind-is-free"),
    ],
)
def test_a_grace_login_is_spent_only_for_a_change(known, asks, rules, asked):
    refusal = before_password(fresh(IN_GRACE, known), Asker(**asks), rules, NOW)
    assert (refusal is None) == asked
    if refusal is not None:
        assert refusal.message == "password-expired.aging"


def test_grace_is_the_directorys_alone():
    assert before_password(copy(IN_GRACE), Asker(), Rules(), NOW) is None
    assert before_password(fresh({"grace_left": 2}), Asker(), Rules(), NOW) is None


def test_grace_that_only_the_bind_shows_authorises_the_change():
    decision = signed_in(fresh(), Proven(proof=Proof.BIND, grace_left=1), rules=CHANGE)
    assert (decision.verdict, decision.warnings) == (Verdict.CHANGE, (Warn.GRACE_LEFT,))
    last = signed_in(fresh(), Proven(proof=Proof.BIND, grace_left=0), rules=CHANGE)
    assert last.verdict is Verdict.REFUSE  # there is none left for the change itself


def test_who_is_kept_in_on_a_grace_login_hears_of_it():
    grace = Proven(proof=Proof.BIND, grace_left=1)
    decision = signed_in(fresh(), grace, Asker(**KEEPS_EXPIRED))
    assert (decision.verdict, decision.warnings) == (Verdict.ALLOW, (Warn.GRACE_LEFT,))
    assert decision.allowed_by == "keep_while:mail"


# --- temporary passwords -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asks", "verdict"),
    [
        pytest.param({}, Verdict.CHANGE, id="converses"),
        pytest.param({"service": ServiceKind.AUTHENTICATES}, Verdict.REFUSE, id="authenticates"),
        pytest.param({"service": ServiceKind.NON_INTERACTIVE}, Verdict.REFUSE, id="cron"),
        pytest.param(
            {"service": ServiceKind.AUTHENTICATES, "inline_change": True},
            Verdict.CHANGE,
            id="radius-challenge",
        ),
        pytest.param(KEEPS_EXPIRED, Verdict.CHANGE, id="no-resource-keeps-a-temporary-one"),
    ],
)
@pytest.mark.parametrize("rules", [Rules(), CHANGE])
def test_r40_q16_a_temporary_password_is_changed_whatever_when_expired_says(asks, verdict, rules):
    decision = signed_in(fresh(TEMPORARY), asker=Asker(**asks), rules=rules)
    assert (decision.verdict, decision.reason) == (verdict, Reason.CHANGE_REQUIRED)
    assert decision.status is not None
    assert decision.status.statuses == {PasswordStatus.ACTIVE}  # Q16: set, not pending


def test_r40_only_the_change_path_works():
    decision = signed_in(fresh(TEMPORARY), asker=Asker(changing=True))
    assert (decision.verdict, decision.allowed_by) == (Verdict.ALLOW, "change")


def test_a_temporary_password_offline_is_refused_with_the_way_out():
    assert signed_in(copy(TEMPORARY)).verdict is Verdict.REFUSE
    assert signed_in(copy(TEMPORARY)).reason is Reason.CHANGE_REQUIRED


def test_q16_where_a_directory_cannot_tell_temporary_from_expired():
    """AD writes pwdLastSet=0, 389 the epoch: shown expired, meant as a change."""
    decision = signed_in(fresh(TEMPORARY, {"due": due(NOW - DAY, ExpiryCause.BY_ADMIN)}))
    assert (decision.verdict, decision.reason) == (Verdict.CHANGE, Reason.CHANGE_REQUIRED)
    assert decision.status is not None
    assert PasswordStatus.EXPIRED in decision.status.statuses


def test_a_temporary_password_grows_old_too():
    decision = signed_in(fresh(TEMPORARY, EXPIRED))
    assert decision.message == "password-expired.aging"


def test_what_excuses_the_expired_does_not_excuse_the_temporary():
    kept = signed_in(fresh(TEMPORARY, EXPIRED), asker=Asker(**KEEPS_EXPIRED))
    assert kept.reason is Reason.CHANGE_REQUIRED
    by_key = account(fresh(TEMPORARY, EXPIRED), Asker(), WARN_KEYS, NOW)
    assert by_key.reason is Reason.CHANGE_REQUIRED


# --- locked --------------------------------------------------------------------------------------


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


# --- offline -------------------------------------------------------------------------------------


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


# --- the account phase ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "asks", "rules", "verdict", "by"),
    [
        pytest.param({}, {}, Rules(), Verdict.ALLOW, "", id="in-order"),
        pytest.param(EXPIRED, {}, Rules(), Verdict.REFUSE, "", id="R25-key-login-expired"),
        pytest.param(
            EXPIRED | TAKES_CHANGE, {}, CHANGE, Verdict.REFUSE, "", id="key-proves-no-password"
        ),
        pytest.param(EXPIRED, {}, WARN_KEYS, Verdict.ALLOW, "key_logins:warn", id="keys-warned"),
        pytest.param(
            EXPIRED,
            {"service": ServiceKind.NON_INTERACTIVE},
            WARN_KEYS,
            Verdict.REFUSE,
            "",
            id="cron-is-no-key-login",
        ),
        pytest.param(
            EXPIRED, KEEPS_EXPIRED, Rules(), Verdict.ALLOW, "keep_while:mail", id="R54-kept"
        ),
        pytest.param(
            EXPIRED | TAKES_CHANGE,
            {"proven": True},
            CHANGE,
            Verdict.CHANGE,
            "",
            id="after-password",
        ),
        pytest.param(
            EXPIRED | TAKES_CHANGE, {"proven": True}, Rules(), Verdict.REFUSE, "", id="deny"
        ),
        pytest.param(TEMPORARY, {}, Rules(), Verdict.CHANGE, "", id="R40-key-login-temporary"),
        pytest.param(
            TEMPORARY,
            {"service": ServiceKind.NON_INTERACTIVE},
            Rules(),
            Verdict.REFUSE,
            "",
            id="never-a-change-for-cron",
        ),
        pytest.param(
            EXPIRED | TEMPORARY,
            {"service": ServiceKind.SESSION_MANAGER},
            Rules(),
            Verdict.ALLOW,
            "session-manager",
            id="systemd-user-its-login-was-judged",
        ),
        pytest.param(
            {},
            {"service": ServiceKind.SESSION_MANAGER},
            Rules(),
            Verdict.ALLOW,
            "",
            id="systemd-user",
        ),
        pytest.param(
            LOCKED,
            {"service": ServiceKind.SESSION_MANAGER},
            Rules(),
            Verdict.REFUSE,
            "",
            id="systemd-user-locked",
        ),
        pytest.param(
            LOCKED, {"proven": True}, Rules(), Verdict.REFUSE, "", id="Q14-locked-meanwhile"
        ),
        pytest.param(
            {}, {"service": ServiceKind.NON_INTERACTIVE}, Rules(), Verdict.ALLOW, "", id="cron"
        ),
    ],
)
def test_r25_the_account_phase_stands_alone(known, asks, rules, verdict, by):
    decision = account(fresh(known), Asker(**asks), rules, NOW)
    assert (decision.verdict, decision.allowed_by) == (verdict, by)


def test_a_key_login_past_expiry_is_warned_of_it():
    decision = account(fresh(EXPIRED), Asker(), WARN_KEYS, NOW)
    assert decision.warnings == (Warn.EXPIRED_KEY_LOGIN,)


@pytest.mark.parametrize(
    ("earlier", "rules", "verdict", "reason"),
    [
        pytest.param(
            Proven(proof=Proof.BIND, must_change=True),
            Rules(),
            Verdict.CHANGE,
            Reason.CHANGE_REQUIRED,
            id="temporary",
        ),
        pytest.param(
            Proven(proof=Proof.BIND, grace_left=1),
            CHANGE,
            Verdict.CHANGE,
            Reason.PASSWORD_EXPIRED,
            id="grace",
        ),
        pytest.param(RIGHT, Rules(), Verdict.ALLOW, Reason.OK, id="in-order"),
    ],
)
def test_what_only_the_bind_could_tell_is_not_forgotten(earlier, rules, verdict, reason):
    """R40: authenticate said success to open the change; the account phase must demand it."""
    reading = fresh({"unreadable": frozenset(Fact)})
    asker = Asker(proven=True, earlier=earlier)
    decision = account(reading, asker, rules, NOW)
    assert (decision.verdict, decision.reason) == (verdict, reason)
    assert signed_in(reading, earlier, rules=rules) == decision


def test_nobody_owes_what_another_proved():
    asker = Asker(proven=False, earlier=Proven(proof=Proof.BIND, must_change=True))
    assert account(fresh(), asker, Rules(), NOW).reason is Reason.OK


@pytest.mark.parametrize(
    ("fact", "asks", "rules", "refused"),
    [
        pytest.param(Fact.STATE, {}, Rules(), True, id="state"),
        pytest.param(Fact.LOCK, {}, Rules(), True, id="lock-is-never-taken-for-none"),
        pytest.param(Fact.EXPIRY, {}, Rules(), True, id="expiry"),
        pytest.param(Fact.EXPIRY, {}, WARN_KEYS, False, id="expiry-where-keys-are-only-warned"),
        pytest.param(
            Fact.EXPIRY,
            {"service": ServiceKind.SESSION_MANAGER},
            Rules(),
            False,
            id="expiry-at-systemd-user",
        ),
        pytest.param(
            Fact.LOCK, {"service": ServiceKind.SESSION_MANAGER}, Rules(), True, id="lock-everywhere"
        ),
        pytest.param(Fact.LOCK, {"proven": True}, Rules(), False, id="a-bind-just-showed-it"),
        pytest.param(Fact.PASSWORD, {}, Rules(), False, id="hashes-are-hidden-everywhere"),
        pytest.param(Fact.GROUPS, {}, Rules(), False, id="groups"),
    ],
)
def test_what_cannot_be_read_is_unknown_never_fine(fact, asks, rules, refused):
    reading = fresh({"unreadable": frozenset({fact})})
    decision = account(reading, Asker(**asks), rules, NOW)
    assert (decision.message == "directory-unavailable.unreadable") == refused
    assert (decision.verdict is Verdict.REFUSE) == refused
    assert signed_in(reading).reason is Reason.OK  # the bind itself tells


# --- warnings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("in_s", "facts_warn_s", "rules_warn_s", "warned"),
    [
        pytest.param(100, None, 100, True, id="on-the-second"),
        pytest.param(101, None, 100, False, id="too-early"),
        pytest.param(100, 99, 200, False, id="the-directory-has-a-say-of-its-own"),
        pytest.param(100, None, None, False, id="never"),
    ],
)
def test_who_is_let_in_hears_when_the_password_falls_due(in_s, facts_warn_s, rules_warn_s, warned):
    reading = fresh({"due": due(NOW + timedelta(seconds=in_s)), "warn_s": facts_warn_s})
    decision = signed_in(reading, rules=Rules(warn_s=rules_warn_s))
    assert decision.warnings == ((Warn.EXPIRES_SOON,) if warned else ())


def test_expiry_that_only_the_bind_tells_is_warned_of():
    decision = signed_in(fresh(), Proven(proof=Proof.BIND, expires_in_s=3600))
    assert decision.warnings == (Warn.EXPIRES_SOON,)
    assert decision.status is not None
    assert decision.status.due is not None
    assert decision.status.due.at == NOW + HOUR


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
