"""The law: whether a login is let in, and why not.

The order is fixed: unknown, state, pending, locked, throttled, not permitted, offline (never seen,
too long), password, expired or change, allow. Equal inputs give equal decisions.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from loginward.core.evidence import Checked, NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.core.facts import AccountFacts, Fact, status_at
from loginward.core.policy import Asker, KeyLogins, Rules, ServiceKind, WhenExpired
from loginward.core.readings import Copy, Fresh, NeverSeen, Reading, Unknown, Unusable
from loginward.core.reasons import Reason, Verdict
from loginward.core.status import ExpiryCause, PasswordStatus, Status, UserState


class Warn(enum.Enum):
    """What a person who is let in should know."""

    EXPIRES_SOON = "expires-soon"
    EXPIRED_KEY_LOGIN = "expired-key-login"
    GRACE_LEFT = "grace-left"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one request.

    Attributes:
        status: What the account is; None where there is no account to speak of.
        until: When trying again makes sense (aware UTC); None: not by waiting.
        warnings: For who is let in, in the order to be shown.
        allowed_by: The rule that let a person in against a status, such as "keep_while:mail".
        detail: Narrows the message: "until", "for-good", "ended", "not-started", "removed" ...
    """

    verdict: Verdict
    reason: Reason
    status: Status | None = None
    until: datetime | None = None
    warnings: tuple[Warn, ...] = ()
    allowed_by: str = ""
    detail: str = ""

    @property
    def message(self) -> str:
        """Return the id of the text that explains it."""
        return f"{self.reason.value}.{self.detail}" if self.detail else self.reason.value

    @property
    def lets_in(self) -> bool:
        """Whether the person is let in, at once or after a change or a code."""
        return self.verdict is not Verdict.REFUSE


def before_password(
    reading: Reading, asker: Asker, rules: Rules, now: datetime
) -> Decision | None:
    """Return the refusal that needs no password, or None to go on and check one."""
    match reading:
        case Unknown():
            return _refuse(Reason.USER_UNKNOWN)
        case NeverSeen():
            return _scope(asker, None) or _refuse(Reason.OFFLINE_NEVER_SEEN)
        case Unusable():
            return _scope(asker, None) or _refuse(Reason.DIRECTORY_UNAVAILABLE)
        case Fresh(facts) | Copy(facts):
            pass
        case _:  # pragma: no cover
            assert_never(reading)
    status = status_at(facts, now)
    refusal = _state(status) or _pending(status) or _locked(status, asker) or _scope(asker, status)
    if refusal is None and isinstance(reading, Copy):
        age = now - facts.read_at
        if age > timedelta(seconds=rules.offline_allowed_s):
            return _refuse(Reason.OFFLINE_TOO_LONG, status)
    return refusal


def after_password(
    reading: Fresh | Copy, checked: Checked, asker: Asker, rules: Rules, now: datetime
) -> Decision:
    """Return the decision once a password has been checked.

    `before_password` must have had nothing to say about the same reading.
    """
    status = status_at(reading.facts, now)
    match checked:
        case Wrong():
            return _refuse(Reason.WRONG_CREDENTIALS, status)
        case NoVerdict():
            return _refuse(Reason.DIRECTORY_UNAVAILABLE, status)
        case Refused(refusal):
            return _refuse(_REFUSALS[refusal], status)
        case Proven():
            return _proven(reading, status, checked, asker, rules, now)
        case _:  # pragma: no cover
            assert_never(checked)


def account(reading: Reading, asker: Asker, rules: Rules, now: datetime) -> Decision:
    """Return the decision of the account phase: no password, no counter touched (R25).

    What cannot be read is unknown, never "not locked".
    """
    refusal = before_password(reading, asker, rules, now)
    if refusal is not None:
        return refusal
    assert isinstance(reading, Fresh | Copy)  # noqa: S101  the others were refused above
    status = status_at(reading.facts, now)
    if reading.facts.unreadable & {Fact.STATE, Fact.LOCK} and not asker.proven:
        return _refuse(Reason.DIRECTORY_UNAVAILABLE, status, detail="unreadable")
    if asker.service is ServiceKind.SESSION_MANAGER:
        return _allow(reading, status, asker, rules, now)
    proven = Proven(proof=Proof.ALREADY)
    if not asker.proven and _is_expired(status, proven):
        if rules.key_logins is KeyLogins.WARN and asker.service is not ServiceKind.NON_INTERACTIVE:
            return _allow(reading, status, asker, rules, now, first=Warn.EXPIRED_KEY_LOGIN)
        if PasswordStatus.EXPIRED not in asker.keep_while:
            return _refuse(Reason.PASSWORD_EXPIRED, status, detail=_expiry_detail(status))
    return _proven(reading, status, proven, asker, rules, now)


