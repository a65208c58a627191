"""Who computes Argon2id next: two at once, checks before verifiers, fair by source."""

from __future__ import annotations

import enum
import threading
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from loginward.errors import LoginwardError

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE: Final = 2  # bounds the working memory to 2 x 64 MiB
PLACES: Final = 8
WAIT_S: Final = 10.0


class GateBusy(LoginwardError):  # noqa: N818  it is a state of the world, not a bug
    """No computation could be started in time; says nothing about the password."""


class Work(enum.Enum):
    """What a computation is for."""

    CHECK = "check"  # somebody waits for the answer
    VERIFIER = "verifier"  # made after the answer; waits for every check


@dataclass(eq=False, slots=True)
class _Waiter:
    source: str
    go: threading.Event = field(default_factory=threading.Event)
    admitted: bool = False


class Gate:
    """Admits computations.

    Args:
        at_once: How many run at once.
        places: How many checks may wait; verifiers take none of these.
    """

    def __init__(self, at_once: int = AT_ONCE, places: int = PLACES) -> None:
        self._at_once = at_once
        self._places = places
        self._lock = threading.Lock()
        self._running = Counter[str]()
        self.admitted = 0  # so far: as long as it grows, whoever waits is only not first
        self._checks = deque[_Waiter]()
        self._verifiers = deque[_Waiter]()

    @contextmanager
    def turn(self, work: Work, source: str, wait_s: float | None = WAIT_S) -> Iterator[None]:
        """Hold one of the computations.

        Args:
            work: What it is for; checks go first.
            source: Whose work it is; no source waits behind the crowd of another.
            wait_s: Seconds to wait at most; None waits as long as it takes.

        Raises:
            GateBusy: Every place is taken, or the time is over.
        """
        self._enter(work, source, wait_s)
        try:
            yield
        finally:
            with self._lock:
                self._running[source] -= 1
                if not self._running[source]:
                    del self._running[source]
                self._admit_next()

    def _enter(self, work: Work, source: str, wait_s: float | None) -> None:
        waiter = _Waiter(source)
        queue = self._checks if work is Work.CHECK else self._verifiers
        with self._lock:
            if work is Work.CHECK:
                self._make_room(source)
            queue.append(waiter)
            self._admit_next()
        waiter.go.wait(wait_s)
        with self._lock:
            if waiter.admitted:
                return
            if waiter in queue:
                queue.remove(waiter)
        raise GateBusy("no computation was free in time")

    def _make_room(self, source: str) -> None:
        """Let a newcomer take the last place of the source that holds most of them."""
        waiting = Counter(waiter.source for waiter in self._checks)
        if len(self._checks) < self._places:
            return
        greediest, most = waiting.most_common(1)[0]
        if waiting[source] + 1 >= most:
            raise GateBusy("every waiting place is taken")
        evicted = next(w for w in reversed(self._checks) if w.source == greediest)
        self._checks.remove(evicted)
        evicted.go.set()

    def _admit_next(self) -> None:
        while self._running.total() < self._at_once and (self._checks or self._verifiers):
            queue = self._checks or self._verifiers
            # min keeps the order of arrival between sources that have as many running
            first = min(queue, key=lambda waiter: self._running[waiter.source])
            queue.remove(first)
            self._running[first.source] += 1
            first.admitted = True
            self.admitted += 1
            first.go.set()
