"""The audit trail: one event for every decision, act, transition and fault; written and read back."""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from loginward.core.names import index_form
from loginward.core.reasons import Verdict
from loginward.runtime.audit_thread import AuditHealth, AuditThread
from loginward.runtime.events import (
    AnyEvent,
    DecisionEvent,
    StrangerNames,
    event_of,
    new_reference,
)
from loginward.runtime.trail import Line, TrailWriter, lines_after, lines_backward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from loginward.core.clock import Clock
    from loginward.settings import Events

_FLUSH_S = 0.5  # that a reader waits for what was recorded just now
_FOLLOW_S = 1.0
_LATELY_D = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and its id: where it stands, to go on from."""

    id: str
    event: AnyEvent


class Audit:
    """Writes the trail, and reads it back; safe for many threads.

    Args:
        folder: state_dir/events.
        settings: Returns those in force; the spelling of strangers' names stays as it began.
        name_key: Keys the hashes of names that nobody has; one that outlives the process makes
            them comparable over restarts.

    Attributes:
        strangers: How names that nobody has are spelt in events.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        settings: Callable[[], Events],
        name_key: bytes | None = None,
    ) -> None:
        self._folder = folder
        self._thread = AuditThread(TrailWriter(folder, lambda: settings().keep_d), clock)
        plain = settings().unknown_names == "plain"
        self.strangers = StrangerNames(name_key or os.urandom(32), plain=plain)

    def start(self) -> None:
        """Start writing; what was recorded before is written first."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Write what waits, repeats kept back too, and end; idempotent."""
        self._thread.stop(timeout_s)

    def decided(self, event: DecisionEvent) -> str:
        """Record a decision and return the reference it was given; never waits for the disk."""
        referred = msgspec.structs.replace(event, reference=new_reference())
        self._thread.put_decision(referred, urgent=event.verdict is Verdict.REFUSE)
        return referred.reference

    def record(self, event: AnyEvent) -> None:
        """Record anything else; it is made durable at once, and never waited for."""
        self._thread.put(event, urgent=True)

    def flush(self, timeout_s: float) -> bool:
        """Wait until what is recorded is on disk; False: it was not within the time."""
        return self._thread.flush(timeout_s)

    def health(self) -> AuditHealth:
        """Return how the trail is; no I/O."""
        return self._thread.health()

    @property
    def is_well(self) -> bool:
        """Whether events are written, once that was started."""
        return self._thread.is_well

    @property
    def turn(self) -> int:
        """Return a number that changes as long as it gets on."""
        return self._thread.turn

    def find(self, reference: str) -> DecisionEvent | None:
        """Return the decision of a reference, however it is spelt (7f3-k2q); None: none has it."""
        wanted = "".join(filter(str.isalnum, reference.upper()))
        kept = self._thread.kept_back(wanted)
        if kept is not None or not wanted:
            return kept
        self.flush(_FLUSH_S)
        for line in lines_backward(self._folder, b'"%s"' % wanted.encode("utf-8", "replace")):
            event = event_of(line.octets)
            if isinstance(event, DecisionEvent) and wanted in {event.reference, *event.references}:
                return msgspec.structs.replace(event, reference=wanted)
        return None

    def last(self, count: int, name: str = "") -> list[Entry]:
        """Return the last events, oldest first; of one account only where a name is given."""
        self.flush(_FLUSH_S)
        is_wanted = self._about(name)
        found: list[Entry] = []
        for line in lines_backward(self._folder):
            if len(found) >= count:
                break
            found += _entries(line, is_wanted)
        return found[::-1]

    def lately(self, name: str) -> Iterator[AnyEvent]:
        """Return what happened to an account in the last days with events, newest first.

        `name` is spelt as the directory does; what is kept back as a repeat is among it.
        """
        kept_back = self._thread.kept_back_of(name)
        kept_back.sort(key=_moment, reverse=True)
        self.flush(_FLUSH_S)
        yield from heapq.merge(kept_back, self._written(name), key=_moment, reverse=True)

    def _written(self, name: str) -> Iterator[AnyEvent]:
        needle = b'"name":' + msgspec.json.encode(name)
        for line in lines_backward(self._folder, needle, _LATELY_D):
            event = event_of(line.octets)
            if event is not None and event.name == name:
                yield event

    def after(self, entry_id: str, name: str = "") -> Iterator[Entry]:
        """Return what follows an event, to the end of what is written now.

        An id that is none starts at the oldest event.
        """
        self.flush(_FLUSH_S)
        is_wanted = self._about(name)
        for line in lines_after(self._folder, *_place(entry_id)):
            yield from _entries(line, is_wanted)

    def follow(self, entry_id: str, name: str = "") -> Iterator[Entry | None]:
        """Return what follows an event, and go on; None after each second without any.

        Ends when the trail has stopped.
        """
        place, is_wanted = _place(entry_id), self._about(name)
        while True:
            ended, seen, quiet = self._thread.ended, self._thread.batches(), True
            for line in lines_after(self._folder, *place):
                place = (line.number, line.end)
                for entry in _entries(line, is_wanted):
                    quiet = False
                    yield entry
            if ended:
                return
            if quiet:
                yield None
            self._thread.wait_for_batch(seen, _FOLLOW_S)

    def _about(self, name: str) -> Callable[[AnyEvent], bool]:
        """Return the test for events about a name, be it known or nobody's; empty: all."""
        if not name:
            return lambda _: True
        form, stranger = index_form(name), self.strangers.shown(name)
        return lambda event: event.name == stranger or index_form(event.name) == form


def _moment(event: AnyEvent) -> datetime:
    return event.at


def _entries(line: Line, is_wanted: Callable[[AnyEvent], bool]) -> tuple[Entry, ...]:
    event = event_of(line.octets)
    if event is None or not is_wanted(event):
        return ()
    return (Entry(f"{line.number}-{line.end}", event),)


def _place(entry_id: str) -> tuple[int, int]:
    number, _, end = entry_id.partition("-")
    if all(part.isascii() and part.isdecimal() for part in (number, end)):
        return int(number), int(end)
    return 0, 0
