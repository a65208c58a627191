"""The thread that writes audit events, so that a login never waits for the disk.

A bounded queue; what has come together is written as one and made durable, at once for what is
new, within a second for the rest. What is dropped is counted, and the count is written.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.runtime.events import AnyEvent, DecisionEvent, FaultEvent, event_line
from loginward.runtime.folding import Folding

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.runtime.trail import TrailWriter

_log = logging.getLogger(__name__)
QUEUE: Final = 8192  # events that wait for the disk
LINGER_S: Final = 0.05  # for more to come together
SYNC_WITHIN_S: Final = 1.0
_AGAIN_S: Final = 1.0  # between two tries to write to a full disk


@dataclass(frozen=True, slots=True)
class AuditHealth:
    """How the trail is; `fault` is empty while it can be written."""

    fault: str
    dropped: int
    waiting: int


class AuditThread:
    """Takes events from many threads and writes them on its own."""

    def __init__(self, writer: TrailWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._state = threading.Condition()
        self._queue: deque[AnyEvent] = deque()
        self._folding = Folding()
        self._urgent = False
        self._writing = False
        self._stopping = False
        self._dropped = 0
        self._dropped_told = 0
        self._fault = ""
        self._batches = 0
        self._turns = 0
        self._synced_at = clock.monotonic()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Start writing; what was put before is written first."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Write what waits and end; idempotent."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def is_well(self) -> bool:
        """Whether it writes, once it has been started."""
        return self._thread.is_alive()

    @property
    def turn(self) -> int:
        """Return a number that changes at least once a second, as long as it gets on."""
        return self._turns

    @property
    def ended(self) -> bool:
        """Whether nothing is written any more."""
        return self._stopping and not self._thread.is_alive()

    def put(self, event: AnyEvent, *, urgent: bool) -> None:
        """Queue an event, or count it as dropped; never waits for the disk."""
        with self._state:
            self._enqueue(event, urgent=urgent)

    def put_decision(self, event: DecisionEvent, *, urgent: bool) -> None:
        """Queue a decision, unless it repeats a refusal of the last minute."""
        with self._state:
            if not self._folding.keeps(event, self._clock.monotonic()):
                self._enqueue(event, urgent=urgent)

    def kept_back(self, reference: str) -> DecisionEvent | None:
        """Return the refusal of that reference, if it is kept back as a repeat."""
        with self._state:
            return self._folding.find(reference)

    def kept_back_of(self, name: str) -> list[DecisionEvent]:
        """Return the refusals of an account that are kept back as repeats, the last of each kind."""
        with self._state:
            return self._folding.of(name)

    def flush(self, timeout_s: float) -> bool:
        """Wait until what is queued now is on disk; False: it was not within the time."""
        with self._state:
            self._urgent = self._urgent or bool(self._queue)
            self._state.notify_all()
            return self._state.wait_for(lambda: not (self._queue or self._writing), timeout_s)

    def batches(self) -> int:
        """Return how often something was written; give it to `wait_for_batch`."""
        with self._state:
            return self._batches

    def wait_for_batch(self, seen: int, timeout_s: float) -> None:
        """Wait until something more has been written, the thread stops, or the time is over."""
        with self._state:
            self._state.wait_for(lambda: self._batches != seen, timeout_s)

    def health(self) -> AuditHealth:
        """Return how the trail is; no I/O."""
        with self._state:
            return AuditHealth(self._fault, self._dropped, len(self._queue))

    def _enqueue(self, event: AnyEvent, *, urgent: bool) -> None:
        if len(self._queue) >= QUEUE:
            self._dropped += 1
            return
        self._queue.append(event)
        self._urgent = self._urgent or urgent
        if urgent or len(self._queue) == 1:
            self._state.notify_all()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            self._turns += 1
            batch: list[AnyEvent] = []
            try:
                batch, urgent, stopping = self._next_batch()
                self._write(batch, urgent=urgent or stopping)
            except Exception:  # noqa: BLE001  top of the thread: one odd event must not end the trail
                _log.exception("audit: %d events lost to a fault of ours", len(batch))
                with self._state:
                    self._dropped += len(batch)
                    stopping = self._stopping
            with self._state:
                self._writing = False
                self._batches += bool(batch) or stopping
                self._state.notify_all()
        self._writer.close()

    def _next_batch(self) -> tuple[list[AnyEvent], bool, bool]:
        with self._state:
            self._state.wait_for(lambda: self._queue or self._stopping, timeout=SYNC_WITHIN_S)
            if self._queue:
                self._state.wait_for(lambda: self._urgent or self._stopping, timeout=LINGER_S)
            urgent, self._urgent = self._urgent, False
            self._writing = True
            batch = list(self._queue)
            self._queue.clear()
            batch += self._folding.ended(self._clock.monotonic())
            if self._stopping:
                batch += self._folding.end_all()
            untold = self._dropped - self._dropped_told
            if untold:
                self._dropped_told = self._dropped
                batch.append(self._drops(untold))
            return batch, urgent, self._stopping

    def _drops(self, count: int) -> FaultEvent:
        problem = f"{count} events were not written"
        return FaultEvent(at=self._clock.now(), part="events", problem=problem)

    def _write(self, batch: list[AnyEvent], *, urgent: bool) -> None:
        """Write until it is written; on a full disk until it is time to stop."""
        lines = b"".join(map(event_line, batch))
        while True:
            self._turns += 1
            try:
                self._try_write(lines, urgent=urgent)
            except OSError as error:
                lines = b""  # the writer holds them
                if not self._wait_after(error):
                    return
            else:
                self._note_mended()
                return

    def _try_write(self, lines: bytes, *, urgent: bool) -> None:
        if lines or self._writer.owes:
            self._writer.append(lines, self._clock.now().date())
        at = self._clock.monotonic()
        if self._writer.unsynced and (urgent or at - self._synced_at >= SYNC_WITHIN_S):
            self._writer.sync()
            self._synced_at = at

    def _wait_after(self, error: OSError) -> bool:
        """Note the fault and wait a little; False: it is time to stop."""
        problem = f"{error.filename or 'audit trail'}: {error.strerror}"
        if not self._fault:  # only this thread writes it, and no login waits for the log
            _log.error("audit: the trail cannot be written: %s", problem)
        with self._state:
            self._fault = problem
            return not self._state.wait_for(lambda: self._stopping, timeout=_AGAIN_S)

    def _note_mended(self) -> None:
        if self._fault:
            _log.warning("audit: the trail can be written again")
            with self._state:
                self._fault = ""
