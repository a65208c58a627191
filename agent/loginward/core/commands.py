"""What the login machine wants done, and what it is told of the result."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import Checked, NoVerdict, Proof, Proven, Refused, Wrong
from loginward.core.reasons import Verdict

if TYPE_CHECKING:
    from loginward.core.decision import Decision
    from loginward.core.policy import Asker, Rules
    from loginward.core.readings import Copy, Fresh, Reading
    from loginward.core.requests import Purpose
    from loginward.core.secret import Secret
    from loginward.core.status import Lock


class Means(enum.Enum):
    """Against what a password is checked, and which tally an attempt belongs to."""

    DIRECTORY = "directory"
    VERIFIER = "verifier"  # the sealed local verifier, offline tally
    KEPT = "kept"  # a resource with keep_while: what can prove a locked user, a tally of its own


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """Look the account up; answer with Gathered.

    Attributes:
        offline: The directory has just failed to answer: only the copy is wanted.
    """

    name: str
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Have something typed; answer with Typed.

    Attributes:
        problem: Why the last new password was not taken.
        min_length: The shortest that the directory takes, in characters; None: nobody knows.
    """

    purpose: Purpose
    problem: ChangeProblem | None = None
    min_length: int | None = None


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve one attempt; answer with Granted, AtLimit (waited in vain), LockedNow or Known."""

    reading: Fresh | Copy
    password: Secret
    means: Means


@dataclass(frozen=True, slots=True)
class Verify:
    """Check the password; answer with Proven, Wrong, Refused or NoVerdict."""

    reading: Fresh | Copy
    password: Secret
    means: Means


@dataclass(frozen=True, slots=True)
class Recheck:
    """See whether the account moved since it was read; answer with Gathered or Unmoved.

    Attributes:
        contradicted: The directory's answer does not fit the reading: read again in any case.
    """

    reading: Fresh | Copy
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Settle:
    """End the attempt; answer with Settled."""

    reading: Fresh | Copy
    password: Secret
    reservation: str
    means: Means
    outcome: Outcome
    checked: Checked


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Change the password in the directory; answer with Changed or NotChanged."""

    reading: Fresh
    old: Secret
    new: Secret


@dataclass(frozen=True, slots=True)
class Done:
    """The end.

    Attributes:
        reading: The last reading the decision rests on.
        checked: What the password check showed; None where none was made.
        tripped: The lock that this very attempt tripped.
        problem: Why a change of password was refused.
        changed: This request changed the password: the one that was proven is no longer it.
    """

    decision: Decision
    reading: Reading | None = None
    checked: Checked | None = None
    tripped: Lock | None = None
    problem: ChangeProblem | None = None
    changed: bool = False

    @property
    def deserves_verifier(self) -> bool:
        """Whether a verifier may be made of the password that was proven (security.md 6).

        The directory itself proved it, nothing stood against the login, and it is still in force.
        """
        decision = self.decision
        in_order = decision.verdict is Verdict.ALLOW and not decision.allowed_by
        by_directory = isinstance(self.checked, Proven) and self.checked.proof is Proof.BIND
        return in_order and by_directory and not self.changed


Command = ReadFacts | Ask | Reserve | Verify | Recheck | Settle | ChangePassword | Done


@dataclass(frozen=True, slots=True)
class Gathered:
    """The reading, and who asks under which rules (which depend on the account's groups)."""

    reading: Reading
    asker: Asker
    rules: Rules


@dataclass(frozen=True, slots=True)
class Typed:
    """What the person typed."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Known:
    """The verdict on this very password is known without an attempt of its own.

    A repeat of a password known to be wrong, or equal to one whose check is in flight.
    """

    checked: Checked


@dataclass(frozen=True, slots=True)
class Unmoved:
    """The account is as it was read."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The attempt has ended; `tripped` if this failure locked the account."""

    tripped: Lock | None = None


Event = (
    Gathered
    | Typed
    | Granted
    | AtLimit
    | LockedNow
    | Known
    | Proven
    | Wrong
    | Refused
    | NoVerdict
    | Unmoved
    | Settled
    | Changed
    | NotChanged
)
