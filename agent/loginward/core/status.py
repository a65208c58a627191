"""What an account is at one moment: one user state and a set of password statuses.

Source: the seed article (password statuses pending, active, expired, locked; user states staged,
active, suspended).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class UserState(enum.Enum):
    """Whether the person may use anything at all."""

    STAGED = "staged"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class StateCause(enum.Enum):
    """Why a user state is not active."""

    BY_ADMIN = "by-admin"
    NOT_STARTED = "not-started"
    ENDED = "ended"
    REMOVED = "removed"  # a name once known that the directory no longer has


class PasswordStatus(enum.Enum):
    """One of the four statuses; several may hold at once.

    Hashed as any object is: a member is one, and a login looks into sets of them often.
    """

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"
    LOCKED = "locked"

    __hash__ = object.__hash__


class ExpiryCause(enum.Enum):
    """Why a password falls due (R14)."""

    AGING = "aging"
    POLICY_DEADLINE = "policy-deadline"
    BY_ADMIN = "by-admin"


class LockCause(enum.Enum):
    """Who or what locked the account (R16)."""

    THRESHOLD = "threshold"
    BY_ADMIN = "by-admin"
    BY_DIRECTORY = "by-directory"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One lock, with its own id, so that a timer for another lock cannot end it (I8).

    Attributes:
        since: Aware UTC; None where the directory does not say.
        until: Aware UTC; None holds until an administrator unlocks.
        source: Door and device that tripped it, such as "sshd 203.0.113.7"; empty if unknown.
        failures: Counted failures that tripped it; 0 where unknown.
    """

    id: str
    cause: LockCause
    since: datetime | None = None
    until: datetime | None = None
    source: str = ""
    failures: int = 0

    def holds(self, now: datetime) -> bool:
        """Return whether the lock is in force at `now`."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class DueDate:
    """A moment (aware UTC) from which the password is expired, and why."""

    at: datetime
    cause: ExpiryCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """An account at one moment.

    Attributes:
        statuses: Never empty; {ACTIVE} alone when nothing else holds; PENDING excludes others
            but LOCKED.
        state_date: The start or end date behind NOT_STARTED and ENDED.
        lock: The lock that lasts longest of those in force.
        due: The due date in force, or the next one where not expired; None never expires.
        must_change: A temporary password: the next login must change it.
    """

    state: UserState
    state_cause: StateCause | None = None
    state_date: datetime | None = None
    statuses: frozenset[PasswordStatus]
    lock: Lock | None = None
    due: DueDate | None = None
    must_change: bool = False

    @property
    def headline(self) -> PasswordStatus:
        """Return the one status to show: pending, locked, expired, active in that order (R01)."""
        for status in (PasswordStatus.PENDING, PasswordStatus.LOCKED, PasswordStatus.EXPIRED):
            if status in self.statuses:
                return status
        return PasswordStatus.ACTIVE
