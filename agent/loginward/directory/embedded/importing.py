"""A file of accounts, taken whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from loginward.directory.embedded.drafts import Draft, Terms, draft_of
from loginward.directory.embedded.reading import Entry, LineProblem, read_entries

if TYPE_CHECKING:
    from collections.abc import Collection

    from loginward.core.clock import Clock
    from loginward.core.secret import Secret
    from loginward.directory.embedded.codec import Rows
    from loginward.directory.embedded.fields import Format


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is.

    Attributes:
        step: "reading" (in lines), "hashing" (in passwords) or "writing" (in accounts).
        per_s: Of them in a second, since the step began; 0.0 until that can be said.
    """

    step: str
    done: int
    total: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Imported:
    """Every account of the file is in the directory.

    Attributes:
        pending: How many of them have no password yet.
        hashed: How many came with a clear-text password.
    """

    accounts: int
    pending: int
    hashed: int


@dataclass(frozen=True, slots=True)
class NotImported:
    """Nothing of the file is in the directory; every problem found, by line."""

    problems: tuple[LineProblem, ...]


_T = TypeVar("_T")
_TURN: Final = 40  # accounts between two pauses: about a millisecond
_PAUSE_S: Final = 0.0002
OnProgress = Callable[[Progress], None]


class Meter:
    """Counts a step of an import and tells at most once in a hundredth of it."""

    def __init__(self, step: str, total: int, clock: Clock, on_progress: OnProgress) -> None:
        self._step = step
        self._total = total
        self._clock = clock
        self._on_progress = on_progress
        self._began = clock.monotonic()
        self._told = 0
        self._done = 0

    def reached(self, done: int) -> None:
        """Note how far it is."""
        self._done = done
        if done >= self._total or (done - self._told) * 100 >= self._total:
            self._told = done
            took = self._clock.monotonic() - self._began
            per_s = done / took if took > 0 else 0.0
            self._on_progress(Progress(self._step, done, self._total, per_s))

    def finish(self) -> None:
        """Note that the step is over."""
        self.reached(self._total)

    def advance(self, by: int = 1) -> None:
        """Note so many more."""
        self.reached(self._done + by)


def gently(things: Iterable[_T]) -> Iterator[_T]:
    """Yield the same, with a pause of a moment now and then for who signs in meanwhile.

    Python runs one thread at a time; without pauses each step of a login waits for its turn.
    """
    never = threading.Event()
    for count, thing in enumerate(things):
        yield thing
        if count % _TURN == 0:
            never.wait(_PAUSE_S)


def drafts_of(
    octets: bytes, form: Format, terms: Terms, meter: Meter
) -> tuple[list[Draft], list[LineProblem]]:
    """Return the accounts of a file and all that is wrong with it."""
    drafts: list[Draft] = []
    problems: list[LineProblem] = []
    for entry in gently(read_entries(octets, form)):
        read = draft_of(entry, terms) if isinstance(entry, Entry) else (entry,)
        if isinstance(read, Draft):
            drafts.append(read)
            meter.reached(read.line)
        else:
            problems.extend(read)
    meter.finish()
    return drafts, problems


def taken_twice(
    drafts: Iterable[Draft], names: Collection[str], ids: Collection[str]
) -> list[LineProblem]:
    """Return the accounts whose name or id the directory or an earlier line has already.

    `names` and `ids` are those of the directory, the names in index form.
    """
    problems = []
    seen_names: dict[str, int] = {}
    seen_ids: dict[str, int] = {}
    for draft in gently(drafts):
        for field, key, there, seen in (
            ("username", draft.name, names, seen_names),
            ("id", draft.id, ids, seen_ids),
        ):
            if key in there:
                why = "is in the directory already; remove it there or here"
                problems.append(LineProblem(draft.line, field, why))
            elif key in seen:
                why = f"is that of line {seen[key]} too; names differ in more than case"
                problems.append(LineProblem(draft.line, field, why))
            seen.setdefault(key, draft.line)
    return problems


def hashed(draft: Draft, hash_password: Callable[[Secret], str]) -> Rows:
    """Return the rows of an account, its clear-text password hashed."""
    account, password, token, tally = draft.rows
    if draft.clear is None or password is None:
        return draft.rows
    account_id, _, *rest = password
    return account, (account_id, hash_password(draft.clear), *rest), token, tally
