"""What becomes of an account when something is done to it: pure steps of one record.

Source: the state machine of requirements section 5 and its invariants I1, I2, I4, I8, I14.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.core.lockout import cleared
from loginward.core.status import Lock, LockCause, UserState
from loginward.directory.embedded.record import OldPassword, Password, Record, SetBy, Token

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.passwords import PasswordRules


def with_password(
    record: Record,
    phc: str,
    *,
    set_by: SetBy,
    rules: PasswordRules,
    now: datetime,
    must_change: bool = False,
) -> Record:
    """Return the account with a new password: no lock, failure, expiry or token is left (I2)."""
    history: tuple[OldPassword, ...] = ()
    if record.password is not None:
        old = OldPassword(record.password.phc, record.password.changed_at)
        history = (old, *record.password.history)[: rules.history]
    password = Password(
        phc=phc, changed_at=now, set_by=set_by, must_change=must_change, history=history
    )
    return replace(unlocked(record), password=password, token=None)


def unlocked(record: Record) -> Record:
    """Return the account without lock and failures; expiry and password stay (I1)."""
    return replace(record, admin_lock=None, tally=cleared(record.tally))


def locked_by_admin(record: Record, lock_id: str, now: datetime) -> Record:
    """Return the account locked until an administrator unlocks it (Q8)."""
    lock = Lock(id=lock_id, cause=LockCause.BY_ADMIN, since=now)
    return replace(record, admin_lock=lock)


def expired_by_admin(record: Record, password: Password, now: datetime) -> Record:
    """Return the account with its password expired from now on, no longer good for a change."""
    return replace(record, password=replace(password, forced_at=now, must_change=False))


def suspended(record: Record, now: datetime) -> Record:
    """Return the account closed by an administrator; an open activation dies with it."""
    return replace(record, state=UserState.SUSPENDED, state_since=now, token=None)


def activated(record: Record, now: datetime) -> Record:
    """Return the account open from now on; a start to come or an end that has come is dropped."""
    ended = record.ends_at is not None and record.ends_at <= now
    return replace(
        record,
        state=UserState.ACTIVE,
        state_since=now,
        starts_at=None,
        ends_at=None if ended else record.ends_at,
    )


def scheduled(
    record: Record, *, starts_at: datetime | None, ends_at: datetime | None, now: datetime
) -> Record:
    """Return the account with other scheduled changes; None takes one away.

    A suspended account with a start to come waits for it as a staged one does.
    """
    record = replace(record, starts_at=starts_at, ends_at=ends_at)
    if starts_at is not None and record.state is UserState.SUSPENDED:
        return replace(record, state=UserState.STAGED, state_since=now)
    return record


def with_token(record: Record, token: Token) -> Record:
    """Return the account with a new activation token; the one before is worth nothing (R42)."""
    return replace(record, token=token)
