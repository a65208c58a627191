"""Who is on the admin socket, and with which rights.

Source: proc(5) /proc/PID/loginuid.
"""

from __future__ import annotations

import contextlib
import grp
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.doors.admin.port import Operator
from loginward.doors.login.callers import CallerGoneError, caller_of
from loginward.doors.peer import peer_of

if TYPE_CHECKING:
    import socket

    from loginward.doors.admin.roles import Roles

_NO_LOGIN_UID: Final = 0xFFFFFFFF  # (uid_t)-1: not set


def operator_of(connection: socket.socket, roles: Roles, proc: Path = Path("/proc")) -> Operator:
    """Return the operator behind a connection, with the rights that the roles give.

    Raises:
        OSError: The kernel does not say who it is.
    """
    pid, uid, gids = peer_of(connection)
    login_uid = _login_uid(proc, pid)
    return Operator(
        uid=uid,
        real_uid=_real_uid(connection, proc, uid),
        name=_name_of(uid),
        pid=pid,
        groups=frozenset(_group_name(gid) for gid in gids),
        login_uid=login_uid,
        login_name="" if login_uid is None else _name_of(login_uid),
        rights=roles.rights_of(uid, gids),
    )


def _real_uid(connection: socket.socket, proc: Path, uid: int) -> int:
    """Return the real uid, or the effective one of a process that has ended meanwhile."""
    try:
        return caller_of(connection, proc).real_uid
    except CallerGoneError:
        return uid


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
