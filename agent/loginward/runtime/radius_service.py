"""The RADIUS door's service: conversations judged turn by turn, worded for a Reply-Message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.commands import Ask, Done
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Verdict
from loginward.core.requests import Door
from loginward.doors.radius.port import AskTurn, Conversation, ResultTurn, Told
from loginward.runtime.askers import keeps_verifiers
from loginward.runtime.judging import Judged, Judging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginward.core.commands import Command
    from loginward.core.requests import LoginRequest
    from loginward.core.secret import Secret
    from loginward.doors.login.port import Info
    from loginward.runtime.agent import Parts
    from loginward.runtime.loop_driver import LoopDriver


class RadiusService:
    """Answers the RADIUS door."""

    def __init__(self, parts: Parts, driver: LoopDriver) -> None:
        self._parts = parts
        self._driver = driver

    def converse(self, request: LoginRequest) -> Conversation:
        """Return a conversation about a request; nothing has been judged yet."""
        return _Talk(self._parts, self._driver, request)

    def is_usable(self) -> bool:
        """Whether logins can be judged at all now: a server answers, or people can get in offline."""
        parts = self._parts
        if parts.embedded is not None:
            return True
        offline = keeps_verifiers(parts.settings, Door.RADIUS)
        return offline or any(server.usable for server in parts.directory.health())


class _Talk:
    """One login being judged."""

    def __init__(self, parts: Parts, driver: LoopDriver, request: LoginRequest) -> None:
        self._parts = parts
        self._driver = driver
        self._request = request
        self._judging = Judging(parts, request)

    def begin(self, password: Secret | None, told: Told, *, continuing: bool = False) -> bool:
        """Judge a first password, or without one the account alone."""
        command = self._judging.first()
        if isinstance(command, Ask) and password is not None:
            command = self._judging.typed(password)
        return self._drive(command, told, continuing=continuing)

    def answer(self, typed: Secret, told: Told) -> bool:
        """Go on with what was typed."""
        return self._drive(self._judging.typed(typed), told, continuing=True)

    def hang_up(self) -> None:
        """Forget what was typed."""
        self._judging.hang_up()

    def _drive(self, command: Command, told: Told, *, continuing: bool) -> bool:
        judging = self._judging

        def came(end: Ask | Done) -> None:
            told(self._turn(judging.came(end)))

        return self._driver.run(judging.login, command, judging.case, came, continuing=continuing)

    def _turn(self, came: Ask | Judged) -> AskTurn | ResultTurn:
        if isinstance(came, Ask):
            asked = self._judging.case.in_force.answers.ask(self._request, came)
            return AskTurn(_joined((*_lines(asked.infos), asked.prompt)))
        return self._result(came)

    def _result(self, judged: Judged) -> ResultTurn:
        decision, reading = judged.done.decision, judged.done.reading
        facts = reading.facts if isinstance(reading, Fresh | Copy) else None
        due = None if decision.status is None else decision.status.due
        return ResultTurn(
            verdict=decision.verdict,
            reason=decision.reason,
            message=self._message(judged),
            account_id="" if facts is None else facts.account_id,
            name="" if facts is None else facts.name,
            groups=frozenset() if facts is None else facts.groups,
            due_at=None if due is None else due.at,
        )

    def _message(self, judged: Judged) -> str:
        """Return what may be said, as `doors.radius.reply_message` has it."""
        in_force = self._judging.case.in_force
        radius = in_force.settings.doors.radius
        how = "off" if radius is None else radius.reply_message
        decision = judged.done.decision
        if how == "off" or (decision.verdict is Verdict.ALLOW and not decision.warnings):
            return ""
        said = in_force.answers.result(
            self._request,
            judged.done,
            elapsed_s=judged.elapsed_s,
            reference=judged.reference,
            transaction="",
        )
        lines = _lines(said.infos)
        if how == "full" or decision.verdict is Verdict.ALLOW or not lines:
            return _joined(lines)
        shown = f"{judged.reference[:3]}-{judged.reference[3:]}"
        first = lines[0]
        return first if shown in first else f"{first} ({shown})"


def _lines(infos: Iterable[Info]) -> list[str]:
    return [line for info in infos for line in info.text.splitlines()]


def _joined(lines: Iterable[str]) -> str:
    return " ".join(line.strip() for line in lines if line.strip())
