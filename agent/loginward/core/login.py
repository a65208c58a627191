"""A login as a machine without I/O: commands out, events in.

`start` and `resume` return the next command; a driver carries it out and resumes with what came
of it. The phases are those of pam(3); RADIUS and the gate drive the same machine.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from loginward.core import decide
from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.commands import (
    Ask,
    ChangePassword,
    Command,
    Done,
    Event,
    Gathered,
    Known,
    Means,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Settled,
    Typed,
    Unmoved,
    Verify,
)
from loginward.core.decide import Decision
from loginward.core.evidence import Checked, NoVerdict, Proven, Refused, Wrong
from loginward.core.facts import status_at
from loginward.core.names import is_well_formed
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import LoginRequest, Phase, Purpose
from loginward.core.secret import MAX_OCTETS, Secret
from loginward.core.status import Lock, PasswordStatus

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGE_TRIES = 3
_T = TypeVar("_T")
_Steps = Generator[Command, Event, _T]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One password, judged; `checked` is None where it was not checked."""

    gathered: Gathered
    decision: Decision
    checked: Checked | None = None
    tripped: Lock | None = None
    problem: ChangeProblem | None = None

    @property
    def done(self) -> Done:
        return Done(
            decision=self.decision,
            reading=self.gathered.reading,
            checked=self.checked,
            tripped=self.tripped,
            problem=self.problem,
        )


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

    def _run(self) -> Generator[Command, Event, None]:
        if not is_well_formed(self._request.name):
            yield Done(decide.malformed())
            return
        match self._request.phase:
            case Phase.ACCT:
                yield from self._account()
            case Phase.CHAUTHTOK_UPDATE:
                yield from self._change_after_proof()
            case _:
                yield from self._authenticate()

    def _account(self) -> Generator[Command, Event, None]:
        gathered = yield from self._read(offline=False)
        decision = decide.account(gathered.reading, gathered.asker, gathered.rules, self._now())
        yield Done(decision, gathered.reading)

    def _authenticate(self) -> Generator[Command, Event, None]:
        password = yield from self._ask(Purpose.PASSWORD)
        if not password.well_formed:
            yield Done(decide.malformed())
            return
        attempt = yield from self._prove(password)
        if attempt.decision.verdict is Verdict.CHANGE and attempt.gathered.asker.inline_change:
            attempt = yield from self._change(attempt, password)
        yield attempt.done

    def _change_after_proof(self) -> Generator[Command, Event, None]:
        """Change a password; the old one is proven again, whatever an earlier phase saw."""
        password = yield from self._ask(Purpose.PASSWORD)
        if not password.well_formed:
            yield Done(decide.malformed())
            return
        attempt = yield from self._prove(password)
        if attempt.decision.lets_in:
            attempt = yield from self._change(attempt, password)
        yield attempt.done

    def _prove(self, password: Secret) -> _Steps[_Attempt]:
        gathered = yield from self._read(offline=False)
        attempt = yield from self._attempt(gathered, password)
        if isinstance(attempt.checked, NoVerdict) and isinstance(gathered.reading, Fresh):
            gathered = yield from self._read(offline=True)
            attempt = yield from self._attempt(gathered, password)
        return attempt

    def _attempt(self, gathered: Gathered, password: Secret) -> _Steps[_Attempt]:
        """Judge, reserve, check, judge again, settle: one attempt at one reading."""
        refusal = self._before(gathered)
        if refusal is not None:
            return _Attempt(gathered=gathered, decision=refusal)
        reading = _readable(gathered)
        means = _means(reading, gathered, self._now())
        reserved = yield Reserve(reading, password, means)
        match reserved:
            case LockedNow(lock):
                facts = replace(reading.facts, locks=(*reading.facts.locks, lock))
                locked = replace(
                    gathered,
                    reading=replace(reading, facts=facts),
                    asker=replace(gathered.asker, keep_while=frozenset()),
                )
                decision = self._before(locked) or self._after(gathered, NoVerdict("locked"))
                return _Attempt(gathered=locked, decision=decision)
            case AtLimit():
                decision = self._after(gathered, NoVerdict("attempts in flight"))
                return _Attempt(gathered=gathered, decision=decision)
            case Known(checked):
                return (yield from self._judged(gathered, checked))
            case Granted(reservation):
                checked = yield from self._verify(reading, password, means)
                attempt = yield from self._judged(gathered, checked)
                outcome = _outcome(attempt, means)
                settled = yield Settle(reading, password, reservation, means, outcome, checked)
                return replace(attempt, tripped=_expect(settled, Settled).tripped)
        raise UnexpectedEventError(reserved)

    def _judged(self, gathered: Gathered, checked: Checked) -> _Steps[_Attempt]:
        """Judge what the check showed, on facts that have not moved meanwhile (R60)."""
        if isinstance(checked, Proven | Refused):
            again = yield Recheck(_readable(gathered), isinstance(checked, Refused))
            if not isinstance(again, Unmoved):
                gathered = _expect(again, Gathered)
        refusal = self._before(gathered)
        if refusal is None and isinstance(checked, NoVerdict):
            refusal = self._kept_in_vain(gathered)
        decision = refusal or self._after(gathered, checked)
        return _Attempt(gathered=gathered, decision=decision, checked=checked)

    def _kept_in_vain(self, gathered: Gathered) -> Decision | None:
        """Return the refusal that `keep_while` held back, where nothing could prove the person."""
        return self._before(
            replace(gathered, asker=replace(gathered.asker, keep_while=frozenset()))
        )

    def _change(self, proven: _Attempt, old: Secret) -> _Steps[_Attempt]:
        reading = proven.gathered.reading
        problem: ChangeProblem | None = ChangeProblem.NOT_ALLOWED
        if isinstance(reading, Fresh):
            problem = yield from self._changed(reading, old)
        if problem is None:
            allow = replace(proven.decision, verdict=Verdict.ALLOW, reason=Reason.OK, warnings=())
            return replace(proven, decision=allow)
        refused = replace(
            proven.decision,
            verdict=Verdict.REFUSE,
            reason=Reason.NOT_PERMITTED,
            warnings=(),
            detail="change",
        )
        return replace(proven, decision=refused, problem=problem)

    def _changed(self, reading: Fresh, old: Secret) -> _Steps[ChangeProblem | None]:
        problem: ChangeProblem | None = None
        for _ in range(CHANGE_TRIES):
            new = yield from self._ask(Purpose.NEW, problem)
            again = yield from self._ask(Purpose.NEW_AGAIN)
            problem = _problem_of(old, new, again)
            if problem is not None:
                continue
            changed = yield ChangePassword(reading, old, new)
            if isinstance(changed, Changed):
                return None
            problem = _expect(changed, NotChanged).problem
            if not problem.another_try_helps:
                return problem
        return problem

    def _before(self, gathered: Gathered) -> Decision | None:
        return decide.before_password(
            gathered.reading, gathered.asker, gathered.rules, self._now()
        )

    def _after(self, gathered: Gathered, checked: Checked) -> Decision:
        return decide.after_password(
            _readable(gathered), checked, gathered.asker, gathered.rules, self._now()
        )

    def _read(self, *, offline: bool) -> _Steps[Gathered]:
        return _expect((yield ReadFacts(self._request.name, offline)), Gathered)

    def _ask(self, purpose: Purpose, problem: ChangeProblem | None = None) -> _Steps[Secret]:
        return _expect((yield Ask(purpose, problem)), Typed).secret

    def _verify(self, reading: Fresh | Copy, password: Secret, means: Means) -> _Steps[Checked]:
        checked = yield Verify(reading, password, means)
        if isinstance(checked, Proven | Wrong | Refused | NoVerdict):
            return checked
        raise UnexpectedEventError(checked)


