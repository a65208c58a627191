"""Gathers what the law judges: facts, fresh or from the copy, and who asks under which rules."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from loginward.core.commands import Gathered, Unmoved
from loginward.core.readings import Copy, Fresh, Reading, Unusable
from loginward.core.requests import Phase
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.runtime.askers import asker_of

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.core.facts import AccountFacts
    from loginward.directory.port import Directory
    from loginward.runtime.cases import Case
    from loginward.runtime.in_force import InForce
    from loginward.runtime.keepers import Keepers
    from loginward.runtime.knowledge import Knowledge
    from loginward.runtime.throttle import Throttle

_log = logging.getLogger(__name__)
FACTS_HOLD = timedelta(seconds=2)  # older facts are read again before anybody is let in


class Gatherer:
    """Looks accounts up, in the directory or in what this host knows."""

    def __init__(
        self,
        clock: Clock,
        directory: Directory,
        knowledge: Knowledge,
        keepers: Keepers,
        throttle: Throttle,
    ) -> None:
        self._clock = clock
        self._directory = directory
        self._knowledge = knowledge
        self._keepers = keepers
        self._throttle = throttle

    def gather(self, name: str, case: Case, *, offline: bool) -> Gathered:
        """Return the reading of a name and the asker it is judged for."""
        reading = self._knowledge.recall(name) if offline else self._read(name, case)
        return self.for_asker(reading, case)

    def _lately(self, name: str, case: Case) -> AccountFacts | None:
        """Return what is at hand of an account whose password will be checked at the directory.

        It says that nothing stood against the account a moment ago, and the bind that follows has
        the last word. Whom nothing follows for, as after a key, is read.
        """
        return self._directory.at_hand(name) if case.request.phase is Phase.AUTHN else None

    def at_hand(self, name: str, case: Case) -> Gathered | None:
        """Return what `gather` would, where nobody needs to be asked and nothing kept; no I/O."""
        facts = self._lately(name, case)
        if facts is None or not self._keepers.in_memory_alone(facts, case):
            return None
        if self._knowledge.learnt_already(facts) is None:
            return None
        self._keepers.notice(facts)
        return self.for_asker(Fresh(facts), case)

    def holds_at_hand(self, reading: Fresh | Copy, case: Case) -> bool:
        """Return whether `holds` would say so, from what is in memory; no I/O."""
        generation = self._knowledge.generation_at_hand(reading.facts.account_id)
        return generation is not None and self.holds(reading, case.generation)

    def for_asker(self, reading: Reading, case: Case) -> Gathered:
        """Return a reading with our own locks, and who asks under which rules."""
        in_force = case.in_force
        reading = self._with_own_locks(reading, in_force)
        facts = reading.facts if isinstance(reading, Fresh | Copy) else None
        account_id = "" if facts is None else facts.account_id
        case.generation = self._knowledge.generation(account_id) if account_id else 0
        asker = asker_of(
            in_force.settings,
            case.request,
            facts,
            throttled_until=self._throttle.throttled_until(
                case.sources, account_id, in_force.bounds
            ),
            proof=case.proof,
        )
        case.resource = asker.resource
        return Gathered(reading, asker, in_force.rules)

    def recheck(
        self, reading: Fresh | Copy, case: Case, *, contradicted: bool
    ) -> Gathered | Unmoved:
        """Return Unmoved while the reading still holds, or a new one (R60)."""
        outdated = contradicted and isinstance(reading, Fresh)
        if self.holds(reading, case.generation) and not outdated:
            return Unmoved()
        name = reading.facts.name
        if isinstance(reading, Copy):
            return self.gather(name, case, offline=True)
        return self.for_asker(self._read(name, case, anew=True), case)

    def holds(self, reading: Fresh | Copy, generation: int) -> bool:
        """Return whether somebody may still be let in on a reading of that generation."""
        now_generation = self._knowledge.generation(reading.facts.account_id)
        if now_generation != generation or now_generation < 0:
            return False
        age = self._clock.now() - reading.facts.read_at
        return isinstance(reading, Copy) or timedelta(0) <= age <= FACTS_HOLD

    def _read(self, name: str, case: Case, *, anew: bool = False) -> Reading:
        """Return a fresh reading, or what is known where the directory does not answer.

        Args:
            anew: What is at hand will not do.
        """
        budget = case.deadline.sooner(case.in_force.settings.directory.budget_s)
        try:
            facts = None if anew else self._lately(name, case)
            if facts is None:
                facts = self._directory.find(name, budget)
            if facts is None:
                return self._knowledge.absent(name, budget)
        except DirectoryUnavailable as error:
            case.notes.append(f"directory: {error.stage}")
            return self._knowledge.recall(name)
        self._keepers.notice(facts)
        return Fresh(self._knowledge.learn(facts))

    def _with_own_locks(self, reading: Reading, in_force: InForce) -> Reading:
        """Add the locks that this agent keeps: its own online, the offline one offline."""
        if not isinstance(reading, Fresh | Copy):
            return reading
        try:
            lock = self._keepers.lock_of(reading, in_force)
        except StoreFault as fault:
            _log.warning("locks of an account are not known: %s", fault.problem)
            return Unusable("store")
        if lock is None:
            return reading
        return replace(reading, facts=replace(reading.facts, locks=(*reading.facts.locks, lock)))
