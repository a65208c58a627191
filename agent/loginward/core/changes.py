"""The outcome of changing one's own password."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class ChangeProblem(enum.Enum):
    """Why a new password was not taken; each has a text `change.rejected.<value>`."""

    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    IN_HISTORY = "in-history"
    TOO_YOUNG = "too-young"
    TOO_WEAK = "too-weak"
    SAME = "same"
    NOT_ALLOWED = "not-allowed"  # the directory does not let this person change it
    WRONG_OLD = "wrong-old"
    NO_ACTIVATION = "no-activation"  # whatever of name and token is not right
    NO_ANSWER = "no-answer"  # in time; whether it was changed is not known
    MISMATCH = "mismatch"  # typed twice, differently (R41)

    @property
    def another_try_helps(self) -> bool:
        """Whether typing a different new password may succeed."""
        return self not in {
            ChangeProblem.TOO_YOUNG,
            ChangeProblem.NOT_ALLOWED,
            ChangeProblem.NO_ANSWER,
            ChangeProblem.WRONG_OLD,
            ChangeProblem.NO_ACTIVATION,
        }


@dataclass(frozen=True, slots=True)
class Changed:
    """The password was changed; `changed_at` (aware UTC) as the directory says, if it does."""

    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotChanged:
    """Nothing was changed; `said` is the directory's own wording for the log."""

    problem: ChangeProblem
    said: str = ""
