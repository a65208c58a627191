"""The connections that the door holds: who is admitted, and who makes room for whom."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from loginward.doors.login.connection import CLIENTS_TURN, Connection, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loginward.doors.login.limits import Limits, Source


class Crowd:
    """All connections; changed by the poller's thread alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._all

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all.copy())  # in one step, whoever changes it meanwhile

    @property
    def alive(self) -> int:
        """Return how many are not over; for any thread."""
        return sum(connection.turn is not Turn.OVER for connection in self)

    def add(self, connection: Connection) -> None:
        """Hold a connection."""
        self._all.add(connection)

    def forget(self, connection: Connection) -> None:
        """Hold it no longer."""
        self._all.discard(connection)

    def overdue(self, now: float) -> list[Connection]:
        """Return those whose client has not done its part by `now`, CLOCK_MONOTONIC seconds."""
        return [c for c in self._all if c.turn in CLIENTS_TURN and c.until <= now]

    def in_the_way_of(self, source: Source) -> list[Connection] | None:
        """Return who must go so that a source may connect; None: nobody can, it may not.

        Whoever goes has asked nothing yet; a user's connections push only each other aside.
        """
        if not source.is_root:
            own = [c for c in self._all if c.source.real_uid == source.real_uid]
            if len(own) >= self._limits.per_uid_connections:
                return oldest_idle(own) or None
        if len(self._all) >= self._limits.connections:
            return oldest_idle(self._of_the_greediest()) or None
        return []

    def _of_the_greediest(self) -> list[Connection]:
        """Return the idle connections of the uid that holds most of them."""
        idle = [c for c in self._all if c.turn is Turn.CLIENT_BEGINS]
        held = Counter(c.source.real_uid for c in idle)
        return [c for c in idle if c.source.real_uid == max(held, key=lambda uid: held[uid])]


def oldest_idle(among: Iterable[Connection]) -> list[Connection]:
    """Return the oldest connection that has asked nothing yet, alone in a list, or nothing."""
    idle = [c for c in among if c.turn is Turn.CLIENT_BEGINS]
    return [min(idle, key=lambda c: c.since)] if idle else []
