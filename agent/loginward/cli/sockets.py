"""Connecting to one of the daemon's sockets."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Final

from loginward.cli.exits import NOT_PERMITTED, UNREACHABLE, CommandFailed

if TYPE_CHECKING:
    from pathlib import Path

CONNECT_S: Final = 5
_OCTETS: Final = 65536
_START = "systemctl start loginward, or try it in the foreground: loginward serve"


def connect(path: Path) -> socket.socket:
    """Return a connection; waits up to 5 s for room where the daemon is busy.

    Raises:
        CommandFailed: Nobody listens there, or this user may not ask.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A Python timeout would make the socket non-blocking, and then a full backlog is an error.
    limit = struct.pack("ll", CONNECT_S, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    try:
        connection.connect(os.fspath(path))
    except PermissionError:
        connection.close()
        raise CommandFailed(f"{path}: not permitted", "run it as root", NOT_PERMITTED) from None
    except OSError as error:
        connection.close()
        why = f"the daemon does not answer ({path}: {_reason(error)})"
        raise CommandFailed(why, _START, UNREACHABLE) from None
    return connection


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def hung_up() -> CommandFailed:
    """Return how a command ends when the daemon closed the connection before its last word."""
    why = "the daemon hung up before its answer was complete"
    return CommandFailed(why, "it restarts, or too many commands run at once; again", UNREACHABLE)


def received(connection: socket.socket) -> bytes:
    """Return what comes next, at least one octet.

    Raises:
        CommandFailed: The daemon hung up, or owes an answer for too long.
    """
    try:
        octets = connection.recv(_OCTETS)
    except TimeoutError:
        why = "the daemon does not answer in time"
        raise CommandFailed(why, "journalctl -u loginward", UNREACHABLE) from None
    except OSError:
        raise hung_up() from None
    if not octets:
        raise hung_up()
    return octets
