"""What a directory or a copy says about an account, with its evidence; statuses follow from it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loginward.core.status import (
    DueDate,
    Lock,
    PasswordStatus,
    StateCause,
    Status,
    UserState,
)


class Origin(enum.Enum):
    """Where a fact was read."""

    ATTRIBUTE = "attribute"
    CONTROL = "control"
    BIND_RESULT = "bind-result"
    LOCAL_TALLY = "local-tally"
    COPY = "copy"
    POLICY = "policy"
    EMBEDDED = "embedded"


class Fact(enum.Enum):
    """What a piece of evidence speaks of; also what may be unreadable."""

    STATE = "state"
    PASSWORD = "password"  # noqa: S105  whether one is set, not a password
    EXPIRY = "expiry"
    MUST_CHANGE = "must-change"
    LOCK = "lock"
    FAILURES = "failures"
    LOCKOUT_POLICY = "lockout-policy"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The raw reading behind a fact, for `why`; never a secret.

    Attributes:
        said: As the source spelt it, such as "pwdAccountLockedTime=20261124080000Z".
    """

    fact: Fact
    origin: Origin
    said: str


@dataclass(frozen=True, slots=True)
class LockoutPolicy:
    """When wrong passwords lock, and for how long.

    Attributes:
        threshold: The n-th counted failure locks; at least 1.
        window_s: Failures older than this are forgotten; None: never.
        duration_s: How long a lock lasts; None: until an administrator unlocks.
    """

    threshold: int
    window_s: int | None
    duration_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """Everything read about one account at one moment. All datetimes are aware UTC.

    Attributes:
        account_id: The entry's stable id (entryUUID, objectGUID, nsUniqueId; embedded: its own).
        name: The login name as the directory spells it.
        ref: How the directory finds the entry again: the DN, or the embedded id.
        read_at: When it was read from the directory.
        state: What an administrator set; `starts_at` and `ends_at` may override it.
        removed: Once known, no longer in the directory.
        has_password: None where that cannot be read.
        changed_at: When the password was last changed; None if never or unreadable.
        due: Every date at which the password falls due.
        locks: Every lock known, in force or outlived.
        failures: Times of the failures that the directory counted; None where unreadable.
        counts: Whether the directory counts failures and locks; None where unreadable.
        lockout: The directory's own lockout policy, where it counts and can be read.
        grace_left: Logins that the directory still allows past expiry.
        can_change_expired: Whether an expired password can still authorise its own change.
        warn_s: How long before a due date to warn; None: the agent's own setting.
        min_length: The shortest new password that the directory takes; None: it does not say.
        pass_through: The password is checked elsewhere ({SASL}); repeats cannot be judged.
        unreadable: Facts that could not be read: unknown, never "fine".
    """

    account_id: str
    name: str
    ref: str = ""
    read_at: datetime
    state: UserState = UserState.ACTIVE
    state_since: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    removed: bool = False
    has_password: bool | None = True
    changed_at: datetime | None = None
    due: tuple[DueDate, ...] = ()
    must_change: bool = False
    locks: tuple[Lock, ...] = ()
    failures: tuple[datetime, ...] | None = ()
    counts: bool | None = None
    lockout: LockoutPolicy | None = None
    grace_left: int = 0
    can_change_expired: bool = False
    warn_s: int | None = None
    min_length: int | None = None
    pass_through: bool = False
    groups: frozenset[str] = frozenset()
    unreadable: frozenset[Fact] = frozenset()
    evidence: tuple[Evidence, ...] = ()


_ACTIVE_ALONE: Final = frozenset({PasswordStatus.ACTIVE})


def status_at(facts: AccountFacts, now: datetime) -> Status:
    """Return what the account is at `now`; no sweep job has to have run (R02, I11)."""
    state, cause, date = _state_at(facts, now)
    lock = _lock_at(facts, now)
    due = min(facts.due, key=lambda due: due.at) if facts.due else None
    held = set[PasswordStatus]()
    if facts.has_password is False:
        held.add(PasswordStatus.PENDING)
    elif due is not None and due.at <= now:
        held.add(PasswordStatus.EXPIRED)
    if lock is not None:
        held.add(PasswordStatus.LOCKED)
    return Status(
        state=state,
        state_cause=cause,
        state_date=date,
        statuses=frozenset(held) if held else _ACTIVE_ALONE,
        lock=lock,
        due=due,
        must_change=facts.must_change and facts.has_password is not False,
    )


def _state_at(
    facts: AccountFacts, now: datetime
) -> tuple[UserState, StateCause | None, datetime | None]:
    if facts.removed:
        return UserState.SUSPENDED, StateCause.REMOVED, None
    if facts.state is UserState.SUSPENDED:
        return UserState.SUSPENDED, StateCause.BY_ADMIN, facts.state_since
    if facts.ends_at is not None and facts.ends_at <= now:
        return UserState.SUSPENDED, StateCause.ENDED, facts.ends_at
    if facts.starts_at is not None:
        if now < facts.starts_at:
            return UserState.STAGED, StateCause.NOT_STARTED, facts.starts_at
        return UserState.ACTIVE, None, None  # the scheduled start has come
    if facts.state is UserState.STAGED:
        return UserState.STAGED, StateCause.BY_ADMIN, facts.state_since
    return UserState.ACTIVE, None, None


def _lock_at(facts: AccountFacts, now: datetime) -> Lock | None:
    """Return the lock in force that lasts longest; one without an end outlasts all."""
    if not facts.locks:
        return None
    held = [lock for lock in facts.locks if lock.holds(now)]
    endless = [lock for lock in held if lock.until is None]
    if endless:
        return endless[0]
    return max(held, key=lambda lock: lock.until or now, default=None)
