"""Who is judged next: fair between sources, bounded for each, with room kept for root."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from loginward.doors.login.limits import Limits, Source

_Item = TypeVar("_Item")


class Turnstile(Generic[_Item]):
    """What waits to be judged and what is being judged; the caller serializes.

    Sources take turns, so that a flood from one makes only that one wait.

    Attributes:
        waiting: How many wait; may be read at any moment, without the caller's lock.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: OrderedDict[Source, deque[_Item]] = OrderedDict()
        self._in_flight: Counter[Source] = Counter()
        self.waiting = 0

    @property
    def in_flight(self) -> int:
        """Return how many are being judged."""
        return self._in_flight.total()

    def offer(self, source: Source, item: _Item) -> None:
        """Let something wait for its turn."""
        self._waiting.setdefault(source, deque()).append(item)
        self.waiting += 1

    def take(self) -> tuple[Source, _Item] | None:
        """Return what may be judged now, or None; `done` follows for it."""
        for source, queue in self._waiting.items():
            if not self._may_pass(source):
                continue
            item = queue.popleft()
            self.waiting -= 1
            if queue:
                self._waiting.move_to_end(source)
            else:
                del self._waiting[source]
            self._in_flight[source] += 1
            return source, item
        return None

    def done(self, source: Source) -> None:
        """Note that one of a source's has been judged."""
        self._in_flight[source] -= 1
        if not self._in_flight[source]:
            del self._in_flight[source]

    def _may_pass(self, source: Source) -> bool:
        if self._in_flight[source] >= source.checks_at_once(self._limits):
            return False
        return source.is_root or self._of_others < self._limits.shared_workers

    @property
    def _of_others(self) -> int:
        return sum(n for source, n in self._in_flight.items() if not source.is_root)
