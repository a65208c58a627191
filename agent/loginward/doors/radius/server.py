"""The RADIUS door over UDP: one loop owns the sockets, threads judge, replies leave by the loop.

Source: RFC 2865 section 3, RFC 2866, RFC 5080 section 2.2, RFC 5997.
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
from loginward.doors.radius.counters import UNKNOWN, Counters
from loginward.doors.radius.duplicates import Duplicates, Entry, Seen
from loginward.doors.radius.exchange import Exchange
from loginward.doors.radius.judges import Judges
from loginward.doors.radius.loop import Loop
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.packet import MAX_OCTETS, Code, Packet, decode
from loginward.wire.radius.signing import NotAuthenticError, UnsignedError, check_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.core.transitions import Bar
    from loginward.doors.radius.clients import RadiusClient
    from loginward.doors.radius.port import RadiusService
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.sessions import Session, Sessions
    from loginward.wire.radius.signing import SharedSecret

_log = logging.getLogger(__name__)
_A_TURN: Final = 64  # datagrams of one socket before the others are looked at
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
        self._duplicates = Duplicates()
        accepts = Accepts(sessions, clock, os.urandom)
        self._access = AccessRequests(service, accepts, clock, self.counters, os.urandom)
        self._accounting = Accounting(sessions, on_barred)
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
            self._loop.watch(listener.sock, partial(self._receive, listener))
        self._judges.start()
        try:
            self._loop.run()
        finally:
            self._close()
            self._stopped.set()

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
            self._loop.at(at, leave)

    def _send(self, listener: Listener, octets: bytes, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # it asks again, and hears the same
            listener.sock.sendto(octets, address)

    def _close(self) -> None:
        """Let what is being judged be answered, and close."""
        self._judges.stop(DRAIN_S)
        self._loop.close()
        for listener in self._listeners:
            listener.sock.close()
