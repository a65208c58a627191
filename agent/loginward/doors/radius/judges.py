"""Threads that judge: what continues a login goes first, and nothing piles up.

Source: RFC 5080 section 2.2.3: under overload a login under way is finished before another begins.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
WORKERS: Final = 16
MOST_NEW: Final = 512  # waiting; as many logins as a slow directory answers within a NAS's patience
MOST_CONTINUING: Final = 2048


class Judges:
    """The threads between the loop and the service."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._lock = threading.Lock()
        self._offered = threading.Condition(self._lock)
        self._continuing: deque[Callable[[], None]] = deque()
        self._new: deque[Callable[[], None]] = deque()
        self._at_work = 0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"radius-{n}", daemon=True)
            for n in range(workers)
        ]

    @property
    def busy(self) -> tuple[int, int]:
        """Return how many jobs are done now and how many wait."""
        with self._lock:
            return self._at_work, len(self._new) + len(self._continuing)

    @property
    def are_well(self) -> bool:
        """Whether none of the threads has ended by itself; before they start, none has."""
        return all(thread.is_alive() or thread.ident is None for thread in self._threads)

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def offer(self, job: Callable[[], None], *, continuing: bool) -> bool:
        """Have a job done; False: too many wait already, it never will be.

        Args:
            job: Must not raise; whatever it does is its own business.
            continuing: It belongs to a login that has begun.
        """
        queue, most = (self._continuing, MOST_CONTINUING) if continuing else (self._new, MOST_NEW)
        with self._offered:
            if len(queue) >= most or self._stopping:
                return False
            queue.append(job)
            self._offered.notify()
        return True

    def stop(self, within_s: float) -> None:
        """Begin nothing more, and wait for what is under way."""
        with self._offered:
            self._stopping = True
            self._new.clear()
            self._continuing.clear()
            self._offered.notify_all()
            self._offered.wait_for(lambda: self._at_work == 0, within_s)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001  the door's one place: a fault of ours lets nobody in
                _log.exception("a RADIUS request could not be judged")
            finally:
                with self._offered:
                    self._at_work -= 1
                    if self._stopping:
                        self._offered.notify_all()

    def _next(self) -> Callable[[], None] | None:
        with self._offered:
            while not self._stopping:
                queue = self._continuing or self._new
                if queue:
                    self._at_work += 1
                    return queue.popleft()
                self._offered.wait()
        return None
