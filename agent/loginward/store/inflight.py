"""Attempts that a directory counts: only those in flight, in memory.

Parallel wrong binds get past a directory's own counter (measured: 6 of 40 with a limit of 5), so
no more are sent at once than it has left. Whether the account is locked stays the directory's word.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome, Reserved
from loginward.core.status import Lock, LockCause

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.core.facts import AccountFacts, LockoutPolicy

_ACCOUNTS: Final = 20_000


@dataclass(slots=True)
class _Flights:
    """What this process knows of one account: attempts in flight, and those it saw fail."""

    in_flight: dict[str, str]  # reservation: source
    wrong: list[datetime]


class InFlightAttempts:
    """Counts attempts in flight of accounts whose directory owns the lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._accounts = OrderedDict[str, _Flights]()

    def reserve(
        self, account: AccountFacts, source: str, policy: LockoutPolicy, *, late: bool = False
    ) -> Reserved:
        """Reserve one attempt of those that the directory has left.

        Failures that this process saw after the facts were read are added to those in the facts,
        at whichever server they were: with those the directory has locked, unless its servers
        count apart; then the next reading says so.
        """
        now = self._clock.now()
        with self._lock:
            flights = self._flights(account.account_id, policy, now)
            since = [at for at in flights.wrong if _is_unread(account, at)]
            failed = len(_recent(account.failures or (), policy, now)) + len(since)
            if account.failures is not None and since and failed >= policy.threshold:
                return LockedNow(_presumed(policy, source, failed, now))
            spent = failed + len(flights.in_flight)
            if flights.in_flight and spent >= policy.threshold and not late:
                return AtLimit(in_flight=len(flights.in_flight))
            reservation = f"memory.{next(self._numbers)}"
            flights.in_flight[reservation] = source
            return Granted(reservation)

    def settle(self, account: AccountFacts, reservation: str, outcome: Outcome) -> Lock | None:
        """End a reservation; the lock is the directory's to report. Idempotent."""
        now = self._clock.now()
        with self._lock:
            flights = self._accounts.get(account.account_id)
            if flights is None or flights.in_flight.pop(reservation, None) is None:
                return None
            if outcome is Outcome.WRONG:
                flights.wrong.append(now)
            elif outcome is Outcome.ALLOWED:
                flights.wrong.clear()  # the directory forgets them as well
            if not flights.in_flight and not flights.wrong:
                del self._accounts[account.account_id]
        return None

    def clear(self, account_id: str, until: datetime | None = None) -> None:
        """Forget the failures seen, after an unlock or a reset; those after `until` stay."""
        with self._lock:
            flights = self._accounts.get(account_id)
            if flights is not None:
                flights.wrong = [at for at in flights.wrong if until is not None and at > until]

    def _flights(self, account_id: str, policy: LockoutPolicy, now: datetime) -> _Flights:
        flights = self._accounts.setdefault(account_id, _Flights({}, []))
        self._accounts.move_to_end(account_id)
        flights.wrong = _recent(flights.wrong, policy, now)[-policy.threshold :]
        if len(self._accounts) > _ACCOUNTS:
            idle = next((key for key, one in self._accounts.items() if not one.in_flight), None)
            if idle is not None:
                del self._accounts[idle]
        return flights


def _is_unread(account: AccountFacts, at: datetime) -> bool:
    """Return whether a failure cannot be in the facts yet; where none are readable, none is."""
    return account.failures is None or at >= account.read_at


def _recent(
    moments: tuple[datetime, ...] | list[datetime], policy: LockoutPolicy, now: datetime
) -> list[datetime]:
    if policy.window_s is None:
        return list(moments)
    return [at for at in moments if now - at < timedelta(seconds=policy.window_s)]


def _presumed(policy: LockoutPolicy, source: str, failures: int, now: datetime) -> Lock:
    until = None if policy.duration_s is None else now + timedelta(seconds=policy.duration_s)
    return Lock(
        id="directory",
        cause=LockCause.BY_DIRECTORY,
        since=now,
        until=until,
        source=source,
        failures=failures,
    )
