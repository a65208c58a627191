"""What an account is and what clears it, in the words of one line (R50)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from loginward.cli.times import day, moment, since, span
from loginward.core.status import (
    ExpiryCause,
    LockCause,
    PasswordStatus,
    StateCause,
    UserState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from loginward.wire.admin.rows import LockPart, StatusPart

LOCK_CAUSES: Final[Mapping[LockCause, str]] = {
    LockCause.THRESHOLD: "wrong passwords",
    LockCause.BY_ADMIN: "locked by an administrator",
    LockCause.BY_DIRECTORY: "locked by the directory",
    LockCause.IDLE: "not used for too long",
}
COLOURS: Final[Mapping[PasswordStatus, str]] = {
    PasswordStatus.PENDING: "cyan",
    PasswordStatus.LOCKED: "red",
    PasswordStatus.EXPIRED: "yellow",
    PasswordStatus.ACTIVE: "green",
}


def password(status: StatusPart, now: datetime) -> str:
    """Return the password's statuses: "locked + expired", "active, 12 d left"."""
    shown = " + ".join(one.value for one in status.statuses)
    if status.must_change:
        return f"{shown}, must change"
    if status.due_at is not None and status.headline is PasswordStatus.ACTIVE:
        return f"{shown}, {span((status.due_at - now).total_seconds())} left"
    return shown


def flags(status: StatusPart) -> str:
    """Return everything that holds, for a before and an after: "suspended", "locked, expired"."""
    state = [] if status.state is UserState.ACTIVE else [status.state.value]
    held = [one.value for one in status.statuses if not state or one is not PasswordStatus.ACTIVE]
    change = ["must change"] if status.must_change else []
    return ", ".join(state + held + change)


def explain(
    name: str, status: StatusPart, now: datetime, changed_at: datetime | None = None
) -> str:
    """Return why an account cannot sign in and what clears it; for one that can, what is ahead.

    `changed_at`: when the password was set, where that is known.
    """
    if status.state is not UserState.ACTIVE:
        return _state(name, status, now)
    match status.headline:
        case PasswordStatus.PENDING:
            return f"never set a password; loginward resend-activation {name}"
        case PasswordStatus.LOCKED:
            return _locked(name, status, now)
        case PasswordStatus.EXPIRED:
            return f"{expired(status, now)}; change it: loginward passwd"
        case PasswordStatus.ACTIVE:
            return _active(status, now, changed_at)
    assert_never(status.headline)


def expired(status: StatusPart, now: datetime) -> str:
    """Return since when and why a password is expired."""
    if status.due_at is None:
        return "expired"
    match status.due_cause:
        case ExpiryCause.POLICY_DEADLINE:
            return f"not changed by the deadline of {day(status.due_at, now)}"
        case ExpiryCause.BY_ADMIN:
            return f"expired by an administrator {since(status.due_at, now)}"
    return f"aged out {since(status.due_at, now)}"


def _state(name: str, status: StatusPart, now: datetime) -> str:
    date = status.state_date
    match status.state_cause:
        case StateCause.NOT_STARTED:
            return f"not yet activated; starts {day(date, now)}" if date else "not yet activated"
        case StateCause.ENDED:
            ended = f"ended {day(date, now)}" if date else "ended"
            return f"{ended}; loginward activate {name}"
        case StateCause.REMOVED:
            return f"no longer in the directory; loginward cache forget {name}"
    if status.state is UserState.STAGED:
        return f"not yet activated; loginward activate {name}"
    when = f", {since(date, now)}" if date else ""
    return f"suspended by an administrator{when}; loginward activate {name}"


def _locked(name: str, status: StatusPart, now: datetime) -> str:
    lock = status.lock
    command = f"loginward unlock {name}"
    if lock is None:
        return f"locked; {command}"
    if lock.until is None:
        opens = f"until an administrator unlocks: {command}"
    else:
        opens = f"opens {moment(lock.until, now)}, or now: {command}"
    text = f"{lock_cause(lock)}; {opens}"
    if PasswordStatus.EXPIRED in status.statuses:
        text += "; unlocking leaves it expired, a reset clears both"
    return text


def lock_cause(lock: LockPart) -> str:
    """Return who or what locked: "5 wrong passwords, last from sshd 203.0.113.7"."""
    text = LOCK_CAUSES[lock.cause]
    if lock.cause is LockCause.THRESHOLD:
        text = f"{lock.failures} {text}" if lock.failures else f"too many {text}"
        return f"{text}, last from {lock.source}" if lock.source else text
    return f"{text}, {lock.source}" if lock.source else text


def _active(status: StatusPart, now: datetime, changed_at: datetime | None) -> str:
    if status.must_change:
        when = "" if changed_at is None else f" set {since(changed_at, now)}"
        return f"temporary password{when}; the next login changes it"
    if status.due_at is None:
        return ""
    return f"expires {day(status.due_at, now)}"
