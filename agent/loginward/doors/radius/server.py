"""The RADIUS door over UDP: one loop owns the sockets, threads judge, replies leave by the loop.

Source: RFC 2865 section 3, RFC 2866, RFC 5080 section 2.2, RFC 5997.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import selectors
import socket
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.accepts import Accepts
from loginward.doors.radius.access import AccessRequests
from loginward.doors.radius.accounting import Accounting
from loginward.doors.radius.counters import UNKNOWN, Counters
from loginward.doors.radius.duplicates import Duplicates, Entry, Seen
from loginward.doors.radius.exchange import Exchange
from loginward.doors.radius.judges import Judges
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.packet import MAX_OCTETS, Code, Packet, decode
from loginward.wire.radius.signing import NotAuthenticError, UnsignedError, check_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.doors.radius.clients import RadiusClient
    from loginward.doors.radius.port import RadiusService
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.sessions import Sessions
    from loginward.wire.radius.signing import SharedSecret

_log = logging.getLogger(__name__)
_A_TURN: Final = 64  # datagrams of one socket before the others are looked at
FAULTS_IN_A_ROW: Final = 20
PAUSE_S: Final = 0.05
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
    """

    def __init__(
        self,
        service: RadiusService,
        listeners: tuple[Listener, ...],
        rules: Callable[[], DoorRules],
        sessions: Sessions,
        clock: Clock,
    ) -> None:
        self.counters = Counters()
        self._service = service
        self._listeners = listeners
        self._rules = rules
        self._clock = clock
        self._judges = Judges()
        self._duplicates = Duplicates()
        accepts = Accepts(sessions, clock, os.urandom)
        self._access = AccessRequests(
            service, self._judges, accepts, clock, self.counters, self._post, os.urandom
        )
        self._accounting = Accounting(sessions)
        self._posted: deque[Callable[[], None]] = deque()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._stopping = threading.Event()
        self._stopped = threading.Event()

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
            "remembered": len(self._duplicates),
        }

    def run(self) -> None:
        """Serve in the calling thread until `stop`."""
        for listener in self._listeners:
            listener.sock.setblocking(False)  # noqa: FBT003  its one argument
            self._selector.register(listener.sock, selectors.EVENT_READ, listener)
        for sock in (self._wake_in, self._wake_out):
            sock.setblocking(False)  # noqa: FBT003  its one argument
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        self._judges.start()
        try:
            self._serve()
        finally:
            self._close()
            self._stopped.set()

    def stop(self) -> None:
        """Take no more requests, answer those in flight, and return once that is done."""
        self._stopping.set()
        self._wake()
        self._stopped.wait(DRAIN_S + 1.0)

    def _serve(self) -> None:
        in_a_row = 0
        while not self._stopping.is_set():
            try:
                self._turn()
                in_a_row = 0
            except Exception:
                # The door's one place: a fault of ours costs the packet that it came with.
                self.counters.add(UNKNOWN, "faults")
                _log.exception("the RADIUS door: fault")
                in_a_row += 1
                if in_a_row > FAULTS_IN_A_ROW:
                    raise
                self._stopping.wait(PAUSE_S)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience_s()):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wake_out.recv(4096)
            else:
                self._receive(key.data)
        while self._posted:
            self._posted.popleft()()
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()

    def _patience_s(self) -> float | None:
        if self._posted:
            return 0.0
        if not self._later:
            return None
        return max(0.0, self._later[0][0] - self._clock.monotonic())

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
            self.counters.add(UNKNOWN, "unknown-client")
            return
        try:
            packet = self._checked(datagram, client, client.secret, listener)
            if packet is not None:
                self._dispatch(packet, client, client.secret, rules, listener, address)
        except UnsignedError:
            self.counters.warn(client.name, "unsigned", self._clock.monotonic())
        except NotAuthenticError:
            self.counters.warn(client.name, "bad-authenticator", self._clock.monotonic())
        except ProtocolError:
            self.counters.warn(client.name, "malformed", self._clock.monotonic())

    def _checked(
        self, datagram: bytes, client: RadiusClient, secret: SharedSecret, listener: Listener
    ) -> Packet | None:
        """Return a packet that the client has signed; None: not one for this port.

        Raises:
            ProtocolError: It must be dropped.
        """
        packet = decode(datagram)
        wanted = Code.ACCOUNTING_REQUEST if listener.accounting else Code.ACCESS_REQUEST
        if packet.code not in {wanted, Code.STATUS_SERVER}:
            self.counters.add(client.name, "wrong-port")
            return None
        check_request(packet, secret, demand=client.settings.require_message_authenticator)
        return packet

    def _dispatch(
        self,
        packet: Packet,
        client: RadiusClient,
        secret: SharedSecret,
        rules: DoorRules,
        listener: Listener,
        address: tuple[str, int],
    ) -> None:
        """Answer a request that is to be believed.

        Raises:
            ProtocolError: It must be dropped.
        """
        self.counters.add(client.name, packet.code.name.lower().replace("_", "-"))
        if packet.code is Code.STATUS_SERVER:
            self._tell_status(packet, secret, rules, listener, address)
            return
        now = self._clock.monotonic()
        key = (listener.sock.fileno(), address[0], address[1], packet.identifier)
        seen, entry = self._duplicates.look(key, packet.authenticator, now)
        if seen is not Seen.NEW:
            self.counters.add(client.name, "duplicate")
            if entry.reply is not None:
                self._send(listener, entry.reply, address)
            return
        exchange = Exchange(
            packet=packet,
            client=client,
            secret=secret,
            rules=rules,
            source=address[0],
            arrived=now,
            reply=lambda octets, at: self._reply(listener, address, entry, octets, at),
            drop=lambda: self._duplicates.forget(key, entry),
        )
        try:
            (self._accounting if listener.accounting else self._access).handle(exchange)
        except ProtocolError:
            exchange.drop()
            raise

    def _tell_status(
        self,
        packet: Packet,
        secret: SharedSecret,
        rules: DoorRules,
        listener: Listener,
        address: tuple[str, int],
    ) -> None:
        silent = rules.settings.status_server == "silent-when-unusable"
        if silent and not listener.accounting and not self._service.is_usable():
            return
        octets = replies.status_answer(packet, secret, accounting=listener.accounting)
        self._send(listener, octets, address)

    def _reply(
        self, listener: Listener, address: tuple[str, int], entry: Entry, octets: bytes, at: float
    ) -> None:
        def leave() -> None:
            entry.reply = octets
            self._send(listener, octets, address)

        if at <= self._clock.monotonic():
            leave()
        else:
            heapq.heappush(self._later, (at, next(self._order), leave))

    def _send(self, listener: Listener, octets: bytes, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # it asks again, and hears the same
            listener.sock.sendto(octets, address)

    def _post(self, act: Callable[[], None]) -> None:
        self._posted.append(act)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_in.send(b"\0")

    def _close(self) -> None:
        """Let what is being judged be answered, and close."""
        self._judges.stop(DRAIN_S)
        while self._posted:
            with contextlib.suppress(ProtocolError):
                self._posted.popleft()()
        for _, _, leave in sorted(self._later)[:]:
            leave()
        for listener in self._listeners:
            listener.sock.close()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
