"""A file of accounts, taken whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loginward.core.names import index_form
from loginward.directory.embedded.drafts import Draft, Terms, draft_of
from loginward.directory.embedded.reading import Entry, LineProblem, read_entries

if TYPE_CHECKING:
    from collections.abc import Collection

    from loginward.core.clock import Clock
    from loginward.core.secret import Secret
    from loginward.directory.embedded.fields import Format
    from loginward.directory.embedded.record import Record


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


def drafts_of(
    octets: bytes, form: Format, terms: Terms, meter: Meter
) -> tuple[list[Draft], list[LineProblem]]:
    """Return the accounts of a file and all that is wrong with it."""
    drafts: list[Draft] = []
    problems: list[LineProblem] = []
    for entry in read_entries(octets, form):
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
    for draft in drafts:
        name = index_form(draft.record.name)
        for field, key, there, seen in (
            ("username", name, names, seen_names),
            ("id", draft.record.id, ids, seen_ids),
        ):
            if key in there:
                why = "is in the directory already; remove it there or here"
                problems.append(LineProblem(draft.line, field, why))
            elif key in seen:
                why = f"is that of line {seen[key]} too; names differ in more than case"
                problems.append(LineProblem(draft.line, field, why))
            seen.setdefault(key, draft.line)
    return problems


def hashed(draft: Draft, hash_password: Callable[[Secret], str]) -> Record:
    """Return the account of a draft, its clear-text password hashed."""
    record = draft.record
    if draft.clear is None or record.password is None:
        return record
    return replace(record, password=replace(record.password, phc=hash_password(draft.clear)))
