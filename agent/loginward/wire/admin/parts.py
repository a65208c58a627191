"""Values inside the rows of the admin socket. Datetimes are aware UTC."""

from datetime import datetime

import msgspec

from loginward.core.reasons import Reason
from loginward.core.status import (
    ExpiryCause,
    Lock,
    LockCause,
    PasswordStatus,
    StateCause,
    Status,
    UserState,
)


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value inside a row."""


class LockPart(Part, frozen=True, kw_only=True):
    """A lock in force: who or what set it, until when (None: until it is taken away)."""

    cause: LockCause
    since: datetime | None = None
    until: datetime | None = None
    source: str = ""
    failures: int = 0


class StatusPart(Part, frozen=True, kw_only=True):
    """An account at one moment, as `core.status.Status` says.

    Attributes:
        due_at: When the password falls due or fell due; None: never.
    """

    state: UserState
    state_cause: StateCause | None = None
    state_date: datetime | None = None
    headline: PasswordStatus
    statuses: tuple[PasswordStatus, ...]
    lock: LockPart | None = None
    due_at: datetime | None = None
    due_cause: ExpiryCause | None = None
    must_change: bool = False


def lock_part(lock: Lock) -> LockPart:
    """Return a lock as the wire carries it."""
    return LockPart(
        cause=lock.cause,
        since=lock.since,
        until=lock.until,
        source=lock.source,
        failures=lock.failures,
    )


def status_part(status: Status) -> StatusPart:
    """Return a status as the wire carries it, its statuses by rank."""
    lock, due = status.lock, status.due
    return StatusPart(
        state=status.state,
        state_cause=status.state_cause,
        state_date=status.state_date,
        headline=status.headline,
        statuses=tuple(one for one in _BY_RANK if one in status.statuses),
        lock=None if lock is None else lock_part(lock),
        due_at=None if due is None else due.at,
        due_cause=None if due is None else due.cause,
        must_change=status.must_change,
    )


_BY_RANK = (
    PasswordStatus.PENDING,
    PasswordStatus.LOCKED,
    PasswordStatus.EXPIRED,
    PasswordStatus.ACTIVE,
)


class SessionPart(Part, frozen=True, kw_only=True):
    """An open session that passed through this agent."""

    name: str
    service: str
    since: datetime
    tty: str = ""
    rhost: str = ""


class ServerPart(Part, frozen=True, kw_only=True):
    """A directory server as last seen."""

    name: str
    usable: bool
    last_ok_at: datetime | None = None
    last_problem: str = ""


class NotePart(Part, frozen=True, kw_only=True):
    """Something an operator should know of the daemon, and what can be done about it."""

    text: str
    hint: str = ""


class EndedLockPart(Part, frozen=True, kw_only=True):
    """The last lock of an account, which holds no more.

    Attributes:
        ended_at: When it ended, or was first seen to have ended.
        by: Who ended it, such as "root"; empty: it ended by itself, or elsewhere.
        verb: What they did, such as "unlock"; empty as `by`.
    """

    lock: LockPart
    ended_at: datetime
    by: str = ""
    verb: str = ""


class RefusalPart(Part, frozen=True, kw_only=True):
    """The last refusal of an account, as the audit trail has it.

    Attributes:
        reference: What the person was told, without a hyphen.
    """

    reference: str
    at: datetime
    reason: Reason
    service: str
    source: str = ""


class FactPart(Part, frozen=True, kw_only=True):
    """One fact behind a decision.

    Attributes:
        fact: One word: "state", "password", "lock", "failures", "groups", "copy" ...
        value: One or two words: "expired", "none", "unreadable".
        detail: What is known beyond the value, such as "changed 2026-08-22T08:00:00Z, max
            age 90 d"; may be empty.
        source: Where it was read: "embedded directory", "ldaps://ldap1...", "local tally".
        age_s: Seconds since it was read there; None: does not age (a setting).
        evidence: As the source spelt it, such as "pwdChangedTime=20260822080000Z".
    """

    fact: str
    value: str
    detail: str = ""
    source: str = ""
    age_s: float | None = None
    evidence: str = ""
