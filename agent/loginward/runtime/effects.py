"""What follows on this host when an account is unlocked, reset or changed, by whomever."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from loginward.core.transitions import Transition
from loginward.errors import StoreFault

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.facts import AccountFacts
    from loginward.host.port import PostUnlockActions
    from loginward.runtime.attempting import Memory
    from loginward.runtime.keepers import Keepers
    from loginward.store.store import Store

_log = logging.getLogger(__name__)
_CLEARING = frozenset({Transition.UNLOCKED, Transition.RESET})


class Effects:
    """Clears what no longer holds: tallies, known wrong passwords, the last one proven."""

    def __init__(
        self, store: Store, keepers: Keepers, memory: Memory, actions: PostUnlockActions
    ) -> None:
        self._actions = actions
        self._store = store
        self._keepers = keepers
        self._memory = memory

    def of_transition(
        self, transition: Transition, account: AccountFacts, until: datetime | None = None
    ) -> None:
        """Clear what a transition outdates; one that was found, not made here.

        Found late, it must not undo what was counted after `until` (None: now). Each is handed to
        the operating system's steps, which know what it asks for there.
        """
        if transition in _CLEARING:
            self.cleared(account.account_id, until)
        else:
            self._moved(account.account_id)
        steps = self._actions.plan(account, transition)
        for result in self._actions.carry_out(steps, dry_run=False):
            _log.info("after %s: %s: %s", transition.value, result.step, result.text)

    def password_changed(self, account: AccountFacts) -> None:
        """Clear what a changed password outdates."""
        self.cleared(account.account_id)

    def cleared(self, account_id: str, until: datetime | None = None) -> bool:
        """Forget counters and passwords seen; return whether there was something to clear.

        What was counted after `until`, where that is given, stays.
        """
        self._memory.repeats.forget(account_id)
        self._memory.last_proven.forget(account_id)
        try:
            return self._keepers.cleared(account_id, until)
        except StoreFault as fault:
            _log.warning("counters of an account not cleared: %s", fault.problem)
            return False

    def _moved(self, account_id: str) -> None:
        """Let logins under way look again."""
        try:
            self._store.bump(account_id)
        except StoreFault as fault:
            _log.warning("generation of an account not moved: %s", fault.problem)