_REFUSALS = {
    Refusal.LOCKED: Reason.ACCOUNT_LOCKED,
    Refusal.SUSPENDED: Reason.USER_SUSPENDED,
    Refusal.NOT_STARTED: Reason.USER_STAGED,
    Refusal.NOT_PERMITTED: Reason.NOT_PERMITTED,
}


def _state(status: Status) -> Decision | None:
    if status.state is UserState.ACTIVE:
        return None
    detail = status.state_cause.value if status.state_cause is not None else ""
    if status.state is UserState.STAGED:
        return _refuse(Reason.USER_STAGED, status, detail=detail, until=status.state_date)
    return _refuse(Reason.USER_SUSPENDED, status, detail=detail)


def _pending(status: Status) -> Decision | None:
    if PasswordStatus.PENDING in status.statuses:
        return _refuse(Reason.PASSWORD_PENDING, status)
    return None


def _locked(status: Status, asker: Asker) -> Decision | None:
    if status.lock is None or PasswordStatus.LOCKED in asker.keep_while:
        return None
    detail = "until" if status.lock.until is not None else "for-good"
    return _refuse(Reason.ACCOUNT_LOCKED, status, detail=detail, until=status.lock.until)


def _scope(asker: Asker, status: Status | None) -> Decision | None:
    if asker.throttled_until is not None:
        return _refuse(Reason.SOURCE_THROTTLED, status, until=asker.throttled_until)
    if not asker.permitted:
        return _refuse(Reason.NOT_PERMITTED, status)
    return None


def _is_expired(status: Status, proven: Proven) -> bool:
    """Return whether expiry, rather than a mere order to change, governs.

    A directory that cannot tell a temporary password from an expired one gives a due date by an
    administrator beside `must_change`; that is a change, not an expiry (Q16).
    """
    if proven.expired:
        return True
    if PasswordStatus.EXPIRED not in status.statuses:
        return False
    by_admin = status.due is not None and status.due.cause is ExpiryCause.BY_ADMIN
    return not (by_admin and status.must_change)


def _proven(
    reading: Fresh | Copy,
    status: Status,
    proven: Proven,
    asker: Asker,
    rules: Rules,
    now: datetime,
) -> Decision:
    if _is_expired(status, proven):
        return _expired(reading, status, asker, rules, now)
    if status.must_change or proven.must_change:
        can = isinstance(reading, Fresh) and asker.can_change
        if asker.changing and can:
            return _allow(reading, status, asker, rules, now)
        verdict = Verdict.CHANGE if can else Verdict.REFUSE
        return Decision(verdict=verdict, reason=Reason.CHANGE_REQUIRED, status=status)
    first = Warn.GRACE_LEFT if proven.grace_left is not None else None
    return _allow(reading, status, asker, rules, now, first=first)


def _expired(
    reading: Fresh | Copy, status: Status, asker: Asker, rules: Rules, now: datetime
) -> Decision:
    if PasswordStatus.EXPIRED in asker.keep_while:
        return _allow(reading, status, asker, rules, now)
    accepts = isinstance(reading, Fresh) and reading.facts.can_change_expired
    if accepts and asker.changing:
        return _allow(reading, status, asker, rules, now)
    if accepts and asker.can_change and rules.when_expired is WhenExpired.CHANGE:
        return Decision(verdict=Verdict.CHANGE, reason=Reason.PASSWORD_EXPIRED, status=status)
    return _refuse(Reason.PASSWORD_EXPIRED, status, detail=_expiry_detail(status))


def _expiry_detail(status: Status) -> str:
    return status.due.cause.value if status.due is not None else ""


def _allow(
    reading: Fresh | Copy,
    status: Status,
    asker: Asker,
    rules: Rules,
    now: datetime,
    first: Warn | None = None,
) -> Decision:
    warnings = [] if first is None else [first]
    if _falls_due_soon(reading.facts, status, rules, now):
        warnings.append(Warn.EXPIRES_SOON)
    if isinstance(reading, Copy):
        warnings.append(Warn.OFFLINE)
    kept = asker.keep_while & status.statuses
    return Decision(
        verdict=Verdict.ALLOW,
        reason=Reason.OK,
        status=status,
        warnings=tuple(warnings),
        allowed_by=f"keep_while:{asker.resource}" if kept else "",
    )


def _falls_due_soon(facts: AccountFacts, status: Status, rules: Rules, now: datetime) -> bool:
    warn_s = rules.warn_s if facts.warn_s is None else facts.warn_s
    if status.due is None or warn_s is None:
        return False
    return now < status.due.at <= now + timedelta(seconds=warn_s)


def _refuse(
    reason: Reason,
    status: Status | None = None,
    *,
    detail: str = "",
    until: datetime | None = None,
) -> Decision:
    return Decision(
        verdict=Verdict.REFUSE, reason=reason, status=status, detail=detail, until=until
    )


def malformed() -> Decision:
    """Return the answer to a request that cannot be judged at all."""
    return _refuse(Reason.MALFORMED)
