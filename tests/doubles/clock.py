"""A clock for tests that talk over real sockets: wall time is fixed, durations are real."""

from __future__ import annotations

import time
from datetime import UTC, datetime

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


class FixedWall:
    """Believes one moment for ever."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return time.monotonic()
