"""The login door's service: conversations judged turn by turn, worded for the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.commands import Ask
from loginward.core.decision import Decision
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.doors.login.port import AskTurn, Conversation, ResultTurn
from loginward.runtime.judging import Judging

if TYPE_CHECKING:
    from loginward.core.commands import Command
    from loginward.core.requests import LoginRequest
    from loginward.core.secret import Secret
    from loginward.runtime.agent import Parts


class LoginService:
    """Answers the login door."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def begin(self, request: LoginRequest) -> tuple[AskTurn | ResultTurn, Conversation]:
        """Start judging a request; what it says never raises."""
        talk = _Talk(self._parts, request)
        return talk.start(), talk


class _Talk:
    """One request being answered."""

    def __init__(self, parts: Parts, request: LoginRequest) -> None:
        self._parts = parts
        self._request = request
        self._judging = Judging(parts, request)

    def start(self) -> AskTurn | ResultTurn:
        """Return the first turn."""
        parts, request = self._parts, self._request
        if request.phase in {Phase.OPEN, Phase.CLOSE}:
            note = parts.sessions.opened if request.phase is Phase.OPEN else parts.sessions.closed
            note(request)
            return _noted(request)
        return self._turn(self._judging.first())

    def answer(self, typed: Secret) -> AskTurn | ResultTurn:
        """Go on with what was typed."""
        return self._turn(self._judging.typed(typed))

    def hang_up(self) -> None:
        """Forget what was typed; a check in flight goes on and is settled."""
        self._judging.hang_up()

    def _turn(self, command: Command) -> AskTurn | ResultTurn:
        judging = self._judging
        came = judging.came(self._parts.driver.run(judging.login, command, judging.case))
        answers = judging.case.in_force.answers
        if isinstance(came, Ask):
            return answers.ask(self._request, came)
        return answers.result(
            self._request,
            came.done,
            elapsed_s=came.elapsed_s,
            reference=came.reference,
            transaction=came.transaction,
            warned=came.warned,
        )


def _noted(request: LoginRequest) -> ResultTurn:
    """Return the answer to open and close, which never fail a login."""
    allow = Decision(verdict=Verdict.ALLOW, reason=Reason.OK)
    return ResultTurn(
        verdict=allow.verdict,
        reason=allow.reason,
        reference="",
        transaction=request.transaction,
    )
