"""Records to column values and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from loginward.core.lockout import Failure, Pending, Tally
from loginward.core.names import index_form
from loginward.core.status import Lock, LockCause, UserState
from loginward.directory.embedded.record import OldPassword, Password, Record, SetBy, Token

Row = tuple[Any, ...]  # SQLite's values are as the columns of `schema` say
# Of `account`, `password`, `token`, `tally`; plain tuples, which Python's collector leaves alone.
Rows = tuple[Row, Row | None, Row | None, Row | None]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
RECORD_COLUMNS: Final = """
    account.id, name, display_name, mail, recovery, groups, created_at, state, state_since,
    starts_at, ends_at, admin_lock_id, admin_lock_since,
    phc, changed_at, set_by, must_change, forced_at, outdated, history,
    digest, expires_at,
    epoch, failures, pending, lock_id, lock_since, lock_until, lock_source, lock_failures
"""
TALLY_COLUMNS: Final = (
    "epoch, failures, pending, lock_id, lock_since, lock_until, lock_source, lock_failures"
)
_NOTHING: Final = "[]"
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def moment(at: datetime) -> int:
    """Return a moment (aware UTC) as kept: microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def when(kept: int) -> datetime:
    """Return a kept moment as aware UTC."""
    return EPOCH + kept * MICROSECOND


def maybe_moment(at: datetime | None) -> int | None:
    """Return a moment as kept, if there is one."""
    return None if at is None else moment(at)


def maybe_when(kept: int | None) -> datetime | None:
    """Return a kept moment, if there is one."""
    return None if kept is None else when(kept)


def rows_of(record: Record) -> Rows:
    """Return the rows of one account in the four tables."""
    return (
        account_row(record),
        None if record.password is None else password_row(record.id, record.password),
        None if record.token is None else token_row(record.id, record.token),
        None if record.tally == Tally() else tally_row(record.id, record.tally),
    )


def account_row(record: Record) -> Row:
    """Return the columns of `account`, in order."""
    lock = record.admin_lock
    return (
        record.id,
        record.name,
        index_form(record.name),
        record.display_name,
        record.mail,
        record.recovery,
        _json(sorted(record.groups)),
        moment(record.created_at),
        record.state.value,
        maybe_moment(record.state_since),
        maybe_moment(record.starts_at),
        maybe_moment(record.ends_at),
        None if lock is None else lock.id,
        None if lock is None else maybe_moment(lock.since),
    )


def password_row(account_id: str, password: Password) -> Row:
    """Return the columns of `password`, in order."""
    return (
        account_id,
        password.phc,
        moment(password.changed_at),
        password.set_by.value,
        password.must_change,
        maybe_moment(password.forced_at),
        password.outdated,
        _json([[old.phc, moment(old.changed_at)] for old in password.history]),
    )


def token_row(account_id: str, token: Token) -> Row:
    """Return the columns of `token`, in order."""
    return account_id, token.digest, moment(token.expires_at)


def tally_row(account_id: str, tally: Tally) -> Row:
    """Return the columns of `tally`, in order."""
    lock = tally.lock
    return (
        account_id,
        tally.epoch,
        _json([[moment(f.at), f.source] for f in tally.failures]),
        _json([[p.reservation, moment(p.at), p.source, p.recovered] for p in tally.pending]),
        None if lock is None else lock.id,
        None if lock is None else maybe_moment(lock.since),
        None if lock is None else maybe_moment(lock.until),
        "" if lock is None else lock.source,
        0 if lock is None else lock.failures,
    )


def record_of(row: Row) -> Record:
    """Return the record of RECORD_COLUMNS."""
    account_id, name, display_name, mail, recovery, groups, created_at, state = row[:8]
    state_since, starts_at, ends_at, lock_id, lock_since = row[8:13]
    lock = Lock(id=lock_id, cause=LockCause.BY_ADMIN, since=maybe_when(lock_since))
    digest, token_ends = row[20:22]
    return Record(
        id=account_id,
        name=name,
        display_name=display_name,
        mail=mail,
        recovery=recovery,
        groups=frozenset(_list(groups)),
        created_at=when(created_at),
        state=UserState(state),
        state_since=maybe_when(state_since),
        starts_at=maybe_when(starts_at),
        ends_at=maybe_when(ends_at),
        admin_lock=None if lock_id is None else lock,
        password=None if row[13] is None else _password_of(row[13:20]),
        token=None if digest is None else Token(digest, when(token_ends)),
        tally=Tally() if row[22] is None else tally_of(row[22:30]),
    )


def tally_of(row: Row) -> Tally:
    """Return the tally of TALLY_COLUMNS."""
    epoch, failures, pending, lock_id, lock_since, lock_until, lock_source, lock_failures = row
    lock = Lock(
        id=lock_id,
        cause=LockCause.THRESHOLD,
        since=maybe_when(lock_since),
        until=maybe_when(lock_until),
        source=lock_source,
        failures=lock_failures,
    )
    return Tally(
        failures=tuple(Failure(when(at), source) for at, source in _list(failures)),
        pending=tuple(
            Pending(reservation, when(at), source, recovered)
            for reservation, at, source, recovered in _list(pending)
        ),
        lock=None if lock_id is None else lock,
        epoch=epoch,
    )


def _password_of(row: Row) -> Password:
    phc, changed_at, set_by, must_change, forced_at, outdated, history = row
    return Password(
        phc=phc,
        changed_at=when(changed_at),
        set_by=SetBy(set_by),
        must_change=bool(must_change),
        forced_at=maybe_when(forced_at),
        outdated=bool(outdated),
        history=tuple(OldPassword(old, when(at)) for old, at in _list(history)),
    )


def _list(text: str) -> list[Any]:
    return [] if text == _NOTHING else list(json.loads(text))  # most are empty, and parsing costs
