"""A clock that tests move by hand; all its clocks move together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


class MovingClock:
    """Stands still until told to pass."""

    def __init__(self, start: datetime = NOW) -> None:
        self._start = start
        self.passed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1000.0 + self.passed_s

    def boottime(self) -> float:
        return 5000.0 + self.passed_s

    def pass_s(self, seconds: float) -> None:
        self.passed_s += seconds
