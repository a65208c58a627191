"""RADIUS over TLS in the daemon: who may connect, what comes, and the way back.

The octets of TLS are another process's (`keeper`, `process`). Source: RFC 6614, RFC 6613 section 2.6.
"""

from __future__ import annotations

import errno
import socket
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from loginward.doors.radius.clients import TLS_SECRET
from loginward.doors.radius.counters import UNKNOWN
from loginward.doors.radius.intake import ACCOUNTING, AUTHENTICATION, Origin
from loginward.doors.radius.radsec.frames import Close, Closed, End, Opened, Received, Send, Take
from loginward.doors.radius.radsec.process import HANDSHAKE_S
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.packet import CODES, Code, decode
from loginward.wire.radius.signing import check_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.doors.radius.clients import RadiusClient
    from loginward.doors.radius.counters import Counters
    from loginward.doors.radius.intake import Intake
    from loginward.doors.radius.loop import Loop
    from loginward.doors.radius.rules import DoorRules

MOST: Final = 2000
MOST_OF_A_CLIENT: Final = 1200
MOST_HALF_OPEN: Final = 512
MOST_HALF_OPEN_OF_A_CLIENT: Final = 128
_SILENCE_S: Final = HANDSHAKE_S + 5.0  # by then the process has said how a handshake ended
_PAUSE_S: Final = 1.0  # without descriptors, before somebody is accepted again
_A_TURN: Final = 64
_CODES: Final = AUTHENTICATION | ACCOUNTING
_ANSWERS: Final = frozenset({Code.DISCONNECT_ACK, Code.DISCONNECT_NAK, Code.COA_ACK, Code.COA_NAK})
_OPERATORS: Final = frozenset({End.NO_HANDSHAKE, End.WRONG_NAME, End.NOT_FOR_CLIENTS})


class Keeper(Protocol):
    """The process that holds the connections."""

    def order(self, order: Take | Send | Close, sock: socket.socket | None = None) -> bool:
        """Give an order; return whether there is a process."""

    def lose(self, reason: str) -> None:
        """Give the process up."""


@dataclass(slots=True, eq=False)
class _Connection:
    """A connection that the process has.

    Attributes:
        client: Its name at the beginning.
        name: What its certificate must hold, or holds.
        since: Seconds of CLOCK_MONOTONIC.
    """

    client: str
    name: str
    address: tuple[str, int]
    since: float
    is_open: bool = False


