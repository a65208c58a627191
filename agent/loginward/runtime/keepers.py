"""Who counts an attempt: the directory, this agent, the offline tally, or a tally apart."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.core.attempts import AtLimit, Attempts, Granted, Outcome, Reserved
from loginward.core.commands import Means, Reserve, Settle
from loginward.core.owner import Owner, owner_of
from loginward.core.readings import Copy, Fresh
from loginward.core.status import LockCause
from loginward.errors import StoreFault
from loginward.store.attempts import DurableAttempts, OfflineAttempts, resource, screen
from loginward.store.inflight import InFlightAttempts
from loginward.store.record import AGENT, OFFLINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.core.facts import AccountFacts, LockoutPolicy
    from loginward.core.status import Lock
    from loginward.runtime.cases import Case
    from loginward.runtime.in_force import Configuration, InForce
    from loginward.store.store import Store

_log = logging.getLogger(__name__)
SPARED = 2  # what a lock screen leaves of a directory's limit to the other doors


class Keepers:
    """Finds the keepers of an attempt, and the locks that this agent keeps for an account.

    Args:
        embedded: The embedded directory, which counts in its own transaction; None: LDAP.

    Attributes:
        on_lock: Told of an account when a lock of ours came or what we counted was cleared.
    """

    def __init__(
        self, configuration: Configuration, clock: Clock, store: Store, embedded: Attempts | None
    ) -> None:
        self._configuration = configuration
        self._store = store
        self._embedded = embedded
        self.in_flight = InFlightAttempts(clock)
        self._offline = OfflineAttempts(
            store, lambda: configuration.current.settings.policy.offline.max_failures
        )
        self._lock = threading.Lock()
        self._durable: dict[str, DurableAttempts] = {OFFLINE: self._offline}
        self._seen_counting = False
        self.on_lock: Callable[[str], None] = lambda _: None

    def owner(self, account: AccountFacts, in_force: InForce) -> Owner:
        """Return whose lockout governs this account."""
        if self._embedded is not None:
            return Owner.DIRECTORY
        return owner_of(in_force.owner, account, seen_counting=self._seen_counting)

    def notice(self, account: AccountFacts) -> None:
        """Learn from facts whether a directory with an unreadable policy counts after all."""
        by_directory = {LockCause.THRESHOLD, LockCause.BY_DIRECTORY}
        if account.failures or any(lock.cause in by_directory for lock in account.locks):
            self._seen_counting = True

    def lock_of(self, reading: Fresh | Copy, in_force: InForce) -> Lock | None:
        """Return the lock that this agent adds to what was read.

        Online an offline lock is not applied, but not forgotten either.

        Raises:
            StoreFault: What is kept cannot be believed: refuse.
        """
        account = reading.facts
        if self._embedded is not None:
            return None
        own = None
        if self.owner(account, in_force) is Owner.AGENT:
            own = self._store.lock_of(account.account_id, AGENT)
        if own is None and isinstance(reading, Copy):
            return self._store.lock_of(account.account_id, OFFLINE)
        return own

    def with_own_lock(self, account: AccountFacts) -> AccountFacts:
        """Return facts read now with the lock that this agent itself keeps on the account."""
        try:
            lock = self.lock_of(Fresh(account), self._configuration.current)
        except StoreFault:
            return account
        return account if lock is None else replace(account, locks=(*account.locks, lock))

    def reserve(self, command: Reserve, case: Case, *, late: bool = False) -> Reserved:
        """Reserve one attempt with every keeper it concerns; all grant, or none keeps it.

        `late`: the password has been checked already.
        """
        account = command.reading.facts
        case.held.clear()
        try:
            for keeper, policy in self._of(account, command.means, case):
                reserved = keeper.reserve(account, case.source, policy, late=late)
                if not isinstance(reserved, Granted):
                    self.release(account, case)
                    return reserved
                case.held.append((keeper, reserved.reservation))
        except StoreFault as fault:
            _log.warning("an attempt could not be counted: %s", fault.problem)
            self.release(account, case)
            return AtLimit(in_flight=0)
        return Granted("held")

    def in_memory_alone(self, account: AccountFacts, case: Case) -> bool:
        """Return whether an attempt of a trusted peer is counted in memory alone, by `in_flight`."""
        return self._embedded is None and self.owner(account, case.in_force) is Owner.DIRECTORY

    def settle(self, command: Settle, case: Case) -> Lock | None:
        """End the attempt with every keeper that holds it; return the lock it tripped."""
        return self._end(command.reading.facts, case, command.outcome)

    def cleared(self, account_id: str, until: datetime | None = None) -> bool:
        """End our own locks after an unlock or reset; return whether there was anything.

        What came after `until`, where that is given, stays.
        """
        self.in_flight.clear(account_id, until)
        had = self._store.clear_tallies(account_id, until)
        if had:
            self.on_lock(account_id)
        return had

    def release(self, account: AccountFacts, case: Case) -> None:
        """Give back what is reserved for a check that came to nothing."""
        self._end(account, case, Outcome.NO_VERDICT)

    def _end(self, account: AccountFacts, case: Case, outcome: Outcome) -> Lock | None:
        tripped: Lock | None = None
        held = tuple(case.held)
        case.held.clear()  # what a fault cuts short from here on stays reserved: it may have failed
        for keeper, reservation in held:
            try:
                tripped = keeper.settle(account, reservation, outcome) or tripped
            except StoreFault as fault:
                _log.warning("an attempt could not be settled: %s", fault.problem)
        if tripped is not None:
            self.on_lock(account.account_id)
        return tripped

    def _of(
        self, account: AccountFacts, means: Means, case: Case
    ) -> list[tuple[Attempts, LockoutPolicy]]:
        """Return the keepers of an attempt, each with the policy it counts by."""
        peer, ours = case.request.peer, case.in_force.lockout
        if means is Means.KEPT:
            return [(self._kept_at(case), ours)]
        if means is Means.VERIFIER:
            return [(self._offline, ours)]
        if self.owner(account, case.in_force) is Owner.AGENT:
            name = AGENT if peer.uid == 0 or peer.named else screen(peer.uid)
            return [(self._by_name(name), ours)]
        policy = account.lockout or ours
        counted = self._embedded or self.in_flight
        if peer.uid == 0 or peer.named:
            return [(counted, policy)]
        spared = replace(policy, threshold=max(1, policy.threshold - SPARED))
        apart = (self._by_name(screen(peer.uid)), spared)
        return [apart] if self._embedded is not None else [apart, (self.in_flight, policy)]

    def _kept_at(self, case: Case) -> DurableAttempts:
        return self._by_name(resource(case.resource))

    def _by_name(self, name: str) -> DurableAttempts:
        with self._lock:
            keeper = self._durable.get(name)
            if keeper is None:
                keeper = self._durable[name] = DurableAttempts(self._store, name)
            return keeper
