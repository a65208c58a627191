"""A TCP proxy on loopback that misbehaves on command, between a client and a real server.

The fault applies to what the server answers; requests always reach the server, unless it is
`REFUSE` or `STALL`.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
from typing import Self

DRIP_S = 1.0  # seconds between two octets of a dripping server


class Fault(enum.Enum):
    """What the proxy does to the answers."""

    NONE = "none"
    STALL = "stall"  # accepts, takes everything, forwards nothing
    SWALLOW = "swallow"  # forwards requests, never an answer
    RESET = "reset"  # resets the connection once the request has arrived
    RESET_AFTER = "reset-after"  # forwards the request, resets instead of the answer
    HANG_UP = "hang-up"  # closes the connection once the request has arrived
    DRIP = "drip"  # one octet a second
    GARBAGE = "garbage"  # octets that are no LDAP
    BUSY = "busy"  # result 51 to every request with an id, in the server's stead
    UNAVAILABLE = "unavailable"  # result 52, likewise
    TWICE = "twice"  # every answer is sent two times
    HALF = "half"  # half of the answer, then nothing


class Proxy:
    """Listens on its own port and forwards to `target` (a port of 127.0.0.1)."""

    def __init__(self, target: int, fault: Fault = Fault.NONE) -> None:
        self._target = target
        self.fault = fault
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        """Return the plain URL of this proxy."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Return the LDAPS URL of this proxy, for a target that speaks TLS."""
        return f"ldaps://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._listener.close()
        self._threads[0].join(5)
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self.cut()  # what was being opened meanwhile

    def cut(self) -> None:
        """Close every connection that is open now."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.append(client)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self._target), timeout=30)
            self._open.append(server)
            back = threading.Thread(target=self._answers, args=(server, client), daemon=True)
            self._threads.append(back)
            back.start()
            while octets := client.recv(65536):
                self._request(octets, client, server)
            server.shutdown(socket.SHUT_WR)

    def _request(self, octets: bytes, client: socket.socket, server: socket.socket) -> None:
        match self.fault:
            case Fault.STALL:
                return
            case Fault.RESET:
                _reset(client)
            case Fault.HANG_UP:
                client.shutdown(socket.SHUT_RDWR)
            case Fault.BUSY:
                client.sendall(_refusal(octets, 51))
            case Fault.UNAVAILABLE:
                client.sendall(_refusal(octets, 52))
            case Fault.GARBAGE:
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            case _:
                server.sendall(octets)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := server.recv(65536):
                self._answer(octets, client)
            client.shutdown(socket.SHUT_RDWR)

    def _answer(self, octets: bytes, client: socket.socket) -> None:
        match self.fault:
            case Fault.SWALLOW:
                return
            case Fault.RESET_AFTER:
                _reset(client)
            case Fault.DRIP:
                for octet in octets:
                    if self._stopping.wait(DRIP_S):
                        return
                    client.sendall(bytes([octet]))
            case Fault.TWICE:
                client.sendall(octets * 2)
            case Fault.HALF:
                client.sendall(octets[: len(octets) // 2])
            case _:
                client.sendall(octets)


def _reset(client: socket.socket) -> None:
    """Close with a TCP reset instead of an orderly end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RD)  # the other thread lets go of it; nothing is sent
    client.close()


def _refusal(request: bytes, code: int) -> bytes:
    """Return a BindResponse or SearchResultDone of that code to a request of short lengths."""
    start = 2 if request[1] < 0x80 else 2 + (request[1] & 0x7F)
    identity = request[start : start + 2 + request[start + 1]]
    kind = {0x60: 0x61, 0x63: 0x65, 0x66: 0x67, 0x77: 0x78, 0x6E: 0x6F}.get(
        request[start + len(identity)], 0x61
    )
    answer = identity + bytes([kind, 7, 0x0A, 1, code, 4, 0, 4, 0])
    return bytes([0x30, len(answer)]) + answer
