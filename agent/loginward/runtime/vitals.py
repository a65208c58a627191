"""Whether every thread that others rely on still gets on, by looking again and again.

A thread that has ended is seen at once. One that hangs, in a flush or in a call that never
returns, is seen by the number of its turn, which stays the same.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock

_log = logging.getLogger(__name__)
HANGS_AFTER_S: Final = 60.0  # longer than any turn that comes to an end by itself
_LOOKED_TOO_LONG_AGO_S: Final = HANGS_AFTER_S / 2


@dataclass(frozen=True, slots=True)
class _Seen:
    """A turn, and since when it is known to be under way (CLOCK_MONOTONIC)."""

    turn: object
    since: float


class Vitals:
    """What is looked at; safe for many threads.

    It has to be asked every few seconds. After a pause of the whole machine, which is no fault of any
    thread's, everybody's time begins anew.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._turns: dict[str, Callable[[], object | None]] = {}
        self._seen = dict[str, _Seen]()
        self._hanging: tuple[str, ...] = ()
        self._looked_at = clock.monotonic()

    def watch(self, name: str, turn: Callable[[], object | None]) -> None:
        """Look at a part too.

        Args:
            name: As `status` shows it.
            turn: Returns what tells its turn under way from any other; None: it waits for work.
        """
        with self._lock:
            self._turns[name] = turn

    def hanging(self) -> tuple[str, ...]:
        """Look at each part; return those whose turn has been under way for too long."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._looked_at > _LOOKED_TOO_LONG_AGO_S:
                self._seen.clear()
            self._looked_at = now
            hanging = tuple(name for name in self._turns if self._hangs(name, now))
            told, self._hanging = self._hanging, hanging
        for name in hanging:
            if name not in told:
                _log.critical("loginward: %s hangs: no progress for %d s", name, HANGS_AFTER_S)
        for name in told:
            if name not in hanging:
                _log.warning("loginward: %s gets on again", name)
        return hanging

    def _hangs(self, name: str, now: float) -> bool:
        turn, seen = self._turns[name](), self._seen.get(name)
        if turn is None or seen is None or seen.turn != turn:
            self._seen[name] = seen = _Seen(turn, now)
        return turn is not None and now - seen.since >= HANGS_AFTER_S
