"""The RADIUS door over UDP: one loop owns the sockets, threads judge, replies leave by the loop.

Source: RFC 2865 section 3, RFC 2866.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.accepts import Accepts
from loginward.doors.radius.access import AccessRequests
from loginward.doors.radius.accounting import Accounting
from loginward.doors.radius.counters import Counters
from loginward.doors.radius.eap_requests import EapRequests
from loginward.doors.radius.endings import Endings
from loginward.doors.radius.intake import ACCOUNTING, AUTHENTICATION, Intake, Origin
from loginward.doors.radius.judges import Judges
from loginward.doors.radius.loop import Loop
from loginward.wire.radius.packet import MAX_OCTETS

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.core.transitions import Bar
    from loginward.doors.radius.eap.turns import Turn
    from loginward.doors.radius.eap_requests import Tunnels
    from loginward.doors.radius.port import RadiusService
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.sessions import Session, Sessions

_log = logging.getLogger(__name__)
_A_TURN: Final = 64  # datagrams of one socket before the others are looked at
TIDY_S: Final = 5.0  # how long a typed password may outlast its conversation
DRAIN_S: Final = 3.5


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound UDP socket; `accounting`: for RFC 2866, not for access requests."""

    sock: socket.socket
    accounting: bool = False


class RadiusServer:
    """Serves UDP sockets until it is stopped.

    Args:
        rules: Returns the configuration in force; asked for each packet.
        on_barred: Told, on the loop, of a session that is to be ended, as of `Sessions.heard`.
    """

    def __init__(
        self,
        service: RadiusService,
        listeners: tuple[Listener, ...],
        rules: Callable[[], DoorRules],
        sessions: Sessions,
        clock: Clock,
        counters: Counters,
        loop: Loop,
        judges: Judges,
        on_barred: Callable[[Session, Bar], None],
    ) -> None:
        self.counters = counters
        self._service = service
        self._listeners = listeners
        self._rules = rules
        self._clock = clock
        self._loop = loop
        self._judges = judges
        accepts = Accepts(sessions, clock, os.urandom)
        self._endings = Endings(accepts)
        self._access = AccessRequests(service, self._endings, clock, self.counters, os.urandom)
        accounting = Accounting(sessions, on_barred)
        self.intake = Intake(service, self._access, accounting, clock, counters, loop)
        self._stopped = threading.Event()

    def use_tunnels(self, tunnels: Tunnels) -> None:
        """Take EAP from now on; before `run`."""
        self._access.eap = EapRequests(
            tunnels, self._service, self._endings, self._clock, self.counters, os.urandom
        )

    def on_eap_turn(self, session: int, turn: Turn) -> None:
        """Take what an EAP session has come to; for the loop's thread."""
        if self._access.eap is not None:
            self._access.eap.on_turn(session, turn)

    @property
    def is_well(self) -> bool:
        """Whether it is served by everybody who should, once it runs."""
        return not self._stopped.is_set() and self._judges.are_well

    def gauges(self) -> dict[str, float]:
        """Return what there is at this moment."""
        at_work, waiting = self._judges.busy
        return {
            "in_flight": at_work,
            "waiting": waiting,
            "challenges": len(self._access.challenges),
            "eap_sessions": 0 if self._access.eap is None else len(self._access.eap),
            "remembered": len(self.intake),
        }

    def run(self) -> None:
        """Serve in the calling thread until `stop`."""
        for listener in self._listeners:
            listener.sock.setblocking(False)  # noqa: FBT003  its one argument
            self._loop.watch(listener.sock, partial(self._receive, listener))
        self._judges.start()
        self._tidy()
        try:
            self._loop.run()
        finally:
            self._close()
            self._stopped.set()

    def _tidy(self) -> None:
        self._access.tidy()
        self._loop.at(self._clock.monotonic() + TIDY_S, self._tidy)

    def stop(self) -> None:
        """Take no more requests, answer those in flight, and return once that is done."""
        self._loop.stop()
        self._stopped.wait(DRAIN_S + 1.0)

    def _receive(self, listener: Listener) -> None:
        for _ in range(_A_TURN):
            try:
                datagram, address = listener.sock.recvfrom(MAX_OCTETS + 1)
            except BlockingIOError:
                return
            except OSError as error:  # an ICMP error of an earlier reply, say
                _log.debug("RADIUS socket: %s", error.strerror)
                return
            self._take(listener, datagram, address)

    def _take(self, listener: Listener, datagram: bytes, address: tuple[str, int]) -> None:
        """Answer one datagram, or let it go."""
        rules = self._rules()
        client = rules.clients.find(address[0])
        if client is None or client.secret is None:
            self.counters.stranger(address[0], self._clock.monotonic())
            return
        origin = Origin(
            client=client,
            secret=client.secret,
            source=address[0],
            key=(listener.sock.fileno(), address[0], address[1]),
            by_tls=False,
            codes=ACCOUNTING if listener.accounting else AUTHENTICATION,
            send=lambda octets: self._send(listener, octets, address),
        )
        self.intake.take(datagram, origin, rules)

    def _send(self, listener: Listener, octets: bytes, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # it asks again, and hears the same
            listener.sock.sendto(octets, address)

    def _close(self) -> None:
        """Let what is being judged be answered, and close."""
        self._judges.stop(DRAIN_S)
        self._loop.close()
        for listener in self._listeners:
            listener.sock.close()
