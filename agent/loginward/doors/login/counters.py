"""What the login door has seen, for metrics and `status`."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Final

NAMES: Final = (
    "accepted",  # connections
    "refused",  # connections closed unheard: too many, or nobody behind them
    "evicted",  # connections closed to make room for another
    "timed_out",  # BEGIN, ANSWER or the conversation not ended in time
    "rate_limited",  # questions beyond a uid's allowance
    "garbage",  # connections closed for breaking the protocol
    "hung_up",  # by the client, before its RESULT
    "questions",
    "results",
    "faults",  # answers that failed inside us
)


class Counters:
    """Counts that only grow; safe for many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Count one; `name` is one of NAMES."""
        with self._guard:
            self._counts[name] += 1

    def snapshot(self) -> dict[str, int]:
        """Return all counts by name."""
        with self._guard:
            return {name: self._counts[name] for name in NAMES}