class UnexpectedEventError(Exception):
    """A driver answered a command with something else than its result: a fault of ours."""

    def __init__(self, event: object) -> None:
        super().__init__(type(event).__name__)  # never the event: it may hold a secret


def _expect(event: object, kind: type[_T]) -> _T:
    if isinstance(event, kind):
        return event
    raise UnexpectedEventError(event)


def _readable(gathered: Gathered) -> Fresh | Copy:
    """Return the reading of an account that `before_password` had nothing against."""
    if isinstance(gathered.reading, Fresh | Copy):
        return gathered.reading
    raise UnexpectedEventError(gathered.reading)


def _means(reading: Fresh | Copy, gathered: Gathered, now: datetime) -> Means:
    kept = gathered.asker.keep_while & status_at(reading.facts, now).statuses
    if PasswordStatus.LOCKED in kept:
        return Means.KEPT
    return Means.DIRECTORY if isinstance(reading, Fresh) else Means.VERIFIER


def _outcome(attempt: _Attempt, means: Means) -> Outcome:
    match attempt.checked:
        case Wrong(repeat=False):
            return Outcome.WRONG
        case Proven() if attempt.decision.verdict is Verdict.ALLOW and means is not Means.KEPT:
            return Outcome.ALLOWED
        case Proven():
            return Outcome.PROVEN
    return Outcome.NO_VERDICT


def _problem_of(old: Secret, new: Secret, again: Secret) -> ChangeProblem | None:
    if new != again:
        return ChangeProblem.MISMATCH
    if not new.well_formed:
        return ChangeProblem.TOO_LONG if len(new.reveal()) > MAX_OCTETS else ChangeProblem.TOO_WEAK
    return ChangeProblem.SAME if new == old else None
