"""What the runtime asks of the operating system after an account was unlocked or changed (R62)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts
    from loginward.core.transitions import Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    Attributes:
        name: Stable, such as "faillock".
        uid: Of the account on this host; the step looks its name up itself.
        text: What it does, for a person.
        needed: False: there is nothing to clear, and nothing is done.
        command: What a person types where this process has not the right.
    """

    name: str
    uid: int
    text: str
    needed: bool = True
    command: str = ""


class StepOutcome(enum.Enum):
    """What became of a step."""

    DONE = "done"
    WOULD = "would"
    NOT_NEEDED = "not-needed"
    FAILED = "failed"
    ADVICE = "advice"  # for a person to do


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step and what became of it; `text` says what was done, failed, or is to do."""

    step: str
    outcome: StepOutcome
    text: str


class PostUnlockActions(Protocol):
    """The steps of one operating system; each may be repeated without harm."""

    def plan(self, account: AccountFacts, transition: Transition) -> tuple[Step, ...]:
        """Return the steps that a transition asks for on this host; changes nothing."""

    def carry_out(self, steps: tuple[Step, ...], *, dry_run: bool) -> tuple[StepResult, ...]:
        """Do them, each within its own time, whatever the others do; or only name them."""
