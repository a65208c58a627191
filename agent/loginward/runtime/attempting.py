"""Attempts: what is known without one, which keeper counts one, and what follows its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.commands import Known, Means, Reserve, Settle
from loginward.core.evidence import Checked, NoVerdict, Proven, Refused, Wrong
from loginward.core.requests import Phase

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.core.status import Lock
    from loginward.runtime.cases import Case
    from loginward.runtime.flights import Flight, Flights
    from loginward.runtime.keepers import Keepers
    from loginward.runtime.passwords_seen import LastProven, Repeats
    from loginward.runtime.throttle import Throttle

_CHANGING = frozenset({Phase.CHAUTHTOK_PRELIM, Phase.CHAUTHTOK_UPDATE})
UNRESERVED = "last-proven"  # a password equal to the last one proven needs no reservation


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of passwords, in memory alone, as keyed tags."""

    repeats: Repeats
    last_proven: LastProven
    flights: Flights


class AttemptDesk:
    """Reserves and settles attempts for the drivers."""

    def __init__(self, keepers: Keepers, memory: Memory, throttle: Throttle) -> None:
        self._keepers = keepers
        self._memory = memory
        self._throttle = throttle

    def reserve(self, command: Reserve, case: Case) -> Granted | AtLimit | LockedNow | Known:
        """Return leave to check this password once, or what is known without checking.

        A password known to be wrong is refused without a bind; one whose check is in flight is
        awaited, so that a person's eight right logins at once are one attempt.
        """
        account = command.reading.facts
        if command.means is Means.DIRECTORY:
            if (earlier := self._proven_in_grace(account, command, case)) is not None:
                return Known(earlier)
            shared = self._join(account, command, case)
            if shared is not None:
                return shared
            if (wrong := self._known_wrong(account, command.password, case)) is not None:
                return wrong
            # What others than root guess has a tally apart, which closes to the right one too.
            trusted = case.request.peer.uid == 0 or case.request.peer.named
            if trusted and self._memory.last_proven.matches(account, command.password):
                return Granted(UNRESERVED)
        return self._reserve(command, case)

    def reserve_at_once(
        self, command: Reserve, case: Case
    ) -> Granted | AtLimit | LockedNow | Known | None:
        """Do as `reserve` where that neither waits nor writes; None: it would, nothing was done."""
        account = command.reading.facts
        if command.means is not Means.DIRECTORY or not self._keepers.in_memory_alone(account, case):
            return None
        flight = self._memory.flights.lead(account.account_id, command.password)
        if flight is None:
            return None
        case.flight = flight
        if (wrong := self._known_wrong(account, command.password, case)) is not None:
            return wrong
        if self._memory.last_proven.matches(account, command.password):
            return Granted(UNRESERVED)
        reserved = self._keepers.reserve(command, case)
        if isinstance(reserved, AtLimit) and reserved.in_flight:
            self._land(case, NoVerdict("abandoned"))
            return None
        return reserved

    def settle(self, command: Settle, case: Case) -> Lock | None:
        """End an attempt and let its outcome be felt; return the lock that it tripped."""
        account, password = command.reading.facts, command.password
        if command.reservation == UNRESERVED and command.outcome is Outcome.WRONG:
            self._reserve_late(command, case)
        tripped = self._keepers.settle(command, case)
        if command.outcome is Outcome.WRONG:
            self._memory.last_proven.forget(account.account_id)
            self._throttle.failed(case.sources, account.account_id)
            if command.means is Means.DIRECTORY:
                self._memory.repeats.remember(account, password)
        elif isinstance(command.checked, Proven) and command.means is Means.DIRECTORY:
            if command.reservation != UNRESERVED:  # else it is what is remembered
                self._memory.last_proven.remember(account, password)
            self._throttle.proven(case.sources, account.account_id)
        self._land(case, command.checked)
        return tripped

    def abandon(self, case: Case, account: AccountFacts | None) -> None:
        """Let nobody wait for a check of this account that a fault cut short; nothing otherwise."""
        if account is not None and case.held:
            self._keepers.release(account, case)
        self._land(case, NoVerdict("abandoned"))

    def _known_wrong(self, account: AccountFacts, password: Secret, case: Case) -> Known | None:
        """Return that a password is known to be wrong, and end the flight that it leads.

        Asked once it leads one: what an equal one showed was remembered before that landed.
        """
        if not self._memory.repeats.is_known_wrong(account, password):
            return None
        wrong = Wrong(repeat=True, said="known wrong at this change time")
        self._land(case, wrong)
        return Known(wrong)

    def _proven_in_grace(
        self, account: AccountFacts, command: Reserve, case: Case
    ) -> Proven | None:
        """Return what this transaction proved by a grace login: a change costs no second one."""
        proof = case.proof
        if case.request.phase not in _CHANGING or proof is None or proof.checked is None:
            return None
        same = proof.account_id == account.account_id and proof.checked.grace_left is not None
        matches = same and self._memory.last_proven.matches(account, command.password)
        return proof.checked if matches else None

    def _join(self, account: AccountFacts, command: Reserve, case: Case) -> Known | AtLimit | None:
        """Wait for an equal password in flight, or lead one's own flight and return None."""
        joined = self._memory.flights.join(account.account_id, command.password, case.deadline)
        match joined:
            case None:
                return AtLimit(in_flight=1)
            case Proven() | Wrong() | Refused() | NoVerdict():
                return Known(joined)
            case _:
                case.flight = joined
                return None

    def _reserve(self, command: Reserve, case: Case) -> Granted | AtLimit | LockedNow:
        """Reserve, waiting for attempts in flight to settle while there is time.

        Where nothing can be counted there is nothing to wait for: refused at once.
        """
        while True:
            seen = self._memory.flights.ends()
            reserved = self._keepers.reserve(command, case)
            if not isinstance(reserved, AtLimit) or not reserved.in_flight:
                return reserved
            if not self._memory.flights.wait_for_end(seen, case.deadline):
                return reserved

    def _reserve_late(self, command: Settle, case: Case) -> None:
        """Reserve after the fact: a password equal to the last one proven turned out wrong.

        It counts whatever is in flight (security.md 7).
        """
        late = Reserve(command.reading, command.password, command.means)
        self._keepers.reserve(late, case, late=True)

    def _land(self, case: Case, checked: Checked) -> None:
        flight: Flight | None = case.flight
        if flight is None:
            self._memory.flights.note_end()
            return
        case.flight = None
        self._memory.flights.land(flight, checked)
