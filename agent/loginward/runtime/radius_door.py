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
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.server import Listener
    from loginward.runtime.agent import Parts

NO_DOOR: Final = "there is no RADIUS door here"


class RadiusDoor:
    """Serves the door; without sockets it does nothing and is always well."""

    def __init__(
        self,
        parts: Parts,
        listeners: tuple[Listener, ...],
        tls_listeners: tuple[socket.socket, ...] = (),
    ) -> None:
        self.sessions = Sessions(parts.clock)
        self._clock = parts.clock
        self._serving: threading.Thread | None = None
        if not listeners:
            return

        def rules() -> DoorRules:
            current = parts.configuration.current.radius
            assert current is not None  # the door is there or not from a start to the next
            return current

        counters, judges = Counters(), Judges()
        loop = Loop(parts.clock, lambda: counters.add(UNKNOWN, "faults"))
        checks = parts.directory.loop_checks(loop, lambda job: judges.offer(job, continuing=True))
        driver = LoopDriver(parts.driver, parts.gatherer, parts.desk, loop, judges, checks)
        service = RadiusService(parts, driver)
        self._disconnects = RadiusDisconnects(parts, self.sessions, rules, loop, counters)
        self._server = RadiusServer(
            service,
            listeners,
            rules,
            self.sessions,
            parts.clock,
            counters,
            loop,
            judges,
            self._disconnects.heard_of,
        )
        self._tunnels: EapProcess | None = None
        radius = parts.settings.doors.radius
        if radius is not None and radius.eap is not None:
            self._tunnels = parts.radius.open_eap(
                radius.eap, loop, parts.clock, self._server.on_eap_turn
            )
            self._server.use_tunnels(self._tunnels)
        self._tls: TlsDoor | None = None
        if radius is not None and radius.tls is not None:
            self._tls = TlsDoor(
                tls_listeners, self._server.intake, rules, loop, parts.clock, counters,
                self._disconnects.received_by_tls,
            )  # fmt: skip
            self._disconnects.tls = self._tls
            self._tls_process = parts.radius.tls.open(radius.tls, self._tls, loop, parts.clock)
            parts.metrics.watch("radius_tls", "RADIUS over TLS now.", self._tls.gauges)
        self._serving = threading.Thread(target=self._server.run, name="radius-door", daemon=True)
        parts.metrics.watch("radius_door", "The RADIUS door now.", self._server.gauges)
        parts.metrics.count("radius_packets_total", "What came to the RADIUS door.", counters.read)

    @property
    def is_well(self) -> bool:
        """Whether it serves, where it should."""
        return self._serving is None or (self._serving.is_alive() and self._server.is_well)

    def barred(self, account_id: str, bar: Bar) -> None:
        """Have the sessions of an account ended where they run; from any thread."""
        if self._serving is not None:
            self._disconnects.barred(account_id, bar)

    def rows(self) -> Iterator[RadiusSessionRow | FailedRow]:
        """Return the sessions whose accounting has begun, the longest unheard first."""
        if self._serving is None:
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
        if self._serving is not None:
            self._serving.start()

    def stop(self) -> None:
        """Answer what is in flight, and end."""
        if self._serving is not None:
            self._disconnects.close()
            self._server.stop()
            self._serving.join(timeout=10)
            if self._tunnels is not None:
                self._tunnels.close()
            if self._tls is not None:
                self._tls_process.close()
                self._tls.close()
