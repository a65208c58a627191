"""What somebody proven meets: expired, in grace, temporary, or falling due."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.decide import Warn, account, before_password
from loginward.core.evidence import Proof, Proven
from loginward.core.policy import Asker, Rules, ServiceKind
from loginward.core.reasons import Reason, Verdict
from loginward.core.status import (
    ExpiryCause,
    PasswordStatus,
)
from tests.core.judging import (
    CHANGE,
    KEEPS_EXPIRED,
    KEEPS_LOCKED,
    TAKES_CHANGE,
    WARN_KEYS,
    copy,
    fresh,
    signed_in,
)
from tests.core.people import (
    DAY,
    EXPIRED,
    HOUR,
    NOW,
    TEMPORARY,
    due,
)


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
    assert last.verdict is Verdict.CHANGE  # the change is made by the login that this one was


@pytest.mark.parametrize(
    ("asks", "rules", "message"),
    [
        pytest.param({}, CHANGE, "by-others", id="in-the-login"),
        pytest.param({"changing": True}, Rules(), "by-others", id="passwd"),
        pytest.param({}, Rules(), "aging", id="deny"),
        pytest.param({"service": ServiceKind.AUTHENTICATES}, CHANGE, "aging", id="nowhere-to-type"),
    ],
)
def test_who_could_change_it_but_for_the_directory_is_told_so(asks, rules, message):
    decision = signed_in(fresh(EXPIRED), asker=Asker(**asks), rules=rules)
    assert decision.message == f"password-expired.{message}"


def test_who_is_kept_in_on_a_grace_login_hears_of_it():
    grace = Proven(proof=Proof.BIND, grace_left=1)
    decision = signed_in(fresh(), grace, Asker(**KEEPS_EXPIRED))
    assert (decision.verdict, decision.warnings) == (Verdict.ALLOW, (Warn.GRACE_LEFT,))
    assert decision.allowed_by == "keep_while:mail"


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


def test_warnings_come_in_their_order():
    reading = copy({"due": due(NOW + HOUR), "can_change_expired": True})
    assert signed_in(reading).warnings == (Warn.EXPIRES_SOON, Warn.OFFLINE)
