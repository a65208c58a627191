"""Carries out the login machine's commands on a thread that may block.

It decides nothing: each command goes to the part that answers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.commands import (
    Ask,
    ChangePassword,
    Command,
    Done,
    Event,
    Means,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Settled,
    Verify,
)
from loginward.core.evidence import Checked, NoVerdict
from loginward.errors import DirectoryUnavailable
from loginward.runtime.askers import keeps_verifiers

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.facts import AccountFacts
    from loginward.core.login import Login
    from loginward.directory.port import Directory
    from loginward.runtime.attempting import AttemptDesk
    from loginward.runtime.cases import Case
    from loginward.runtime.gather import Gatherer
    from loginward.runtime.knowledge import Knowledge


class ThreadDriver:
    """Drives logins to their next question or their end.

    Args:
        embedded: Passwords are checked on this host: a locked user can be proven.
        after_change: Told of an account whose password was just changed.
    """

    def __init__(
        self,
        directory: Directory,
        gatherer: Gatherer,
        desk: AttemptDesk,
        knowledge: Knowledge,
        *,
        embedded: bool,
        after_change: Callable[[AccountFacts], None],
    ) -> None:
        self._directory = directory
        self._gatherer = gatherer
        self._desk = desk
        self._knowledge = knowledge
        self._embedded = embedded
        self._after_change = after_change

    def run(self, login: Login, command: Command, case: Case) -> Ask | Done:
        """Carry out commands until something must be typed or the login has ended."""
        try:
            while not isinstance(command, Ask | Done):
                command = login.resume(self._carry_out(command, case))
        finally:
            # Nothing, unless a fault of ours cut the attempt short: a check then showed nothing.
            checking = command.reading.facts if isinstance(command, Verify) else None
            self._desk.abandon(case, checking)
        return command

    def _carry_out(self, command: Command, case: Case) -> Event:
        match command:
            case ReadFacts(name, offline):
                return self._gatherer.gather(name, case, offline=offline)
            case Reserve():
                return self._desk.reserve(command, case)
            case Verify():
                return self._check(command, case)
            case Recheck(reading, contradicted):
                return self._gatherer.recheck(reading, case, contradicted=contradicted)
            case Settle():
                return Settled(self._desk.settle(command, case))
            case ChangePassword():
                return self._change(command, case)
            case Ask() | Done():  # pragma: no cover - the loop ends on these
                raise AssertionError(command)
            case _:  # pragma: no cover
                assert_never(command)

    def _check(self, command: Verify, case: Case) -> Checked:
        """Check a password once, against what the machine named; an outage never counts."""
        account, settings = command.reading.facts, case.in_force.settings
        kept_here = command.means is Means.KEPT and not self._embedded
        if command.means is Means.VERIFIER or kept_here:
            if not keeps_verifiers(settings, case.request.door):
                return NoVerdict("no-verifier")  # one from before that was decided counts no more
            return self._knowledge.verify(account, command.password, case.deadline)
        try:
            budget = case.deadline.sooner(settings.directory.budget_s)
            return self._directory.check(account, command.password, budget)
        except DirectoryUnavailable as error:
            case.notes.append(f"directory: {error.stage}")
            return NoVerdict(error.stage)

    def _change(self, command: ChangePassword, case: Case) -> Changed | NotChanged:
        account = command.reading.facts
        try:
            changed = self._directory.change(account, command.old, command.new, case.deadline)
        except DirectoryUnavailable as error:
            case.notes.append(f"directory: {error.stage}")
            return NotChanged(ChangeProblem.NO_ANSWER, error.stage)
        if isinstance(changed, Changed):
            self._after_change(account)
        return changed
