"""What the parts of the login machine share: steps that yield commands and take events."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from loginward.core import decide
from loginward.core.commands import Ask, Command, Done, Event, Gathered, Means, Typed
from loginward.core.decision import Decision
from loginward.core.evidence import Checked, NoVerdict, Proof, Proven
from loginward.core.facts import status_at
from loginward.core.readings import Copy, Fresh, Reading
from loginward.core.status import PasswordStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.changes import ChangeProblem
    from loginward.core.requests import Purpose
    from loginward.core.secret import Secret
    from loginward.core.status import Lock

_T = TypeVar("_T")
Steps = Generator[Command, Event, _T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One password, judged.

    Attributes:
        checked: None where the password was not checked.
        unanswered: The directory was asked and did not answer: the copy may.
        problem: Why a change of password was refused.
        changed: The password was changed.
    """

    gathered: Gathered
    decision: Decision
    checked: Checked | None = None
    unanswered: bool = False
    tripped: Lock | None = None
    problem: ChangeProblem | None = None
    changed: bool = False

    @property
    def done(self) -> Done:
        """Return the end of a login that stops here."""
        return Done(
            decision=self.decision,
            reading=self.gathered.reading,
            checked=self.checked,
            tripped=self.tripped,
            problem=self.problem,
            changed=self.changed,
        )


class UnexpectedEventError(Exception):
    """A driver answered a command with something else than its result: a fault of ours."""

    def __init__(self, event: object) -> None:
        super().__init__(type(event).__name__)  # never the event: it may hold a secret


def expect(event: object, kind: type[_T]) -> _T:
    """Return an event of the kind that the last command asked for.

    Raises:
        UnexpectedEventError: It is of another kind.
    """
    if isinstance(event, kind):
        return event
    raise UnexpectedEventError(event)


def readable(reading: Reading) -> Fresh | Copy:
    """Return the reading of an account that `before_password` had nothing against."""
    if isinstance(reading, Fresh | Copy):
        return reading
    raise UnexpectedEventError(reading)


def typed(
    purpose: Purpose, problem: ChangeProblem | None = None, min_length: int | None = None
) -> Steps[Secret]:
    """Ask for something and return what was typed."""
    return expect((yield Ask(purpose, problem, min_length)), Typed).secret


def judge(gathered: Gathered, checked: Checked, now: Callable[[], datetime]) -> Decision:
    """Run both rules, before and after the password, on one reading at one moment."""
    reading, asker, rules, moment = gathered.reading, gathered.asker, gathered.rules, now()
    return decide.before_password(reading, asker, rules, moment) or decide.after_password(
        readable(reading), checked, asker, rules, moment
    )


def still_proves(checked: Checked, before: Fresh | Copy, after: Reading) -> Checked:
    """Return what a check still says of an account that moved since it was read (R60).

    A proof dies with its entry: another one may have taken the name. A verifier proves the
    password of one change time only (R18); a bind was sent after the older reading.
    """
    if not isinstance(checked, Proven) or not isinstance(after, Fresh | Copy):
        return checked
    same_entry = after.facts.account_id == before.facts.account_id
    same_password = after.facts.changed_at == before.facts.changed_at
    if same_entry and (same_password or checked.proof is not Proof.VERIFIER):
        return checked
    return NoVerdict("moved")


def means_of(gathered: Gathered, now: datetime) -> Means:
    """Return against what a password is checked.

    What a resource keeps in (R53) is proven without the directory wherever that would refuse the
    locked, or spend a grace login of the expired.
    """
    reading = readable(gathered.reading)
    status = status_at(reading.facts, now)
    kept = gathered.asker.keep_while & status.statuses
    fresh = isinstance(reading, Fresh)
    spends_grace = fresh and reading.facts.grace_left > 0 and not gathered.asker.changing
    if PasswordStatus.LOCKED in kept or (PasswordStatus.EXPIRED in kept and spends_grace):
        return Means.KEPT
    return Means.DIRECTORY if fresh else Means.VERIFIER
