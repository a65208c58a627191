"""Attempts that this host counts: each is durable before its password is checked (I6).

One class serves every tally of an account: that of locks which are ours online, the offline one,
those of lock screens (by uid) and of resources that keep people in. They never mix.
"""

from __future__ import annotations

import itertools
import os
import secrets
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from loginward.core import lockout
from loginward.core.attempts import Granted, Outcome, Reserved
from loginward.core.facts import LockoutPolicy
from loginward.store.ledger import undoubted
from loginward.store.record import AGENT, OFFLINE, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.facts import AccountFacts
    from loginward.core.lockout import Tally
    from loginward.core.status import Lock
    from loginward.store.store import Store

_IN_FLIGHT: Final = 20_000


def screen(uid: int) -> str:
    """Return the keeper of what a lock screen of that uid gets wrong."""
    return f"screen {uid}"


def resource(name: str) -> str:
    """Return the keeper of what is got wrong at a resource with `keep_while`."""
    return f"resource {name}"


class DurableAttempts:
    """Reserves and settles in the sealed rows.

    Where nothing can be written it counts in memory, and the store notes the fault. Every call
    raises StoreFault where what was counted cannot be believed (Tampered, Doubtful) or the file
    cannot be used: then nobody is let in.
    """

    def __init__(self, store: Store, keeper: str = AGENT) -> None:
        self._store = store
        self._keeper = keeper
        # Reservations of another process are told by their prefix: that process is gone.
        self._prefix = f"{os.getpid()}-{secrets.token_hex(4)}."
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._policies = OrderedDict[str, LockoutPolicy]()

    def reserve(
        self, account: AccountFacts, source: str, policy: LockoutPolicy, *, late: bool = False
    ) -> Reserved:
        """Reserve one attempt, durably; raises StoreFault as the class says."""
        reservation = f"{self._prefix}{next(self._numbers)}"
        now = self._store.time.now()

        def change(prior: Record | None) -> tuple[Record | None, Reserved]:
            record = Record(facts=account, generation=1) if prior is None else undoubted(prior)
            tally, reserved = lockout.reserve(
                self._recovered(record.tally(self._keeper)),
                reservation=reservation,
                source=source,
                policy=policy,
                now=now,
                late=late,
            )
            if not isinstance(reserved, Granted):
                return prior, reserved
            return self._reserved(record.with_tally(self._keeper, tally)), reserved

        reserved = self._store.ledger.change(account.account_id, change)
        if isinstance(reserved, Granted):
            self._remember(reservation, policy)
        return reserved

    def settle(self, account: AccountFacts, reservation: str, outcome: Outcome) -> Lock | None:
        """End a reservation, durably; return the lock that this failure tripped. Idempotent."""
        with self._lock:
            policy = self._policies.pop(reservation, None)
        if policy is None:
            return None
        now, lock_id = self._store.time.now(), secrets.token_hex(8)

        def change(prior: Record | None) -> tuple[Record | None, Lock | None]:
            if prior is None:
                return None, None
            before = prior.tally(self._keeper)
            if all(pending.reservation != reservation for pending in before.pending):
                return prior, None
            tally, lock = lockout.settle(
                before,
                reservation=reservation,
                outcome=outcome,
                lock_id=lock_id,
                policy=policy,
                now=now,
            )
            after = self._settled(prior.with_tally(self._keeper, tally), outcome)
            return replace(after, generation=after.generation + (lock is not None)), lock

        return self._store.ledger.change(account.account_id, change)

    def _reserved(self, record: Record) -> Record:
        return record

    def _settled(self, record: Record, outcome: Outcome) -> Record:  # noqa: ARG002  for offline
        return record

    def _recovered(self, tally: Tally) -> Tally:
        """Return the tally with what other processes left in flight marked so."""
        mine = tuple(p for p in tally.pending if p.reservation.startswith(self._prefix))
        if len(mine) == len(tally.pending):
            return tally
        others = tuple(p for p in tally.pending if p not in mine)
        left = lockout.recovered(replace(tally, pending=others))
        return replace(tally, pending=(*left.pending, *mine))

    def _remember(self, reservation: str, policy: LockoutPolicy) -> None:
        with self._lock:
            self._policies[reservation] = policy
            while len(self._policies) > _IN_FLIGHT:
                self._policies.popitem(last=False)


class OfflineAttempts(DurableAttempts):
    """Attempts against the verifier, which also has a count of its own that no clock ends.

    Args:
        max_failures: Returns how many wrong passwords since the last one proven online are
            borne; the next destroys the verifier. An attempt that never settled (power cut) is one of them.
    """

    def __init__(self, store: Store, max_failures: Callable[[], int]) -> None:
        super().__init__(store, OFFLINE)
        self._max_failures = max_failures

    def settle(self, account: AccountFacts, reservation: str, outcome: Outcome) -> Lock | None:
        """End a reservation; a verifier that it destroys leaves no trace in the log."""
        lock = super().settle(account, reservation, outcome)
        if outcome is Outcome.WRONG:
            record = self._store.ledger.record(account.account_id)
            if record is not None and record.guesses > self._max_failures():
                self._store.file.purge()
        return lock

    def _reserved(self, record: Record) -> Record:
        if record.guesses > self._max_failures():
            record = replace(record, verifier=None, retired=())
        return replace(record, guesses=record.guesses + 1)

    def _settled(self, record: Record, outcome: Outcome) -> Record:
        if outcome is not Outcome.WRONG:
            return replace(record, guesses=max(0, record.guesses - 1))
        if record.guesses > self._max_failures():
            return replace(record, verifier=None, retired=())
        return record
