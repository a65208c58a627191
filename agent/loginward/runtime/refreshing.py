"""`refresh`: the steps after an unlock on this machine, done or only named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.clock import Deadline
from loginward.core.transitions import Transition
from loginward.wire.admin.rows import StepRow, StepState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.core.clock import Clock
    from loginward.directory.port import Directory
    from loginward.host.port import PostUnlockActions
    from loginward.runtime.effects import Effects

_READ_S = 2.5


class Refreshing:
    """Clears what an unlock leaves stale; each step can be repeated without harm."""

    def __init__(
        self,
        directory: Directory,
        effects: Effects,
        clock: Clock,
        actions: PostUnlockActions,
    ) -> None:
        self._actions = actions
        self._directory = directory
        self._effects = effects
        self._clock = clock

    def run(self, name: str, *, dry_run: bool) -> Iterator[StepRow]:
        """Do the steps for one account; `dry_run` only says what would be done."""
        account = self._directory.find(name, Deadline.after(_READ_S, self._clock))
        if account is None:
            yield StepRow(
                name=name,
                step="account",
                state=StepState.FAILED,
                text="the directory has no such account",
            )
            return
        text = "this agent's own counters and remembered passwords"
        if dry_run:
            yield StepRow(name=name, step="counters", state=StepState.WOULD, text=text)
        else:
            had = self._effects.cleared(account.account_id)
            state = StepState.DONE if had else StepState.NOT_NEEDED
            yield StepRow(name=name, step="counters", state=state, text=text)
        steps = self._actions.plan(account, Transition.UNLOCKED)
        for result in self._actions.carry_out(steps, dry_run=dry_run):
            state = StepState(result.outcome.value)
            yield StepRow(name=name, step=result.step, state=state, text=result.text)
