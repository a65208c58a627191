"""A login as a machine without I/O: commands out, events in.

`start` and `resume` return the next command; a driver carries it out and resumes with what came
of it. The phases are those of pam(3); RADIUS and the gate drive the same machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core import decide
from loginward.core.attempting import Attempting
from loginward.core.changing import changed
from loginward.core.commands import Command, Done, Event, Gathered, ReadFacts
from loginward.core.names import is_well_formed
from loginward.core.readings import Unknown
from loginward.core.reasons import Verdict
from loginward.core.requests import LoginRequest, Phase, Purpose
from loginward.core.steps import Attempt, Steps, UnexpectedEventError, expect, typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.secret import Secret

__all__ = ["Login", "UnexpectedEventError"]


class Login:
    """One request on its way through the law.

    Args:
        request: What is asked.
        now: Returns the believed time, aware UTC; the only thing the machine asks by itself.
    """

    def __init__(self, request: LoginRequest, now: Callable[[], datetime]) -> None:
        self._request = request
        self._now = now
        self._steps = self._run()

    def start(self) -> Command:
        """Return the first command."""
        return next(self._steps)

    def resume(self, event: Event) -> Command:
        """Take the result of the last command and return the next; Done is the last."""
        return self._steps.send(event)

    def _run(self) -> Steps[None]:
        yield (yield from self._end())

    def _end(self) -> Steps[Done]:
        """Return the end; sessions are noted elsewhere and never judged."""
        phase = self._request.phase
        if phase in {Phase.OPEN, Phase.CLOSE} or not is_well_formed(self._request.name):
            return Done(decide.malformed())
        if phase is Phase.ACCT:
            return (yield from self._account())
        return (yield from self._authenticate())

    def _account(self) -> Steps[Done]:
        gathered = yield from self._read(offline=False)
        decision = decide.account(gathered.reading, gathered.asker, gathered.rules, self._now())
        return Done(decision, gathered.reading)

    def _authenticate(self) -> Steps[Done]:
        """Prove a password, and change it where this request or the door does that.

        A change proves the old password again, whatever an earlier phase saw.
        """
        if self._request.phase is Phase.CHAUTHTOK_PRELIM:
            gathered = yield from self._read(offline=False)
            if isinstance(gathered.reading, Unknown):  # nobody of ours: nothing is asked of them
                return Done(
                    decide.account(gathered.reading, gathered.asker, gathered.rules, self._now()),
                    gathered.reading,
                )
        password = yield from typed(Purpose.PASSWORD)
        if not password.well_formed:
            return Done(decide.malformed())
        attempt = yield from self._prove(password)
        if self._goes_on_to_change(attempt):
            attempt = yield from changed(attempt, password, self._now)
        return attempt.done

    def _goes_on_to_change(self, attempt: Attempt) -> bool:
        if self._request.phase is Phase.CHAUTHTOK_UPDATE:
            return attempt.decision.lets_in
        inline = attempt.gathered.asker.inline_change
        return inline and attempt.decision.verdict is Verdict.CHANGE

    def _prove(self, password: Secret) -> Steps[Attempt]:
        """Try the directory, and what is known here where the directory does not answer."""
        attempting = Attempting(self._now)
        gathered = yield from self._read(offline=False)
        attempt = yield from attempting.attempt(gathered, password)
        if attempt.unanswered:
            gathered = yield from self._read(offline=True)
            attempt = yield from attempting.attempt(gathered, password)
        return attempt

    def _read(self, *, offline: bool) -> Steps[Gathered]:
        return expect((yield ReadFacts(self._request.name, offline)), Gathered)