class TlsDoor:
    """The connections of RADIUS clients; for the loop's thread.

    Args:
        listeners: TCP sockets that listen.
        intake: Takes the packets.
        rules: Returns the configuration in force.
        on_answer: Given each answer to a request of ours, with the peer's address and port.
    """

    def __init__(
        self,
        listeners: tuple[socket.socket, ...],
        intake: Intake,
        rules: Callable[[], DoorRules],
        loop: Loop,
        clock: Clock,
        counters: Counters,
        on_answer: Callable[[bytes, tuple[str, int]], None],
    ) -> None:
        self._listeners = listeners
        self._intake = intake
        self._rules = rules
        self._loop = loop
        self._clock = clock
        self._counters = counters
        self._on_answer = on_answer
        self._keeper: Keeper | None = None
        self._number = 0
        self._connections: dict[int, _Connection] = {}
        self._of_client: Counter[str] = Counter()
        self._half_open: Counter[str] = Counter()

    def start(self, keeper: Keeper) -> None:
        """Accept connections, once the loop runs."""
        self._keeper = keeper
        for listener in self._listeners:
            listener.setblocking(False)  # noqa: FBT003  its one argument
            self._loop.watch(listener, partial(self._accept, listener))
        self._look()

    def gauges(self) -> dict[str, float]:
        """Return what there is at this moment."""
        half_open = self._half_open.total()
        return {"connections": len(self._connections), "half_open": half_open}

    def connection_of(self, client: str, source: str) -> tuple[str, int] | None:
        """Return where the newest connection of a client from an address comes from."""
        for one in reversed(self._connections.values()):
            if one.is_open and (one.client, one.address[0]) == (client, source):
                return one.address
        return None

    def send(self, octets: bytes, address: tuple[str, int]) -> None:
        """Send a request of ours to the peer at an address, if it is still connected."""
        for number, one in reversed(self._connections.items()):
            if one.address == address:
                self._send(number, octets)
                return

    def report(self, said: Opened | Received | Closed) -> None:
        """Take what the process says."""
        connection = self._connections.get(said.number)
        if connection is None:
            return  # closed from here, and what it said was on the way
        match said:
            case Opened():
                self._counters.add(connection.client, "tls-opened")
                self._proven(connection)
            case Received(number, packet):
                self._take(number, connection, packet)
            case Closed(number, end, detail):
                self._forget(number)
                self._tell(connection, end, detail)

    def lost(self) -> None:
        """Forget all connections: their process is gone."""
        for number in list(self._connections):
            self._forget(number)

    def close(self) -> None:
        """Close the listening sockets; after the loop has ended."""
        for listener in self._listeners:
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_A_TURN):
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    continue  # it hung up while it waited (accept(2))
                self._counters.add(UNKNOWN, "tls-no-descriptors")
                self._loop.unwatch(listener)
                again = partial(self._loop.watch, listener, partial(self._accept, listener))
                self._loop.at(self._clock.monotonic() + _PAUSE_S, again)
                return
            self._admit(sock, address[:2])

    def _admit(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Have the process shake hands with whom that may be, and turn away others."""
        client, now = self._rules().clients.find(address[0]), self._clock.monotonic()
        if client is None:
            self._counters.stranger(address[0], now)
            sock.close()
            return
        name = client.settings.tls_name
        if name is None:
            self._counters.warn(client.name, "tls-not-configured", now)
            sock.close()
            return
        if self._is_full(client.name):
            self._counters.warn(client.name, "tls-full", now)
            sock.close()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._number += 1
        number = self._number
        self._connections[number] = _Connection(client.name, name, address, now)
        self._of_client[client.name] += 1
        self._half_open[client.name] += 1
        self._order(Take(number, name), sock)

    def _is_full(self, client: str) -> bool:
        return (
            len(self._connections) >= MOST
            or self._of_client[client] >= MOST_OF_A_CLIENT
            or self._half_open.total() >= MOST_HALF_OPEN
            or self._half_open[client] >= MOST_HALF_OPEN_OF_A_CLIENT
        )

    def _take(self, number: int, connection: _Connection, octets: bytes) -> None:
        rules = self._rules()
        client = rules.clients.find(connection.address[0])
        if (
            client is None
            or client.name != connection.client
            or client.settings.tls_name != connection.name
        ):
            self._counters.add(connection.client, "tls-no-client-any-more")
            self._hang_up(number)
            return
        code = CODES.get(octets[0])
        if code is None:  # RFC 6613 section 2.6.4 leaves it to us
            self._counters.add(client.name, "unknown-code")
        elif code in _ANSWERS:
            self._on_answer(octets, connection.address)
        elif code in replies.UNWANTED:
            self._refuse(number, client, octets)
        elif not self._intake.take(octets, self._origin(number, connection, client), rules):
            self._hang_up(number)

    def _origin(self, number: int, connection: _Connection, client: RadiusClient) -> Origin:
        host, port = connection.address
        return Origin(
            client=client,
            secret=TLS_SECRET,
            source=host,
            key=(-number, host, port),  # no descriptor is negative
            codes=_CODES,
            by_tls=True,
            send=partial(self._send, number),
        )

    def _send(self, number: int, packet: bytes) -> None:
        if number in self._connections:
            self._order(Send(number, packet))

    def _refuse(self, number: int, client: RadiusClient, octets: bytes) -> None:
        """Say that such a request is not for us (RFC 6614 section 2.5)."""
        self._counters.add(client.name, "unwanted")
        try:
            packet = decode(octets)
            check_request(packet, TLS_SECRET)
            self._send(number, replies.unwanted(packet, TLS_SECRET))
        except ProtocolError:
            self._hang_up(number)

    def _hang_up(self, number: int) -> None:
        self._forget(number)
        self._order(Close(number))

    def _tell(self, connection: _Connection, end: End, detail: str) -> None:
        """Count why the process closed a connection; warn of what an operator can mend."""
        if end in _OPERATORS:
            self._counters.warn(connection.client, end.value, self._clock.monotonic(), detail)
        else:
            self._counters.add(connection.client, end.value)

    def _proven(self, connection: _Connection) -> None:
        if not connection.is_open:
            connection.is_open = True
            self._half_open[connection.client] -= 1

    def _forget(self, number: int) -> None:
        connection = self._connections.pop(number)
        self._of_client[connection.client] -= 1
        if not connection.is_open:
            self._half_open[connection.client] -= 1

    def _order(self, order: Take | Send | Close, sock: socket.socket | None = None) -> None:
        if self._keeper is not None and not self._keeper.order(order, sock):
            self.lost()

    def _look(self) -> None:
        """See each second that the process says how every handshake ends."""
        now = self._clock.monotonic()
        for one in self._connections.values():
            if not one.is_open and now - one.since > _SILENCE_S and self._keeper is not None:
                self._keeper.lose("it does not answer")
                break
        self._loop.at(now + 1.0, self._look)
