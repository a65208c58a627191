"""Who is on the login socket, as the kernel shows it.

Rights follow the effective uid; limits and audit follow the real one, because `su` and `sudo` are
root and yet somebody's. Source: unix(7) SO_PEERCRED, proc(5) /proc/PID/stat and status.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.core.requests import Peer
from loginward.doors.admin.peer import peer_of

if TYPE_CHECKING:
    import socket

PROC: Final = Path("/proc")
_START_TIME: Final = 19  # field 22 of stat, counted from the one after the command's name


class CallerGoneError(Exception):
    """The process that connected has ended: there is nobody to answer."""


def caller_of(connection: socket.socket, proc: Path = PROC) -> Peer:
    """Return the process that connected.

    Where /proc hides it (hidepid), the effective uid stands for the real one.

    Raises:
        OSError: The kernel does not say who it is.
        CallerGoneError: It has ended meanwhile.
    """
    pid, uid, groups = peer_of(connection)
    return Peer(uid=uid, real_uid=_real_uid(proc, pid, uid), pid=pid, groups=groups)


def _real_uid(proc: Path, pid: int, uid: int) -> int:
    if pid <= 0:
        return uid  # of another pid namespace
    folder = proc / str(pid)
    try:
        started = _start_time(folder)
        real_uid = _first_uid(folder)
        if _start_time(folder) == started:
            return real_uid
    except (OSError, ValueError, IndexError):
        if _is_there(pid):
            return uid
    raise CallerGoneError


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True


def _start_time(folder: Path) -> int:
    """Return when the process began, in clock ticks since boot; another process differs in it."""
    return int((folder / "stat").read_bytes().rpartition(b")")[2].split()[_START_TIME])


def _first_uid(folder: Path) -> int:
    for line in (folder / "status").read_bytes().splitlines():
        if line.startswith(b"Uid:"):
            return int(line.split()[1])
    raise ValueError("no Uid line")
