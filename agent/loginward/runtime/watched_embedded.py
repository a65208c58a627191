"""The accounts of the embedded directory, as the watcher sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loginward.core.transitions import Moved
    from loginward.directory.embedded.telling import Telling
    from loginward.runtime.agent import Parts


class EmbeddedAccounts:
    """Looks when something was written, when a moment comes, and every `poll_s` all the same."""

    def __init__(self, parts: Parts, telling: Telling) -> None:
        self._parts = parts
        self._telling = telling
        self.looked_at: datetime | None = None
        self.looks = 0  # one question for all
        self._poll_at = 0.0
        self._next: datetime | None = None

    def moved(self, *, everything: bool) -> Iterator[Moved]:
        """Yield what became of the accounts since the last call; raises like `Telling.moved`."""
        del everything  # it always is
        parts = self._parts
        parts.news.take()
        self._poll_at = parts.clock.monotonic() + parts.settings.directory.watch.poll_s
        now = parts.clock.now()
        yield from self._telling.moved()
        self._next = self._telling.next_moment()
        self.looked_at = now

    def next_in_s(self) -> float:
        """Return how long nothing is to be expected, seconds."""
        clock = self._parts.clock
        now = clock.now()
        if self.looked_at is None or now < self.looked_at:  # a clock set back
            return 0.0
        poll_in_s = self._poll_at - clock.monotonic()
        if self._next is None:
            return poll_in_s
        return min(poll_in_s, (self._next - now).total_seconds())
