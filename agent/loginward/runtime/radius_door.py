"""The RADIUS door of a running daemon: its thread, its gauges, its end."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.asked import text_of
from loginward.doors.radius.counters import UNKNOWN, Counters
from loginward.doors.radius.judges import Judges
from loginward.doors.radius.loop import Loop
from loginward.doors.radius.radsec.door import TlsDoor
from loginward.doors.radius.server import RadiusServer
from loginward.doors.radius.sessions import Sessions
from loginward.runtime.loop_driver import LoopDriver
from loginward.runtime.radius_disconnects import RadiusDisconnects
from loginward.runtime.radius_service import RadiusService
from loginward.wire.admin.rows import FailedRow, Problem, RadiusSessionRow

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from loginward.core.transitions import Bar
    from loginward.doors.radius.eap.client import EapProcess
    from loginward.doors.radius.radsec.keeper import TlsProcess
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.server import Listener
    from loginward.runtime.agent import Parts
    from loginward.settings.radius import Eap, RadiusTls

NO_DOOR: Final = "there is no RADIUS door here"


class RadiusDoor:
    """The door as the daemon holds it; without sockets it does nothing and is always well."""

    def __init__(
        self,
        parts: Parts,
        listeners: tuple[Listener, ...],
        tls_listeners: tuple[socket.socket, ...] = (),
    ) -> None:
        self.sessions = Sessions(parts.clock)
        self._clock = parts.clock
        self._open: _OpenDoor | None = None
        if listeners:
            self._open = _OpenDoor(parts, self.sessions, listeners, tls_listeners)

    @property
    def is_well(self) -> bool:
        """Whether it serves, where it should."""
        return self._open is None or self._open.is_well

    def barred(self, account_id: str, bar: Bar) -> None:
        """Have the sessions of an account ended where they run; from any thread."""
        if self._open is not None:
            self._open.disconnects.barred(account_id, bar)

    def rows(self) -> Iterator[RadiusSessionRow | FailedRow]:
        """Return the sessions whose accounting has begun, the longest unheard first."""
        if self._open is None:
            yield FailedRow(
                problem=Problem.REFUSED, why=NO_DOOR, hint="doors.radius in the configuration"
            )
            return
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for session in self.sessions.all():
            yield RadiusSessionRow(
                client=session.client,
                name=session.name,
                station=session.station,
                address=session.source,
                session=text_of(session.session_id),
                since=session.since,
                heard_at=now - timedelta(seconds=monotonic - session.heard_at),
                is_ours=session.is_ours,
            )

    def start(self) -> None:
        """Begin to serve."""
        if self._open is not None:
            self._open.start()

    def stop(self) -> None:
        """Answer what is in flight, and end."""
        if self._open is not None:
            self._open.stop()


class _OpenDoor:
    """The door where there is one: a loop, its judges, and what keeps keys in other processes."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        listeners: tuple[Listener, ...],
        tls_listeners: tuple[socket.socket, ...],
    ) -> None:
        self._parts = parts
        self._counters = counters = Counters()
        self._loop = loop = Loop(parts.clock, lambda: counters.add(UNKNOWN, "faults"))
        judges = Judges()
        checks = parts.directory.loop_checks(loop, lambda job: judges.offer(job, continuing=True))
        driver = LoopDriver(parts.driver, parts.gatherer, parts.desk, loop, judges, checks)
        self.disconnects = RadiusDisconnects(parts, sessions, self._rules, loop, counters)
        self._server = RadiusServer(
            RadiusService(parts, driver),
            listeners,
            self._rules,
            sessions,
            parts.clock,
            counters,
            loop,
            judges,
            self.disconnects.heard_of,
        )
        radius = self._rules().settings
        self._tunnels = None if radius.eap is None else self._open_eap(radius.eap)
        self._tls = None if radius.tls is None else self._open_tls(radius.tls, tls_listeners)
        self._serving = threading.Thread(target=self._server.run, name="radius-door", daemon=True)
        parts.metrics.watch("radius_door", "The RADIUS door now.", self._server.gauges)
        parts.metrics.count("radius_packets_total", "What came to the RADIUS door.", counters.read)

    @property
    def is_well(self) -> bool:
        """Whether it serves."""
        return self._serving.is_alive() and self._server.is_well

    def start(self) -> None:
        """Begin to serve."""
        self._serving.start()

    def stop(self) -> None:
        """Answer what is in flight, and end."""
        self.disconnects.close()
        self._server.stop()
        self._serving.join(timeout=10)
        if self._tunnels is not None:
            self._tunnels.close()
        if self._tls is not None:
            process, door = self._tls
            process.close()
            door.close()

    def _rules(self) -> DoorRules:
        current = self._parts.configuration.current.radius
        assert current is not None  # the door is there or not from a start to the next
        return current

    def _open_eap(self, eap: Eap) -> EapProcess:
        clock, on_turn = self._parts.clock, self._server.on_eap_turn
        tunnels = self._parts.radius.open_eap(eap, self._loop, clock, on_turn)
        self._server.use_tunnels(tunnels)
        return tunnels

    def _open_tls(
        self, tls: RadiusTls, listeners: tuple[socket.socket, ...]
    ) -> tuple[TlsProcess, TlsDoor]:
        parts = self._parts
        door = TlsDoor(
            listeners, self._server.intake, self._rules, self._loop, parts.clock, self._counters,
            self.disconnects.received_by_tls,
        )  # fmt: skip
        self.disconnects.tls = door
        parts.metrics.watch("radius_tls", "RADIUS over TLS now.", door.gauges)
        return parts.radius.tls.open(tls, door, self._loop, parts.clock), door
