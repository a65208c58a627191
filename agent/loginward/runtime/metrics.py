"""The agent's counters as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

from loginward.core.requests import Door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from loginward.core.commands import Done
    from loginward.core.requests import LoginRequest

_log = logging.getLogger(__name__)
BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class _Durations:
    """How often something took how long."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.total_s += seconds


class Metrics:
    """Counts decisions, and asks the parts for their gauges when somebody looks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decisions: Counter[tuple[str, str, str, str]] = Counter()
        self._decided: dict[str, _Durations] = {}
        self._asked: dict[str, _Durations] = {}
        self._failed: Counter[str] = Counter()
        self._gauges: dict[str, tuple[str, Callable[[], Mapping[str, float]]]] = {}
        self._counters: dict[str, tuple[str, Callable[[], Mapping[tuple[str, str], int]]]] = {}

    def decided(self, request: LoginRequest, done: Done, elapsed_s: float) -> None:
        """Count a decision, and by which RADIUS client; and how long it took, in seconds."""
        door = request.door.value
        client = request.service if request.door is Door.RADIUS else ""
        key = (door, request.phase.value, done.decision.reason.value, client)
        with self._lock:
            self._decisions[key] += 1
            self._decided.setdefault(door, _Durations()).add(elapsed_s)

    def asked_directory(self, call: str, elapsed_s: float, *, failed: bool) -> None:
        """Count a call of the directory ("find", "check" ...) and how long it took, in seconds."""
        with self._lock:
            self._asked.setdefault(call, _Durations()).add(elapsed_s)
            self._failed[call] += failed

    def watch(self, name: str, what: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Show what `read` returns, by label `kind`, under a name."""
        self._gauges[name] = (what, read)

    def count(
        self, name: str, what: str, read: Callable[[], Mapping[tuple[str, str], int]]
    ) -> None:
        """Show what `read` returns, by client and event, under a name."""
        self._counters[name] = (what, read)

    def render(self) -> str:
        """Return the text; a gauge that cannot be read is left out."""
        gauges = list(self._read_gauges())  # their owners have locks of their own
        with self._lock:
            lines = [
                *_head("decisions_total", "counter", "Requests judged."),
                *(
                    _sample(
                        "decisions_total",
                        n,
                        door=d,
                        phase=p,
                        reason=r,
                        **({"client": c} if c else {}),
                    )
                    for (d, p, r, c), n in sorted(self._decisions.items())
                ),
                *_histogram(
                    "decision_seconds", "From question to decision.", "door", self._decided
                ),
                *_histogram("directory_seconds", "Calls of the directory.", "call", self._asked),
                *_head("directory_failures_total", "counter", "Calls without an answer."),
                *(
                    _sample("directory_failures_total", n, call=call)
                    for call, n in sorted(self._failed.items())
                ),
            ]
        return "\n".join([*lines, *gauges, ""])

    def _read_gauges(self) -> Iterable[str]:
        for name, (what, read) in sorted(self._gauges.items()):
            try:
                values = read()
            except Exception:  # noqa: BLE001  whatever ails one part, the others are still shown
                _log.exception("metrics: %s cannot be read", name)
                continue
            yield from _head(name, "gauge", what)
            yield from (_sample(name, value, kind=kind) for kind, value in sorted(values.items()))
        for name, (what, count) in sorted(self._counters.items()):
            yield from _head(name, "counter", what)
            yield from (
                _sample(name, number, client=client, event=event)
                for (client, event), number in sorted(count().items())
            )


def _head(name: str, kind: str, what: str) -> tuple[str, str]:
    escaped = what.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP loginward_{name} {escaped}", f"# TYPE loginward_{name} {kind}"


def _sample(name: str, value: float, **labels: str) -> str:
    pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"loginward_{name}{{{pairs}}} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _histogram(
    name: str, what: str, label: str, by_label: Mapping[str, _Durations]
) -> Iterable[str]:
    yield from _head(name, "histogram", what)
    for text, durations in sorted(by_label.items()):
        below = 0
        for bound, count in zip((*BUCKETS_S, "+Inf"), durations.counts, strict=True):
            below += count
            yield _sample(f"{name}_bucket", below, **{label: text, "le": str(bound)})
        yield _sample(f"{name}_sum", durations.total_s, **{label: text})
        yield _sample(f"{name}_count", below, **{label: text})
