"""What programs write to syslog(3), read without a guess at when it has arrived."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 20
_MARK = b"\0"


class Log:
    """What is sent to a socket that stands for /dev/log."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._octets = queue.SimpleQueue[bytes]()

    def lines(self) -> list[str]:
        """Return what was sent until now, and not returned before."""
        self._send(_MARK)  # what was sent before it arrives before it
        lines = iter(lambda: self._octets.get(timeout=PATIENCE_S), _MARK)
        return [octets.decode(errors="replace") for octets in lines]

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Listen, and never let a program wait, until the end of the block."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(self._path))
            self._path.chmod(0o666)
            thread = threading.Thread(target=self._keep, args=(sock,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                self._send(b"")
                thread.join(PATIENCE_S)

    def _keep(self, sock: socket.socket) -> None:
        while octets := sock.recv(65536):
            self._octets.put(octets)

    def _send(self, octets: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(octets, str(self._path))
