"""What the article says becomes of an account, as a model that real directories are held to.

Source: the seed article and the state machine of requirements section 5. Nothing here is used by
the program: a directory writes its own entry, and reads it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause, UserState

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.facts import AccountFacts


def unlock(facts: AccountFacts, now: datetime) -> AccountFacts:
    """Every lock and failure is gone; nothing else moves (I1, R10)."""
    del now
    return replace(facts, locks=(), failures=())


def reset(facts: AccountFacts, now: datetime) -> AccountFacts:
    """A new password: no lock, no failure, no expiry, no temporary one (I2, R09)."""
    return replace(unlock(facts, now), has_password=True, changed_at=now, due=(), must_change=False)


def set_temporary(facts: AccountFacts, now: datetime) -> AccountFacts:
    """A new password that the next login must change (R40)."""
    return replace(reset(facts, now), must_change=True)


def expire(facts: AccountFacts, now: datetime) -> AccountFacts:
    """Expired from now on, by an administrator, whatever date there was."""
    return replace(facts, due=(*facts.due, DueDate(now, ExpiryCause.BY_ADMIN)))


def lock(facts: AccountFacts, now: datetime) -> AccountFacts:
    """Locked until an administrator unlocks (Q8)."""
    held = Lock(id="by-admin", cause=LockCause.BY_ADMIN, since=now)
    return replace(facts, locks=(*facts.locks, held))


def suspend(facts: AccountFacts, now: datetime) -> AccountFacts:
    """Closed; the password and its statuses stay."""
    return replace(facts, state=UserState.SUSPENDED, state_since=now)


def activate(facts: AccountFacts, now: datetime) -> AccountFacts:
    """Open, if there is still an entry."""
    return replace(facts, state=UserState.ACTIVE, state_since=now, starts_at=None, ends_at=None)
