"""One connection to a server in which every wait ends at a deadline.

The socket never blocks: waiting is a poll until the octets or the deadline come, so that neither a
silent server nor one that drips octets can hold a login.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
from typing import TYPE_CHECKING

from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from loginward.core.clock import Deadline

_READ, _WRITE = select.POLLIN, select.POLLOUT


class Channel:
    """A connected socket, and the deadline of whoever uses it now.

    It is also the socket that ldap3 is given: `recv`, `sendall`, `shutdown` and `close` suffice.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self.deadline = deadline

    @classmethod
    def connect(cls, address: tuple[str, int], family: int, deadline: Deadline) -> Channel:
        """Return a TCP connection without Nagle's delay.

        Raises:
            OSError: Refused, unreachable, or out of time.
        """
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(0)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            channel = cls(sock, deadline)
            with contextlib.suppress(BlockingIOError):
                sock.connect(address)
            channel._wait(_WRITE)
            channel._raise_pending()
        except OSError:
            sock.close()
            raise
        return channel

    def start_tls(self, context: ssl.SSLContext, name: str) -> None:
        """Wrap the connection and verify the server.

        Raises:
            OSError: The handshake or the verification failed (ssl.SSLError), or out of time.
        """
        sock = context.wrap_socket(self._sock, server_hostname=name, do_handshake_on_connect=False)
        self._sock = sock
        while True:
            try:
                return sock.do_handshake()
            except ssl.SSLWantReadError:
                self._wait(_READ)
            except ssl.SSLWantWriteError:
                self._wait(_WRITE)

    def recv(self, size: int) -> bytes:
        """Return some octets; empty: the peer closed.

        Raises:
            OSError: The connection broke, or out of time (TimeoutError).
        """
        while True:
            if self.deadline.passed:  # a peer that always has more to say waits for nobody
                raise TimeoutError("out of time")
            try:
                return self._sock.recv(size)
            except (ssl.SSLWantReadError, BlockingIOError):
                self._wait(_READ)
            except ssl.SSLWantWriteError:
                self._wait(_WRITE)

    def sendall(self, octets: bytes) -> None:
        """Send them all.

        Raises:
            OSError: The connection broke, or out of time.
        """
        left = memoryview(octets)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except (ssl.SSLWantWriteError, BlockingIOError):
                self._wait(_WRITE)
            except ssl.SSLWantReadError:
                self._wait(_READ)

    def fileno(self) -> int:
        """Return the descriptor, for who waits for many."""
        return self._sock.fileno()

    def send_at_once(self, octets: bytes) -> bool:
        """Send all of a small message without waiting; False: the connection is of no more use."""
        try:
            return self._sock.send(octets) == len(octets)
        except OSError:
            return False

    def receive_at_once(self, size: int) -> bytes | None:
        """Return what is there; None: nothing yet; empty: the peer closed.

        Raises:
            OSError: The connection broke.
        """
        try:
            return self._sock.recv(size)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None

    def is_stale(self) -> bool:
        """Return whether the peer closed it, or said something nobody asked for."""
        try:
            return bool(self._sock.recv(1) or True)
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError:
            return True

    def shutdown(self, how: int) -> None:
        """End both directions at once."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(how)

    def close(self) -> None:
        """Give the descriptor back; idempotent."""
        self._sock.close()

    def _raise_pending(self) -> None:
        problem = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise OSError(problem, os.strerror(problem))

    def _wait(self, event: int) -> None:
        left = self.deadline.left
        poll = select.poll()
        poll.register(self._sock, event)
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError("out of time")


def unavailable(stage: str, error: OSError) -> DirectoryUnavailable:
    """Return the fault that stands for a broken or slow connection."""
    if isinstance(error, TimeoutError):
        return DirectoryUnavailable("directory.budget_s", f"{stage}: no answer in time")
    reason = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
    return DirectoryUnavailable(stage, reason)
