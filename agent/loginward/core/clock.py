"""What the rest of the program asks of time; `loginward.runtime.clock` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Wall time and two clocks that never go back."""

    def now(self) -> datetime:
        """Return the believed wall time, aware, UTC."""

    def monotonic(self) -> float:
        """Return seconds of CLOCK_MONOTONIC, for deadlines."""

    def boottime(self) -> float:
        """Return seconds since boot, suspended time included (CLOCK_BOOTTIME)."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of CLOCK_MONOTONIC, in seconds, after which nothing more is waited for."""

    at: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(clock.monotonic() + seconds, clock)

    @property
    def left(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """Return whether nothing is left."""
        return self.left == 0.0

    def sooner(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and one that many seconds from now."""
        return Deadline(min(self.at, self.clock.monotonic() + seconds), self.clock)
