"""The account phase: facts alone, whatever let the person come so far."""

from __future__ import annotations

import pytest

from loginward.core.decide import Warn, account
from loginward.core.evidence import Proof, Proven
from loginward.core.facts import Fact
from loginward.core.policy import Asker, Rules, ServiceKind
from loginward.core.reasons import Reason, Verdict
from tests.core.judging import CHANGE, KEEPS_EXPIRED, TAKES_CHANGE, WARN_KEYS, fresh, signed_in
from tests.core.people import (
    EXPIRED,
    LOCKED,
    NOW,
    RIGHT,
    TEMPORARY,
)


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
