"""Which process is at the other end of a socket, as the kernel shows it.

Source: unix(7) SO_PEERCRED and SO_PEERGROUPS.
"""

from __future__ import annotations

import array
import errno
import socket
import struct
from typing import Final

_UCRED: Final = struct.Struct("3i")  # pid, uid, gid
_SO_PEERGROUPS: Final = 59  # asm-generic/socket.h; Python has no name for it
_FIRST_GROUPS: Final = 64


def peer_of(connection: socket.socket) -> tuple[int, int, frozenset[int]]:
    """Return pid, effective uid and groups of who connected, at the time they did.

    Raises:
        OSError: The kernel does not say; the connection is of no use then.
    """
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return pid, uid, frozenset({gid, *_supplementary(connection)})


def _supplementary(connection: socket.socket) -> array.array[int]:
    room = _FIRST_GROUPS
    while True:
        try:
            raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, room * 4)
        except OSError as error:
            if error.errno != errno.ERANGE or room > 65536:
                raise
            room *= 4
            continue
        return array.array("I", raw)
