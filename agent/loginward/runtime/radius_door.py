"""The RADIUS door of a running daemon: its thread, its gauges, its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from loginward.doors.radius.counters import UNKNOWN, Counters
from loginward.doors.radius.judges import Judges
from loginward.doors.radius.loop import Loop
from loginward.doors.radius.server import RadiusServer
from loginward.doors.radius.sessions import Sessions
from loginward.runtime.loop_driver import LoopDriver
from loginward.runtime.radius_service import RadiusService

if TYPE_CHECKING:
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.server import Listener
    from loginward.runtime.agent import Parts


class RadiusDoor:
    """Serves the door; without sockets it does nothing and is always well."""

    def __init__(self, parts: Parts, listeners: tuple[Listener, ...]) -> None:
        self.sessions = Sessions(parts.clock)
        self._serving: threading.Thread | None = None
        if not listeners:
            return

        def rules() -> DoorRules:
            current = parts.configuration.current.radius
            assert current is not None  # the door is there or not from a start to the next
            return current

        counters, judges = Counters(), Judges()
        loop = Loop(parts.clock, lambda: counters.add(UNKNOWN, "faults"))
        checks = parts.directory.loop_checks(
            loop, lambda job: judges.offer(job, continuing=True)
        )
        driver = LoopDriver(parts.driver, parts.gatherer, parts.desk, loop, judges, checks)
        service = RadiusService(parts, driver)
        self._server = RadiusServer(
            service, listeners, rules, self.sessions, parts.clock, counters, loop, judges
        )
        self._serving = threading.Thread(target=self._server.run, name="radius-door", daemon=True)
        parts.metrics.watch("radius_door", "The RADIUS door now.", self._server.gauges)
        parts.metrics.count("radius_packets_total", "What came to the RADIUS door.", counters.read)

    @property
    def is_well(self) -> bool:
        """Whether it serves, where it should."""
        return self._serving is None or (self._serving.is_alive() and self._server.is_well)

    def start(self) -> None:
        """Begin to serve."""
        if self._serving is not None:
            self._serving.start()

    def stop(self) -> None:
        """Answer what is in flight, and end."""
        if self._serving is not None:
            self._server.stop()
            self._serving.join(timeout=10)
