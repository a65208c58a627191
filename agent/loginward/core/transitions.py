"""What changed about an account between two moments, whether it was read or time passed."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Final

from loginward.core.facts import AccountFacts, status_at
from loginward.core.status import LockCause, PasswordStatus, StateCause, Status, UserState

# What `status_at` and the transitions look at.
_STANDING: Final = attrgetter(
    "state", "state_since", "starts_at", "ends_at", "removed",
    "has_password", "changed_at", "due", "must_change", "locks",
)  # fmt: skip


class Transition(enum.Enum):
    """One thing that happened to an account; each is one audit event."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    EXPIRED = "expired"
    RESET = "reset"  # the password was changed, by whomever
    SUSPENDED = "suspended"
    ACTIVATED = "activated"
    REMOVED = "removed"


class Bar(enum.Enum):
    """What ends the sessions that an account has elsewhere (`doors.radius.disconnect_on`)."""

    SUSPENDED = "suspended"
    LOCKED_BY_ADMIN = "locked-by-admin"


@dataclass(frozen=True, slots=True)
class Moved:
    """Two states of an account, one after the other, each judged at its own moment (aware UTC)."""

    before: AccountFacts
    then: datetime
    after: AccountFacts
    now: datetime

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """What happened from one to the other.

        A lock that ended by itself and a password that fell due are found as well as what was
        written. All locks ended and another begun (I8) are an unlock and a lock; one that comes on
        top of another is a lock and no unlock. Time changes nothing about an account that was
        removed.
        """
        before, after = self.before, self.after
        if before.removed and after.removed:
            return ()
        was, is_now = status_at(before, self.then), status_at(after, self.now)
        found = list(_of_state(was, is_now))
        if _is_changed(before, after):
            found.append(Transition.RESET)
        found += _of_locks(_locks(before, self.then), _locks(after, self.now))
        if _newly(PasswordStatus.EXPIRED, was, is_now):
            found.append(Transition.EXPIRED)
        return tuple(found)

    def bar(self, transition: Transition) -> Bar | None:
        """Return what a transition of these bars the account by; None: its sessions may go on.

        A lock by guesses bars nobody: whoever knows a name could end that person's sessions.
        """
        if transition in {Transition.SUSPENDED, Transition.REMOVED}:
            return Bar.SUSPENDED
        if transition is not Transition.LOCKED:
            return None
        begun = _admin_locks(self.after, self.now) - _locks(self.before, self.then)
        return Bar.LOCKED_BY_ADMIN if begun else None

    def clears_until(self, transition: Transition) -> datetime:
        """Return until when what was counted falls to a transition of these (aware UTC).

        To an unlock until the lock was last seen: nothing is counted under one, and what came after
        it is counted anew. To a reset until it was read.
        """
        if transition is Transition.UNLOCKED:
            return self.then
        return min(self.now, self.after.read_at)


def bare(facts: AccountFacts) -> AccountFacts:
    """Return only what transitions follow from, so that many accounts can be kept."""
    return replace(
        facts, groups=frozenset(), failures=(), lockout=None, unreadable=frozenset(), evidence=()
    )


def is_alike(one: AccountFacts, other: AccountFacts) -> bool:
    """Return whether no transition, now or later, can tell two readings of an account apart."""
    return _STANDING(one) == _STANDING(other)


def moments_of(facts: AccountFacts) -> tuple[datetime, ...]:
    """Return every moment (aware UTC) at which time alone changes what the account is."""
    ends = (lock.until for lock in facts.locks)
    dates = (*ends, *(due.at for due in facts.due), facts.starts_at, facts.ends_at)
    return tuple(at for at in dates if at is not None)


def over_time(
    before: AccountFacts, then: datetime, after: AccountFacts, now: datetime
) -> tuple[Moved, ...]:
    """Return the steps between two readings: time by itself, moment by moment, then what was read.

    So a start and an end that both came since the last look are two transitions.
    """
    steps = []
    for at in sorted({at for at in moments_of(before) if then < at < now}):
        steps.append(Moved(before, then, before, at))
        then = at
    return (*steps, Moved(before, then, after, now))


def _of_state(was: Status, is_now: Status) -> tuple[Transition, ...]:
    removed = is_now.state_cause is StateCause.REMOVED
    if removed and was.state_cause is not StateCause.REMOVED:
        return (Transition.REMOVED,)
    if was.state is is_now.state:
        return ()
    if is_now.state is UserState.ACTIVE:
        return (Transition.ACTIVATED,)
    return (Transition.SUSPENDED,) if is_now.state is UserState.SUSPENDED else ()


def _locks(facts: AccountFacts, now: datetime) -> frozenset[str]:
    return frozenset(lock.id for lock in facts.locks if lock.holds(now))


def _admin_locks(facts: AccountFacts, now: datetime) -> frozenset[str]:
    return frozenset(
        lock.id for lock in facts.locks if lock.holds(now) and lock.cause is LockCause.BY_ADMIN
    )


def _of_locks(were: frozenset[str], are: frozenset[str]) -> tuple[Transition, ...]:
    unlocked = (Transition.UNLOCKED,) if were and not were & are else ()
    return (*unlocked, Transition.LOCKED) if are - were else unlocked


def _newly(status: PasswordStatus, was: Status, is_now: Status) -> bool:
    return status in is_now.statuses and status not in was.statuses


def _is_changed(before: AccountFacts, after: AccountFacts) -> bool:
    if after.changed_at is None:
        return False
    return before.changed_at is None or after.changed_at > before.changed_at
