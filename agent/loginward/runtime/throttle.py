"""Bounds for one source, so that trying many accounts from one place stops early.

Each request has several sources, each with its own bounds: checks a minute, and different accounts
that failed within a window (security.md 5). Five failures of one account from one source are no
business of ours here: they lock it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from loginward.runtime.sources import CLIENT, Sources, sources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loginward.core.clock import Clock

__all__ = ["Bounds", "Sources", "Throttle", "sources_of"]

V = TypeVar("V")
ACCOUNTS_FAILING: Final = 10  # different accounts, from one source, within the window
CLIENT_ACCOUNTS_FAILING: Final = 50  # or a tenth of its users of the last week, if that is more
PROVEN_FOR: Final = timedelta(days=30)
_WEEK: Final = timedelta(days=7)
_MINUTE: Final = timedelta(minutes=1)
_SOURCES: Final = 20_000
_PROVEN: Final = 5_000  # accounts of one source


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one source may do.

    Attributes:
        per_min: Checks a minute from one source that is no client; None: no bound.
        window: For how long a failing account counts.
    """

    per_min: int | None
    window: timedelta


class _Seen:
    """What one source did of late."""

    __slots__ = ("asked", "failing")

    def __init__(self) -> None:
        self.asked: deque[datetime] = deque()
        self.failing: OrderedDict[str, datetime] = OrderedDict()  # the oldest first

    def drop_old(self, now: datetime, window: timedelta) -> None:
        """Forget what is older than its window; what a corrected clock left ahead, too."""
        while self.asked and not timedelta(0) <= now - self.asked[0] < _MINUTE:
            self.asked.popleft()
        while self.failing and not timedelta(0) <= now - next(iter(self.failing.values())) < window:
            self.failing.popitem(last=False)


class Throttle:
    """Counts by source; bounded tables, safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._proven: OrderedDict[str, OrderedDict[str, datetime]] = OrderedDict()

    def asked(self, sources: Sources, bounds: Bounds) -> None:
        """Count one request that may lead to a check; no more are kept than the bound needs."""
        now, most = self._clock.now(), (bounds.per_min or 0) + 1
        with self._lock:
            for key in sources.keys:
                asked = self._of(key).asked
                asked.append(now)
                while len(asked) > most:
                    asked.popleft()

    def throttled_until(self, sources: Sources, account_id: str, bounds: Bounds) -> datetime | None:
        """Return until when requests for this account are refused; None: they are not.

        An account that failed from there already is not refused: its own tally is for that. One
        that this source has proven within 30 days is not kept out by the failures of others.

        Args:
            sources: Where the request comes from.
            account_id: Stable id; for a name that nobody has, what stands for it.
        """
        now = self._clock.now()
        ends = []
        with self._lock:
            for key in sources.keys:
                seen = self._seen.get(key)
                if seen is None:
                    continue
                seen.drop_old(now, bounds.window)
                if _is_hurried(key, seen, bounds.per_min):
                    ends.append(seen.asked[0] + _MINUTE)
                if self._is_spraying(key, seen, account_id, now):
                    ends.append(next(iter(seen.failing.values())) + bounds.window)
        return max(ends, default=None)

    def failed(self, sources: Sources, account_id: str) -> None:
        """Count a wrong password, or a name that nobody has."""
        now = self._clock.now()
        with self._lock:
            for key in sources.keys:
                failing = self._of(key).failing
                failing[account_id] = now
                failing.move_to_end(account_id)
                while len(failing) > _PROVEN:
                    failing.popitem(last=False)

    def proven(self, sources: Sources, account_id: str) -> None:
        """Take note that this source has proven this account."""
        now = self._clock.now()
        with self._lock:
            for key in sources.keys:
                seen = self._seen.get(key)
                if seen is not None:
                    seen.failing.pop(account_id, None)
                proven = _latest(self._proven, key, OrderedDict[str, datetime])
                proven[account_id] = now
                proven.move_to_end(account_id)
                while len(proven) > _PROVEN:
                    proven.popitem(last=False)

    def _is_spraying(self, key: str, seen: _Seen, account_id: str, now: datetime) -> bool:
        if account_id in seen.failing or len(seen.failing) < ACCOUNTS_FAILING:
            return False
        proven: Mapping[str, datetime] = self._proven.get(key, {})
        if account_id in proven and now - proven[account_id] <= PROVEN_FOR:
            return False
        if not key.startswith(CLIENT):
            return True
        users = sum(1 for at in proven.values() if now - at <= _WEEK)
        return len(seen.failing) >= max(CLIENT_ACCOUNTS_FAILING, users // 10)

    def _of(self, key: str) -> _Seen:
        return _latest(self._seen, key, _Seen)


def _is_hurried(key: str, seen: _Seen, per_min: int | None) -> bool:
    return per_min is not None and not key.startswith(CLIENT) and len(seen.asked) > per_min


def _latest(table: OrderedDict[str, V], key: str, new: Callable[[], V]) -> V:
    """Return the entry, made if need be; the table stays bounded, the longest unused go."""
    if key not in table:
        table[key] = new()
    table.move_to_end(key)
    while len(table) > _SOURCES:
        table.popitem(last=False)
    return table[key]
