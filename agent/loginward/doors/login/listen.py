"""The listening socket of the login door: made here, or handed over by systemd.

The module trusts a socket in a folder that only root or the daemon can write, served by root or
the daemon. The kernel shows clients who called listen(2): root, where systemd or root's own
start-up did so before the daemon gave up its rights. So listen(2) is never called again later.
Source: unix(7), sd_listen_fds(3).
"""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING, Final

from loginward.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BACKLOG: Final = 1024
MODE: Final = 0o666  # screen lockers run as their user; the kernel says who asks
_FIRST_DESCRIPTOR: Final = 3
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def listen(path: Path) -> socket.socket:
    """Return a socket that listens at a path, in place of one that a dead daemon left.

    Raises:
        ConfigError: Others can write its folder, something else lies there, or a daemon listens
            there already.
    """
    _check_folder(path.parent)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _check_free(path)
        sock.bind(os.fspath(draft))
        draft.chmod(MODE)
        sock.listen(BACKLOG)
        draft.replace(path)
    except OSError as error:
        sock.close()
        draft.unlink(missing_ok=True)
        raise ConfigError("runtime_dir", f"{path}: {error.strerror or error}") from error
    except ConfigError:
        sock.close()
        raise
    return sock


def inherited(name: str, environ: Mapping[str, str]) -> socket.socket | None:
    """Return the listening socket that systemd handed over under this name, or None.

    Raises:
        ConfigError: There is one, but it does not listen, or is no Unix stream socket.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    count = int(environ.get("LISTEN_FDS", "0"))
    for descriptor, found in enumerate(names[:count], _FIRST_DESCRIPTOR):
        if found == name:
            return _adopted(name, descriptor)
    return None


def _adopted(name: str, descriptor: int) -> socket.socket:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ConfigError("runtime_dir", f"{name}: {error.strerror}") from error
    kind = (sock.family, sock.type)
    listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if kind != (socket.AF_UNIX, socket.SOCK_STREAM) or not listens:
        sock.close()
        raise ConfigError("runtime_dir", f"{name}: not a listening Unix stream socket")
    os.set_inheritable(descriptor, False)  # noqa: FBT003  its second argument
    return sock


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
        at = folder.lstat()
    except OSError as error:
        raise ConfigError("runtime_dir", f"{folder}: {error.strerror}") from error
    if not stat.S_ISDIR(at.st_mode) or at.st_mode & _OTHERS_WRITE:
        raise ConfigError(
            "runtime_dir", f"{folder}: must be a folder that only its owner can write"
        )
    if at.st_uid not in {0, os.geteuid()}:
        raise ConfigError("runtime_dir", f"{folder}: must belong to root or to the daemon")


def _check_free(path: Path) -> None:
    """Check that nothing lies at a path but a socket that nobody listens at."""
    try:
        at = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(at.st_mode):
        raise ConfigError("runtime_dir", f"{path}: something else lies there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return
    raise ConfigError("runtime_dir", f"{path}: another daemon listens there")
