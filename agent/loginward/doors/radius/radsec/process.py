"""The process that holds the key of RADIUS over TLS, and the connections (security.md 12).

It knows no account, no address and no client but by the name that a certificate must hold. What a
connection may cost is bounded: in time, and in octets held.
"""

from __future__ import annotations

import logging
import socket
import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, assert_never

from loginward.doors.radius.radsec import frames
from loginward.doors.radius.radsec.connection import Connection, EndedError
from loginward.doors.radius.radsec.context import PATH, server_context
from loginward.doors.radius.radsec.frames import (
    Close,
    Closed,
    Configure,
    Configured,
    End,
    Opened,
    Order,
    Received,
    Report,
    Send,
    Take,
)
from loginward.errors import ConfigError, ProtocolError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.doors.radius.loop import Loop

_log = logging.getLogger(__name__)

HANDSHAKE_S: Final = 10.0
PACKET_S: Final = 10.0  # from its first octet to its last, and to read what waits
IDLE_S: Final = 900.0
MAX_HELD: Final = 16 * 1024 * 1024  # octets that all peers together leave unread
_SWEEP_S: Final = 1.0
_INT: Final = struct.Struct("i")
_ONE: Final = socket.CMSG_LEN(_INT.size)  # socket.recv_fds takes no flags (CPython 3.11)
_A_TURN: Final = 64  # orders before the connections are looked at


@dataclass(slots=True)
class _Held:
    """A connection and its moments, seconds of CLOCK_MONOTONIC.

    Attributes:
        heard: When the last packet went either way.
        waits_since: Since when a packet is half received or half sent; None: none is.
    """

    connection: Connection
    born: float
    heard: float
    waits_since: float | None = None


