"""UDP sockets for what the agent sends of its own accord, on the RADIUS door's loop.

Source: RFC 5176 section 2.1: the NAS listens, usually on port 3799.
"""

from __future__ import annotations

import contextlib
import socket
from functools import partial
from typing import TYPE_CHECKING, Final

from loginward.wire.radius.packet import MAX_OCTETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.doors.radius.loop import Loop

_A_TURN: Final = 64  # datagrams of one socket before others are looked at


class Outlet:
    """One socket an address family, opened when it is first needed; for the loop's thread.

    Args:
        received: Given each datagram that comes back, with its sender.
    """

    def __init__(self, loop: Loop, received: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._loop = loop
        self._received = received
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}

    def send(self, octets: bytes, address: tuple[str, int]) -> None:
        """Send a datagram; where that fails now, nothing is sent."""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        with contextlib.suppress(OSError):
            self._socket_of(family).sendto(octets, address)

    def close(self) -> None:
        """Close the sockets."""
        for sock in self._sockets.values():
            self._loop.unwatch(sock)
            sock.close()
        self._sockets.clear()

    def _socket_of(self, family: socket.AddressFamily) -> socket.socket:
        sock = self._sockets.get(family)
        if sock is None:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.setblocking(False)  # noqa: FBT003  its one argument
            self._sockets[family] = sock
            self._loop.watch(sock, partial(self._read, sock))
        return sock

    def _read(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):  # nothing more, or an ICMP error of what was sent
            for _ in range(_A_TURN):
                datagram, sender = sock.recvfrom(MAX_OCTETS + 1)
                self._received(datagram, sender[:2])
