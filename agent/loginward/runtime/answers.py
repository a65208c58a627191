"""Words a decision for the person it concerns: what may be told, when, and how long to wait."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from loginward.core.changes import ChangeProblem
from loginward.core.decision import Decision, Warn
from loginward.core.evidence import Proven
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import LoginRequest, Phase, Purpose
from loginward.doors.login.port import AskTurn, Info, ResultTurn
from loginward.runtime.access import uid_of
from loginward.runtime.askers import is_local, names_service

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.core.commands import Ask, Done
    from loginward.messages.texts import Texts
    from loginward.settings import Settings

REFUSAL_S = 2.0  # every refusal of a request takes this long to its asker, whatever it was
_SEATS = ("login", "gdm*", "lightdm", "sddm", "loginwindow")
# Reasons that say nothing of the account, so that they may be told before anything is proven.
_OF_THE_HOST = frozenset(
    {
        Reason.USER_UNKNOWN,
        Reason.WRONG_CREDENTIALS,
        Reason.MALFORMED,
        Reason.OFFLINE_NEVER_SEEN,
        Reason.DIRECTORY_UNAVAILABLE,
        Reason.SOURCE_THROTTLED,
    }
)
_DAY_S, _HOUR_S, _MINUTE_S = 86400, 3600, 60


class Answers:
    """Makes turns of decisions."""

    def __init__(self, settings: Settings, texts: Texts, clock: Clock) -> None:
        self._settings = settings
        self._texts = texts
        self._clock = clock

    def ask(self, request: LoginRequest, ask: Ask) -> AskTurn:
        """Return the turn that has something typed."""
        prompt = f"prompt.{ask.purpose.value}"
        if ask.purpose is Purpose.PASSWORD and request.phase is not Phase.AUTHN:
            prompt = "prompt.current"
        infos: tuple[Info, ...] = ()
        if ask.problem is not None:
            infos = (Info(self._rejected(ask.problem, ask.min_length), is_error=True),)
        return AskTurn(purpose=ask.purpose, prompt=self._texts.text(prompt), infos=infos)

    def result(
        self,
        request: LoginRequest,
        done: Done,
        *,
        elapsed_s: float,
        reference: str,
        transaction: str,
        warned: bool = False,
    ) -> ResultTurn:
        """Return the end of a conversation.

        `warned`: an earlier phase of the same transaction has said the warnings already.

        Where the reason may not be told, neither the words nor the code tell it: the door gets
        wrong-credentials, and the event has the truth.
        """
        decision = done.decision
        told = self._is_told(request, done)
        refused = decision.verdict is Verdict.REFUSE
        hides = refused and not told
        delay_s = max(0.0, REFUSAL_S - elapsed_s) if refused else 0.0
        infos = () if request.silent else self._infos(request, done, reference, told=told)
        if warned and decision.verdict is Verdict.ALLOW:
            infos = ()
        return ResultTurn(
            verdict=decision.verdict,
            reason=Reason.WRONG_CREDENTIALS if hides else decision.reason,
            reference=reference,
            delay_ms=round(delay_s * 1000),
            transaction=transaction,
            infos=infos,
        )

    def _is_told(self, request: LoginRequest, done: Done) -> bool:
        reason = done.decision.reason
        if reason in _OF_THE_HOST or request.phase is Phase.ACCT:
            return True
        reveal = self._settings.policy.reveal
        if reveal == "always" or isinstance(done.checked, Proven):
            return True
        if reveal == "never" or not is_local(self._settings, request):
            return False
        at_a_seat = names_service(_SEATS, request.service) and request.peer.real_uid == 0
        return at_a_seat or uid_of(request.name) == request.peer.real_uid

    def _infos(
        self, request: LoginRequest, done: Done, reference: str, *, told: bool
    ) -> tuple[Info, ...]:
        decision = done.decision
        shown = f"{reference[:3]}-{reference[3:]}"
        if decision.verdict is Verdict.REFUSE:
            if done.problem is not None:
                return self._not_changed(done, done.problem, shown)
            text = "unproven" if not told else f"refused.{decision.message}"
            facts = self._facts(decision, reference=shown)
            return (Info(self._texts.text(text, **facts), is_error=True),)
        if decision.verdict is Verdict.CHANGE:
            if request.phase is not Phase.ACCT:
                return ()  # the account phase says it, once
            return (Info(self._texts.text(f"change.{decision.reason.value}")),)
        if request.phase is Phase.CHAUTHTOK_UPDATE:
            return (Info(self._texts.text("change.done")),)
        if request.phase is Phase.CHAUTHTOK_PRELIM:
            return ()  # what there is to warn of is being put right: a new one is asked for next
        return tuple(self._warning(warn, done) for warn in decision.warnings)

    def _not_changed(self, done: Done, problem: ChangeProblem, reference: str) -> tuple[Info, ...]:
        reading = done.reading
        known = reading.facts.min_length if isinstance(reading, Fresh | Copy) else None
        why = self._rejected(problem, known)
        text = self._texts.text("refused.not-permitted.change", reference=reference)
        return (Info(why, is_error=True), Info(text, is_error=True))

    def _rejected(self, problem: ChangeProblem, min_length: int | None) -> str:
        """Return why a new password was not taken; a length is named only as its directory does."""
        unsaid = problem is ChangeProblem.TOO_SHORT and min_length is None
        text_id = f"change.rejected.{problem.value}{'.unsaid' if unsaid else ''}"
        return self._texts.text(text_id, min_length=min_length)

    def _warning(self, warn: Warn, done: Done) -> Info:
        status = done.decision.status
        facts: dict[str, object] = {}
        if warn is Warn.EXPIRES_SOON and status is not None and status.due is not None:
            facts = {"until": self._moment(status.due.at), "left": self._left(status.due.at)}
        if warn is Warn.GRACE_LEFT and isinstance(done.checked, Proven):
            facts = {"left": done.checked.grace_left}
        if warn is Warn.OFFLINE and isinstance(done.reading, Fresh | Copy):
            facts = {"seen": self._moment(done.reading.facts.read_at)}
        return Info(self._texts.text(f"warning.{warn.value}", **facts))

    def _facts(self, decision: Decision, **more: object) -> dict[str, object]:
        until = None if decision.until is None else self._moment(decision.until)
        return {"until": until, "url": self._settings.support.url, **more}

    def _moment(self, at: datetime) -> str:
        """Return a moment in this machine's zone, as short as today allows."""
        local, today = at.astimezone(), self._clock.now().astimezone().date()
        return f"{local:%H:%M}" if local.date() == today else f"{local:%-d %b %Y %H:%M}"

    def _left(self, at: datetime) -> str:
        seconds = (at - self._clock.now()).total_seconds()
        for unit_s, word in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
            count = int(seconds // unit_s)
            if count:
                return f"in {count} {word}{'s' if count > 1 else ''}"
        return "in less than a minute"
