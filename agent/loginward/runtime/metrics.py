"""The agent's counters as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loginward.core.commands import Done
    from loginward.core.requests import LoginRequest


class Metrics:
    """Counts decisions, and asks the parts for their gauges when somebody looks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decisions: Counter[tuple[str, str, str]] = Counter()
        self._seconds = 0.0
        self._gauges: dict[str, tuple[str, Callable[[], Mapping[str, float]]]] = {}

    def decided(self, request: LoginRequest, done: Done, elapsed_s: float) -> None:
        """Count a decision and how long it took, in seconds."""
        key = (request.door.value, request.phase.value, done.decision.reason.value)
        with self._lock:
            self._decisions[key] += 1
            self._seconds += elapsed_s

    def watch(self, name: str, what: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Show what `read` returns, by label `kind`, under a name."""
        self._gauges[name] = (what, read)

    def render(self) -> str:
        """Return the text."""
        with self._lock:
            decisions, seconds = dict(self._decisions), self._seconds
        lines = [
            "# HELP loginward_decisions_total Requests judged.",
            "# TYPE loginward_decisions_total counter",
        ]
        lines += [
            f'loginward_decisions_total{{door="{d}",phase="{p}",reason="{r}"}} {n}'
            for (d, p, r), n in sorted(decisions.items())
        ]
        lines += [
            "# HELP loginward_decision_seconds_total Time from question to decision.",
            "# TYPE loginward_decision_seconds_total counter",
            f"loginward_decision_seconds_total {seconds:.6f}",
        ]
        for name, (what, read) in sorted(self._gauges.items()):
            lines += [f"# HELP loginward_{name} {what}", f"# TYPE loginward_{name} gauge"]
            lines += [f'loginward_{name}{{kind="{k}"}} {v:g}' for k, v in sorted(read().items())]
        return "\n".join(lines) + "\n"
