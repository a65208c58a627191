"""The law: whether a login is let in, and why not.

The order is fixed: unknown, state, pending, locked, throttled, not permitted, offline (never seen,
too long), password, expired or change, allow. Equal inputs give equal decisions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from loginward.core.decision import Decision, Warn, malformed, message_ids, refuse
from loginward.core.evidence import Checked, NoVerdict, Proof, Proven, Refused, Wrong
from loginward.core.facts import Fact, status_at
from loginward.core.learnt import REASONS, status_learnt
from loginward.core.policy import Asker, KeyLogins, Rules, ServiceKind, WhenExpired
from loginward.core.proof import Meeting, expiry_detail, is_expired, keeps_expired
from loginward.core.readings import Copy, Fresh, NeverSeen, Reading, Unknown, Unusable
from loginward.core.reasons import Reason
from loginward.core.status import PasswordStatus, StateCause, Status, UserState

__all__ = [
    "Decision",
    "Warn",
    "account",
    "after_password",
    "before_password",
    "malformed",
    "message_ids",
]


def before_password(reading: Reading, asker: Asker, rules: Rules, now: datetime) -> Decision | None:
    """Return the refusal that needs no password, or None to go on and check one."""
    return _standing(reading, asker, rules, now) or _spared_grace(reading, asker, rules, now)


def after_password(
    reading: Fresh | Copy, checked: Checked, asker: Asker, rules: Rules, now: datetime
) -> Decision:
    """Return the decision once a password has been checked.

    `before_password` must have had nothing to say about the same reading.
    """
    status = status_learnt(status_at(reading.facts, now), checked, now)
    match checked:
        case Wrong():
            return refuse(Reason.WRONG_CREDENTIALS, status)
        case NoVerdict():
            return refuse(Reason.DIRECTORY_UNAVAILABLE, status)
        case Refused(refusal):
            return refuse(REASONS[refusal], status)
        case Proven():
            return Meeting(reading, checked, status, asker, rules, now).judged()
        case _:  # pragma: no cover
            assert_never(checked)


def account(reading: Reading, asker: Asker, rules: Rules, now: datetime) -> Decision:
    """Return the decision of the account phase: no password, no counter touched (R25).

    What cannot be read is unknown, never "not locked".
    """
    refusal = _standing(reading, asker, rules, now)
    if refusal is not None:
        return refusal
    assert isinstance(reading, Fresh | Copy)  # the others were refused above
    earlier = asker.earlier if asker.proven else None
    proven = earlier or Proven(proof=Proof.ALREADY)
    status = status_learnt(status_at(reading.facts, now), proven, now)
    if reading.facts.unreadable & _needed(asker, rules):
        return refuse(Reason.DIRECTORY_UNAVAILABLE, status, detail="unreadable")
    meeting = Meeting(reading, proven, status, asker, rules, now)
    if asker.service is ServiceKind.SESSION_MANAGER:
        return meeting.allowed(
            by="session-manager" if meeting.expired or status.must_change else ""
        )
    if asker.proven or not meeting.expired or meeting.kept:
        return meeting.judged()
    if rules.key_logins is KeyLogins.WARN and asker.service is not ServiceKind.NON_INTERACTIVE:
        return meeting.judged(excused_by="key_logins:warn", first=Warn.EXPIRED_KEY_LOGIN)
    return refuse(Reason.PASSWORD_EXPIRED, status, detail=expiry_detail(status))


def _needed(asker: Asker, rules: Rules) -> frozenset[Fact]:
    """Return the facts without which nobody is let in who has not just proven a password."""
    if asker.proven:
        return frozenset()
    judged = rules.key_logins is KeyLogins.DENY and asker.service.judges_expiry
    return frozenset({Fact.STATE, Fact.LOCK, *((Fact.EXPIRY,) if judged else ())})


def _standing(reading: Reading, asker: Asker, rules: Rules, now: datetime) -> Decision | None:
    """Return the refusal that follows from what the account is and where it is used."""
    match reading:
        case Unknown():
            return refuse(Reason.USER_UNKNOWN)
        case NeverSeen():
            return _scope(asker, None) or refuse(Reason.OFFLINE_NEVER_SEEN)
        case Unusable():
            return _scope(asker, None) or refuse(Reason.DIRECTORY_UNAVAILABLE)
        case Fresh(facts) | Copy(facts):
            pass
        case _:  # pragma: no cover
            assert_never(reading)
    status = status_at(facts, now)
    pending = None if asker.by_certificate else _pending(status)
    refusal = _state(status) or pending or _locked(status, asker) or _scope(asker, status)
    if refusal is None and isinstance(reading, Copy):
        # A copy that claims to be of the future has no known age: the clock was wrong once.
        age = now - facts.read_at
        if not timedelta(0) <= age <= timedelta(seconds=rules.offline_allowed_s):
            return refuse(Reason.OFFLINE_TOO_LONG, status)
    return refusal


def _state(status: Status) -> Decision | None:
    if status.state is UserState.ACTIVE:
        return None
    detail = status.state_cause.value if status.state_cause is not None else ""
    if status.state is UserState.SUSPENDED:
        return refuse(Reason.USER_SUSPENDED, status, detail=detail)
    starts = status.state_date if status.state_cause is StateCause.NOT_STARTED else None
    return refuse(Reason.USER_STAGED, status, detail=detail, until=starts)


def _pending(status: Status) -> Decision | None:
    if PasswordStatus.PENDING in status.statuses:
        return refuse(Reason.PASSWORD_PENDING, status)
    return None


def _locked(status: Status, asker: Asker) -> Decision | None:
    """Return the refusal of a locked account; a resource that keeps it changes no password."""
    kept = PasswordStatus.LOCKED in asker.keep_while and not asker.changing
    if status.lock is None or kept:
        return None
    detail = "until" if status.lock.until is not None else "for-good"
    return refuse(Reason.ACCOUNT_LOCKED, status, detail=detail, until=status.lock.until)


def _scope(asker: Asker, status: Status | None) -> Decision | None:
    if asker.throttled_until is not None:
        return refuse(Reason.SOURCE_THROTTLED, status, until=asker.throttled_until)
    if not asker.permitted:
        return refuse(Reason.NOT_PERMITTED, status)
    return None


def _spared_grace(reading: Reading, asker: Asker, rules: Rules, now: datetime) -> Decision | None:
    """Refuse the expired whose check would spend a grace login and lead to no change."""
    if not isinstance(reading, Fresh) or not reading.facts.grace_left:
        return None
    status = status_at(reading.facts, now)
    if not is_expired(status) or keeps_expired(asker):
        return None
    wanted = asker.changing or (asker.can_change and rules.when_expired is WhenExpired.CHANGE)
    if wanted and reading.facts.can_change_expired:
        return None
    return refuse(Reason.PASSWORD_EXPIRED, status, detail=expiry_detail(status))