class Connections:
    """All connections; for the thread of the loop.

    Args:
        report: Tells the daemon.
        on_configured: Called once, after the first configuration could be used.
    """

    def __init__(
        self,
        loop: Loop,
        clock: Clock,
        report: Callable[[Report], None],
        on_configured: Callable[[], None] = lambda: None,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._report = report
        self._on_configured = on_configured
        self._context: ssl.SSLContext | None = None
        self._files: Configure | None = None  # that it is made of
        self._held: dict[int, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def handle(self, order: Order, sock: socket.socket | None) -> None:
        """Carry out an order; `sock`: the descriptor that came beside it."""
        match order:
            case Configure():
                self._report(self._configure(order))
            case Take():
                self._take(order, sock)
            case Send():
                self._send(order)
            case Close(number):
                self._forget(number)
            case _:
                assert_never(order)

    def close(self) -> None:
        """Say goodbye to everybody."""
        for number in list(self._held):
            self._forget(number)

    def sweep(self) -> None:
        """Close what took too long, and come again in a second."""
        now = self._clock.monotonic()
        for number, held in list(self._held.items()):
            end = self._overdue(held, now)
            if end is not None:
                self._end(number, end)
        self._loop.at(now + _SWEEP_S, self.sweep)

    def _overdue(self, held: _Held, now: float) -> End | None:
        until = held.connection.until
        if until is None:
            return End.SLOW_HANDSHAKE if now - held.born > HANDSHAKE_S else None
        if held.waits_since is not None and now - held.waits_since > PACKET_S:
            return End.SLOW_READER if held.connection.unsent_octets else End.SLOW_PACKET
        if now - held.heard > IDLE_S:
            return End.IDLE
        return End.EXPIRED if self._clock.now() > until else None

    def _configure(self, order: Configure) -> Configured:
        is_first = self._context is None
        try:
            self._context = server_context(order)
        except ConfigError as error:
            return Configured(error.path.removeprefix(f"{PATH}."), error.problem)
        except PermissionError as error:
            if order != self._files:
                return Configured("", f"{error.filename}: {error.strerror}")
            _log.warning("loginward: RADIUS over TLS keeps the files that it read as root")
        self._files = order
        if is_first:
            self._on_configured()
        return Configured()

    def _take(self, order: Take, sock: socket.socket | None) -> None:
        if sock is None or self._context is None:
            if sock is not None:
                sock.close()
            self._report(Closed(order.number, End.NO_ROOM))
            return
        try:
            connection = Connection(sock, self._context, order.name)
        except EndedError as ended:
            self._report(Closed(order.number, ended.end))
            return
        now = self._clock.monotonic()
        self._held[order.number] = _Held(connection, born=now, heard=now)
        self._ready(order.number)

    def _send(self, order: Send) -> None:
        held = self._held.get(order.number)
        if held is not None:  # otherwise it has ended, and the daemon hears of it
            self._do(order.number, held, lambda: held.connection.send(order.packet))

    def _ready(self, number: int) -> None:
        """Go on with a connection whose socket is ready."""
        held = self._held.get(number)
        if held is None:  # it ended while its readiness was on the way
            return
        if held.connection.until is None:
            self._do(number, held, lambda: self._shake_hands(number, held))
        elif held.connection.wants_write:
            self._do(number, held, held.connection.flush)
        else:
            self._do(number, held, lambda: self._receive(number, held))

    def _shake_hands(self, number: int, held: _Held) -> None:
        held.connection.shake_hands()
        if held.connection.until is not None:
            held.heard = self._clock.monotonic()
            self._report(Opened(number))

    def _receive(self, number: int, held: _Held) -> None:
        for packet in held.connection.receive():
            held.heard = self._clock.monotonic()
            held.waits_since = None
            self._report(Received(number, packet))

    def _do(self, number: int, held: _Held, act: Callable[[], None]) -> None:
        """Do something with a connection, and watch it for what it waits for then."""
        try:
            act()
        except EndedError as ended:
            self._end(number, ended.end, ended.detail)
            return
        except Exception:  # noqa: BLE001  the one place: a fault of ours costs its connection alone
            _log.exception("a fault in a connection of RADIUS over TLS")
            self._end(number, End.HUNG_UP)
            return
        connection = held.connection
        if not (connection.unsent_octets or connection.has_begun_a_packet):
            held.waits_since = None
        elif held.waits_since is None:
            held.waits_since = self._clock.monotonic()
        if connection.unsent_octets and self._unsent() > MAX_HELD:
            self._end(number, End.NO_ROOM)
            return
        self._loop.watch(connection, partial(self._ready, number), writes=connection.wants_write)

    def _unsent(self) -> int:
        return sum(held.connection.unsent_octets for held in self._held.values())

    def _end(self, number: int, end: End, detail: str = "") -> None:
        self._forget(number)
        self._report(Closed(number, end, detail))

    def _forget(self, number: int) -> None:
        held = self._held.pop(number, None)
        if held is not None:
            self._loop.unwatch(held.connection)
            held.connection.close()


def serve(
    link: socket.socket, loop: Loop, clock: Clock, on_configured: Callable[[], None] = lambda: None
) -> None:
    """Carry out the daemon's orders until it closes the socket.

    What is told waits until the daemon has read: so a flood of packets stays in the network.

    Raises:
        ProtocolError: It sends what is no order.
        OSError: The socket broke.
    """
    broken: list[OSError | ProtocolError] = []

    def end(error: OSError | ProtocolError) -> None:
        broken.append(error)
        loop.stop()

    def report(said: Report) -> None:
        try:
            link.send(frames.encode(said))
        except OSError as error:
            end(error)

    def read() -> None:
        try:
            if not _carry_out(link, connections):
                loop.stop()
        except (OSError, ProtocolError) as error:
            end(error)

    connections = Connections(loop, clock, report, on_configured)
    loop.watch(link, read)
    connections.sweep()
    try:
        loop.run()
    finally:
        connections.close()
    if broken:
        raise broken[0]


def _carry_out(link: socket.socket, connections: Connections) -> bool:
    """Carry out the orders that are there; return whether the daemon is."""
    for _ in range(_A_TURN):
        try:
            octets, beside, _, _ = link.recvmsg(frames.MAX_OCTETS, _ONE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        if not octets:
            return False
        sock = None
        for _, kind, descriptor in beside:
            if kind == socket.SCM_RIGHTS and len(descriptor) == _INT.size:
                sock = socket.socket(fileno=_INT.unpack(descriptor)[0])
        connections.handle(frames.decode_order(octets), sock)
    return True
