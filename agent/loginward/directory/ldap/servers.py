"""The configured servers in their order, and which of them to leave alone for a while."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.directory.port import ServerHealth
from loginward.errors import DirectoryUnavailable
from loginward.settings.directory import parse_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.settings.directory import Directory

PORTS = {"ldap": 389, "ldaps": 636}
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
NONE_LEFT_PAUSE_S = 0.8  # the longest where no other server answers: it is missed
FAIR_WAIT_S = 0.25
TRIAL_S = 3.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Server:
    """One server as configured."""

    url: str
    host: str
    port: int
    is_ldaps: bool
    start_tls: bool


@dataclass(slots=True)
class _Seen:
    pause_s: float = 0.0
    closed_until: float = 0.0
    tried_until: float = 0.0  # somebody finds out whether it answers again; others do not wait
    last_ok_at: datetime | None = None
    last_problem: DirectoryUnavailable | None = None

    def is_open(self, now: float) -> bool:
        """Return whether it may be tried."""
        return self.closed_until <= now and self.tried_until <= now


@dataclass(slots=True)
class Servers:
    """All servers with what was last seen of each. Safe to use from many threads."""

    all: tuple[Server, ...]
    clock: Clock
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def configured(cls, settings: Directory, clock: Clock) -> Servers:
        """Return the servers of the settings, in their order."""
        found = []
        for at, text in enumerate(settings.servers):
            url = parse_server(f"servers[{at}]", text)
            found.append(
                Server(
                    url=text,
                    host=url.hostname or "",
                    port=url.port or PORTS[url.scheme],
                    is_ldaps=url.scheme == "ldaps",
                    start_tls=settings.start_tls,
                )
            )
        return cls(tuple(found), clock, {server.url: _Seen() for server in found})

    def usable(self) -> Iterator[tuple[Server, int]]:
        """Yield servers worth trying, in order, each with how many are left counting it.

        After a pause one caller at a time tries a server; a stalled one then holds up one login,
        not all.

        Raises:
            DirectoryUnavailable: Every one failed a moment ago.
        """
        now = self.clock.monotonic()
        with self._guard:
            open_ = [s for s in self.all if self._seen[s.url].is_open(now)]
        took = False
        for at, server in enumerate(open_):
            if self._takes(server):
                took = True
                yield server, len(open_) - at
        if not took:
            raise self._all_failed()

    def preferred(self) -> Server | None:
        """Return the server that is asked first now; None: none is known to answer."""
        now = self.clock.monotonic()
        with self._guard:
            for server in self.all:
                seen = self._seen[server.url]
                if seen.last_problem is None and seen.is_open(now):
                    return server
        return None

    def answered(self, server: Server) -> None:
        """Note that a server works."""
        with self._guard:
            seen = self._seen[server.url]
            was_down, seen.last_problem = seen.pause_s > 0, None
            seen.pause_s = seen.closed_until = seen.tried_until = 0.0
            seen.last_ok_at = self.clock.now()
        if was_down:
            _log.info("directory server %s answers again", server.url)

    def failed(self, server: Server, problem: DirectoryUnavailable, began: float) -> None:
        """Note that a server does not work; it is left alone, each time for twice as long.

        Nothing is held against it where the caller, who `began` then (monotonic), had no time.
        """
        waited_s = self.clock.monotonic() - began
        in_a_hurry = problem.stage == "directory.budget_s" and waited_s < FAIR_WAIT_S
        with self._guard:
            seen = self._seen[server.url]
            seen.tried_until = 0.0
            if in_a_hurry or self.clock.monotonic() < seen.closed_until:
                return  # others in flight saw the same fault: one pause for all
            was_up = seen.pause_s == 0
            seen.pause_s = min(max(seen.pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            seen.closed_until = self.clock.monotonic() + seen.pause_s
            seen.last_problem = problem
            self._miss_all()
        if was_up:
            _log.warning("directory server %s failed: %s", server.url, problem)

    def _miss_all(self) -> None:
        """Try each again soon where none answers; the guard is held."""
        if all(seen.last_problem is not None for seen in self._seen.values()):
            soon = self.clock.monotonic() + NONE_LEFT_PAUSE_S
            for seen in self._seen.values():
                seen.closed_until = min(seen.closed_until, soon)

    def _takes(self, server: Server) -> bool:
        """Return whether this caller is to try a server; one that failed, one caller at a time."""
        with self._guard:
            seen, now = self._seen[server.url], self.clock.monotonic()
            if seen.last_problem is None:
                return True
            if not seen.is_open(now):
                return False
            seen.tried_until = now + TRIAL_S
            return True

    def _all_failed(self) -> DirectoryUnavailable:
        with self._guard:
            problems = [s.last_problem for s in self._seen.values() if s.last_problem is not None]
        stage = problems[0].stage if problems else "connect"
        return DirectoryUnavailable(stage, "; ".join(map(str, problems)))

    def health(self) -> tuple[ServerHealth, ...]:
        """Return every server as last seen."""
        with self._guard:
            return tuple(
                ServerHealth(
                    name=url,
                    usable=seen.last_problem is None,
                    last_ok_at=seen.last_ok_at,
                    last_problem="" if seen.last_problem is None else str(seen.last_problem),
                )
                for url, seen in self._seen.items()
            )
