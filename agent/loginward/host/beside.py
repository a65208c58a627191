"""What the daemon and the processes beside it have in common (security.md 12).

systemd listens, and starts a process for a connection with that connection as its standard input.
Both ends ask the kernel who the other is. A process that is forked keeps what is its own alone.
Source: unix(7) SO_PEERCRED, systemd.socket(5) Accept=.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pwd
import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_UCRED: Final = struct.Struct("iII")  # pid, uid, gid
_STDIN: Final = 0
STDERR: Final = 2


def connect(path: Path, within_s: float) -> socket.socket:
    """Return a connection to a socket that root listens at.

    Raises:
        OSError: Nobody listens there, or somebody else than root does.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.settimeout(within_s)
        connection.connect(os.fspath(path))
        if uid_of_peer(connection) != 0:
            raise PermissionError(f"{path}: not root listens there")
    except OSError:
        connection.close()
        raise
    return connection


def accepted(caller: str) -> socket.socket:
    """Return the connection that is this process's standard input.

    Args:
        caller: The one user who may be at its other end.

    Raises:
        OSError: It is no such socket, or another user called.
    """
    connection = taken_from_standard_input()
    try:
        allowed = pwd.getpwnam(caller).pw_uid
    except KeyError:
        raise PermissionError(f"there is no user {caller}") from None
    uid = uid_of_peer(connection)
    if uid != allowed:
        raise PermissionError(f"uid {uid} called, and only {caller} may")
    return connection


def taken_from_standard_input() -> socket.socket:
    """Return the socket that is this process's standard input, whoever is at its other end.

    Nothing else is left of the standard input: programs started from here never get the socket.

    Raises:
        OSError: It is no Unix socket of packets.
    """
    connection = socket.socket(fileno=os.dup(_STDIN))
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, _STDIN)
    os.close(nowhere)
    if (connection.family, connection.type) != (socket.AF_UNIX, socket.SOCK_SEQPACKET):
        raise ConnectionError("standard input is not a Unix socket of packets")
    return connection


def uid_of_peer(connection: socket.socket) -> int:
    """Return the effective uid of whoever connected or, seen from there, of whoever listened."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, uid, _ = _UCRED.unpack(raw)
    return int(uid)


def close_all_but(*descriptors: int) -> None:
    """Keep these descriptors of a process just forked; the first three not named lead nowhere."""
    gc.freeze()  # a copy of an object of the daemon's must not end, and close a number given anew
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in set(range(STDERR + 1)) - set(descriptors):
        os.dup2(nowhere, standard)
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208  numbers, not files
        if number > STDERR and number not in descriptors:
            with contextlib.suppress(OSError):  # the one that lists them
                os.close(number)
