"""Both ends of a socket in one process: a listener served to its end, and a pair with a server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 10


def listening(path: Path, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Return a socket that listens at a path which everybody may connect to."""
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.bind(str(path))
    path.chmod(0o666)
    sock.listen(64)
    return sock


def connections(listener: socket.socket) -> Iterator[socket.socket]:
    """Yield each connection that is accepted, until the listener is shut down."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        yield connection


@contextmanager
def packets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Connect two ends that keep the bounds of what is sent, and wait for no octet for ever."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(PATIENCE_S)
        theirs.settimeout(PATIENCE_S)
        yield ours, theirs


@contextmanager
def served(ours: socket.socket, serve: Callable[..., object], *arguments: object) -> Iterator[None]:
    """Serve the other end in a thread, which has to end when ours is closed."""
    thread = threading.Thread(target=serve, args=arguments)
    thread.start()
    yield
    ours.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "it ends with its peer"
