"""What the rest of the program may ask of a directory, whichever kind it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from loginward.core.acts import Verb
from loginward.core.changes import Changed, ChangeProblem, NotChanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.clock import Deadline
    from loginward.core.evidence import Checked
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Done:
    """An administrator's act was carried out.

    Attributes:
        was_noop: The account already was so; nothing was written.
        token: A new activation token, shown once; None for other verbs.
        notes: What the operator should know, such as "local counters cleared".
    """

    was_noop: bool = False
    token: Secret | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotDone:
    """An administrator's act was refused; nothing was written.

    Attributes:
        why: One sentence for the operator, naming the remedy.
    """

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHealth:
    """One server as last seen; `last_ok_at` None: never answered since the start."""

    name: str
    usable: bool
    last_ok_at: datetime | None = None
    last_problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How changes made in the directory come to be known.

    Attributes:
        pushed: The directory says them at once; else it has to be asked.
        age_s: For how long what is at hand may have been outdated, seconds.
        accounts: How many accounts are at hand.
        why: Why nothing is pushed.
    """

    pushed: bool
    age_s: float = 0.0
    accounts: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An administrator's act on one account.

    Attributes:
        password: For the verbs that set one.
        force: Also override what the directory's own people set (a foreign end date).
    """

    verb: Verb
    password: Secret | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class HiddenGroup:
    """A group whose members nobody can be told apart from by an account that has to.

    Attributes:
        account: The option of the account that sees no such group, or none of its members.
    """

    name: str
    account: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Accounts and whether the directory cut the list short."""

    accounts: tuple[AccountFacts, ...]
    cut: str = field(default="")  # empty, or why there may be more


__all__ = [
    "Act",
    "ChangeProblem",
    "Changed",
    "Directory",
    "Done",
    "HiddenGroup",
    "Listing",
    "NotChanged",
    "NotDone",
    "ServerHealth",
    "Verb",
    "Watched",
]


class Loop(Protocol):
    """An event loop in one thread, on which nothing may wait."""

    def watch(self, sock: Pollable, ready: Callable[[], None], *, writes: bool = False) -> None:
        """Call `ready` whenever a socket can be read, or written."""

    def unwatch(self, sock: Pollable) -> None:
        """Watch it no more."""

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Do something at a moment of CLOCK_MONOTONIC, in seconds."""

    def post(self, act: Callable[[], None]) -> None:
        """Do something soon; from any thread."""


class Pollable(Protocol):
    """What a loop can wait for."""

    def fileno(self) -> int:
        """Return its descriptor."""


class LoopChecks(Protocol):
    """Checks passwords from an event loop."""

    def check(
        self,
        account: AccountFacts,
        password: Secret,
        deadline: Deadline,
        told: Callable[[Checked], None],
    ) -> None:
        """Check a password once; `told` gets what it showed, on the loop's thread."""

    def close(self) -> None:
        """Close every connection."""


class Directory(Protocol):
    """A directory of accounts. Every call raises DirectoryUnavailable when there is no answer."""

    def find(self, name: str, deadline: Deadline) -> AccountFacts | None:
        """Return the one account of that login name; None: this directory has no such name.

        Two entries for one name is None too, logged by the adapter as ambiguous.
        """

    def at_hand(self, name: str) -> AccountFacts | None:
        """Return the account of a name where that is known now without asking anybody; no I/O."""

    def read(self, account: AccountFacts, deadline: Deadline) -> AccountFacts | None:
        """Read the entry again by its stable id or ref; None: it is gone."""

    def check(self, account: AccountFacts, password: Secret, deadline: Deadline) -> Checked:
        """Check a password once: at most one bind on the wire, never a retry after a verdict."""

    def loop_checks(
        self, loop: Loop, offload: Callable[[Callable[[], None]], object]
    ) -> LoopChecks | None:
        """Return what checks passwords from an event loop; None: only `check` does.

        Args:
            offload: Has something done by a thread that may wait.
        """

    def change(
        self, account: AccountFacts, old: Secret, new: Secret, deadline: Deadline
    ) -> Changed | NotChanged:
        """Change a person's own password, proving the old one."""

    def act(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Carry out an administrator's act."""

    def hidden_groups(self, names: frozenset[str], deadline: Deadline) -> tuple[HiddenGroup, ...]:
        """Return by which of our accounts which of these groups cannot be seen with a member.

        Whoever acts on other people does so by their groups: a group that is hidden protects nobody.
        """

    def accounts(self, deadline: Deadline) -> Listing:
        """Return every account, paged on the wire."""

    def health(self) -> tuple[ServerHealth, ...]:
        """Return the servers as last seen; no I/O."""

    def flavour(self) -> str:
        """Return the kind of directory, as set or as found; empty: not found yet. No I/O."""

    def watch(self, told: Callable[[str], None]) -> None:
        """Begin to have changes told where the directory does that.

        Args:
            told: Called, from another thread, with the stable id of each account that changed;
                empty: any may have.
        """

    def watched(self) -> Watched | None:
        """Return how changes come to be known; None: it is on this host. No I/O."""

    def close(self) -> None:
        """Close every connection; idempotent."""
