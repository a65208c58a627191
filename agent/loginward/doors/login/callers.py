"""Who is on the login socket, as the kernel shows it.

Rights follow the effective uid; limits and audit follow the real one, because `su` and `sudo` are
root and yet somebody's. Source: unix(7) SO_PEERCRED, proc(5) /proc/PID/stat and status.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.core.requests import Peer
from loginward.doors.peer import peer_of

if TYPE_CHECKING:
    import socket

PROC: Final = Path("/proc")
_PAGE: Final = 4096
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
    folder = f"{proc}/{pid}"
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


def _start_time(folder: str) -> int:
    """Return when the process began, in clock ticks since boot; another process differs in it."""
    return int(_octets(f"{folder}/stat").rpartition(b")")[2].split()[_START_TIME])


def _first_uid(folder: str) -> int:
    _, found, rest = _octets(f"{folder}/status").partition(b"\nUid:")
    if not found:
        raise ValueError("no Uid line")
    return int(rest.split(maxsplit=1)[0])


def _octets(path: str) -> bytes:
    """Read a small file of /proc at once: this runs for every connection."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _PAGE)
    finally:
        os.close(descriptor)
