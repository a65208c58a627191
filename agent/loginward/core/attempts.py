"""Attempts: reserved before a password is checked, settled after (R15, I6)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts, LockoutPolicy
    from loginward.core.status import Lock


class Outcome(enum.Enum):
    """How an attempt ended."""

    ALLOWED = "allowed"  # proven and let in: failures are forgotten
    PROVEN = "proven"  # right password, not let in (expired, code): released, nothing cleared
    WRONG = "wrong"  # counted
    NO_VERDICT = "no-verdict"  # released


@dataclass(frozen=True, slots=True)
class Granted:
    """The password may be checked now."""

    reservation: str


@dataclass(frozen=True, slots=True)
class AtLimit:
    """As many attempts are in flight as are left; wait for one of them to settle.

    With none in flight nothing can be counted at all, and there is nothing to wait for.
    """

    in_flight: int


@dataclass(frozen=True, slots=True)
class LockedNow:
    """The tally is full or the account has been locked meanwhile."""

    lock: Lock


Reserved = Granted | AtLimit | LockedNow


class Attempts(Protocol):
    """A keeper of attempts: the embedded directory, the store, or memory (directory-owned)."""

    def reserve(
        self, account: AccountFacts, source: str, policy: LockoutPolicy, *, late: bool = False
    ) -> Reserved:
        """Reserve one attempt, durably where this keeper owns the lock.

        `late`: the password has been checked already, so it is taken whatever is in flight.
        """

    def settle(self, account: AccountFacts, reservation: str, outcome: Outcome) -> Lock | None:
        """End a reservation; return the lock if this failure tripped it. Idempotent."""
