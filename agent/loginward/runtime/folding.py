"""Identical refusals within a minute are one line with a count; the first is written at once.

Every refusal keeps a reference of its own: if equal ones shared it, a reference that moves would
tell a stranger that the reason moved, and so which accounts exist.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import msgspec

from loginward.core.reasons import Verdict
from loginward.runtime.events import DecisionEvent

WINDOW_S: Final = 60.0
_MOST_KINDS: Final = 10_000
_MOST_REFERENCES: Final = 200  # of one line


@dataclass(slots=True)
class _Fold:
    began: float
    last: DecisionEvent | None = None
    references: list[str] = field(default_factory=list)


class Folding:
    """Keeps back the repeats of a refusal; not safe for threads, its owner locks."""

    def __init__(self) -> None:
        self._folds: OrderedDict[tuple[object, ...], _Fold] = OrderedDict()
        self._ended: list[DecisionEvent] = []

    def keeps(self, event: DecisionEvent, at: float) -> bool:
        """Return whether the event is kept back as a repeat; otherwise it is to be written.

        Args:
            event: What was decided.
            at: Seconds of a clock that never goes back.
        """
        if event.verdict is not Verdict.REFUSE or event.tripped is not None:
            return False
        kind = _kind(event)
        fold = self._folds.get(kind)
        if fold is None or at - fold.began >= WINDOW_S:
            self._end(kind)
            self._folds[kind] = _Fold(at)
            while len(self._folds) > _MOST_KINDS:
                self._end(next(iter(self._folds)))
            return False
        fold.last = event
        fold.references.append(event.reference)
        if len(fold.references) >= _MOST_REFERENCES:
            self._end(kind)
        return True

    def ended(self, at: float) -> list[DecisionEvent]:
        """Return, once, the lines for repeats whose minute is over at `at`."""
        while self._folds:
            kind, fold = next(iter(self._folds.items()))
            if at - fold.began < WINDOW_S:
                break
            self._end(kind)
        ended, self._ended = self._ended, []
        return ended

    def end_all(self) -> list[DecisionEvent]:
        """Return, once, the lines for every repeat kept back."""
        for kind in list(self._folds):
            self._end(kind)
        ended, self._ended = self._ended, []
        return ended

    def find(self, reference: str) -> DecisionEvent | None:
        """Return the refusal of that reference, if it is kept back."""
        for fold in self._folds.values():
            if fold.last is not None and reference in fold.references:
                return msgspec.structs.replace(fold.last, reference=reference)
        return None

    def of(self, name: str) -> list[DecisionEvent]:
        """Return the refusals of an account that are kept back, the last of each kind."""
        lasts = (fold.last for fold in self._folds.values())
        return [last for last in lasts if last is not None and last.name == name]

    def _end(self, kind: tuple[object, ...]) -> None:
        fold = self._folds.pop(kind, None)
        if fold is None or fold.last is None:
            return
        references = tuple(fold.references)
        self._ended.append(
            msgspec.structs.replace(fold.last, count=len(references), references=references)
        )


def _kind(event: DecisionEvent) -> tuple[object, ...]:
    return (
        event.account or event.name,
        event.source,
        event.reason,
        event.detail,
        event.door,
        event.phase,
        event.service,
    )
