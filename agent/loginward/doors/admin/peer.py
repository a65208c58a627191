"""Who is on the admin socket, as the kernel shows it.

Source: unix(7) SO_PEERCRED and SO_PEERGROUPS, proc(5) /proc/PID/loginuid.
"""

from __future__ import annotations

import array
import contextlib
import errno
import grp
import pwd
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.doors.admin.port import Operator

if TYPE_CHECKING:
    from loginward.doors.admin.roles import Roles

_UCRED: Final = struct.Struct("3i")  # pid, uid, gid
_SO_PEERGROUPS: Final = 59  # asm-generic/socket.h; Python has no name for it
_NO_LOGIN_UID: Final = 0xFFFFFFFF  # (uid_t)-1: not set
_FIRST_GROUPS: Final = 64


def peer_of(connection: socket.socket) -> tuple[int, int, frozenset[int]]:
    """Return pid, effective uid and groups of who connected, at the time they did.

    Raises:
        OSError: The kernel does not say; the connection is of no use then.
    """
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return pid, uid, frozenset({gid, *_supplementary(connection)})


def operator_of(connection: socket.socket, roles: Roles, proc: Path = Path("/proc")) -> Operator:
    """Return the operator behind a connection, with the rights that the roles give.

    Raises:
        OSError: The kernel does not say who it is.
    """
    pid, uid, gids = peer_of(connection)
    login_uid = _login_uid(proc, pid)
    return Operator(
        uid=uid,
        name=_name_of(uid),
        pid=pid,
        groups=frozenset(_group_name(gid) for gid in gids),
        login_uid=login_uid,
        login_name="" if login_uid is None else _name_of(login_uid),
        rights=roles.rights_of(uid, gids),
    )


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


def _login_uid(proc: Path, pid: int) -> int | None:
    """Return the audit login uid; only recorded, no right follows from it."""
    with contextlib.suppress(OSError, ValueError):
        login_uid = int((proc / str(pid) / "loginuid").read_text("ascii"))
        return None if login_uid == _NO_LOGIN_UID else login_uid
    return None


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
