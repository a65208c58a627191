"""Makes the daemon's process a poor place to steal from, and takes root's rights away.

Source: prctl(2), setrlimit(2), mlockall(2), setresuid(2).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import stat
import sys
from typing import TYPE_CHECKING, Final

from loginward.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_MCL_ALL_ON_FAULT: Final = 1 | 2 | 4  # MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT: costs no memory
_SWITCH_S: Final = 0.0005  # one thread that computes does not hold the others for 5 ms
_OPEN_FILES: Final = 4096  # many more than both doors hold connections
_UNWANTED: Final = ("LD_", "PYTHON", "MALLOC_", "GCONV_", "LOCPATH", "OPENSSL_", "SSLKEYLOGFILE")


def harden() -> tuple[str, ...]:
    """Leave no core, let nobody attach, swap nothing, write nothing that others can read.

    Returns:
        What this process has not the right to do, for the log.
    """
    os.umask(0o077)
    clean_environment(os.environ)
    _allow_open_files()
    sys.setswitchinterval(_SWITCH_S)
    if not sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return ("memory is not kept from swap on this system",)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    return () if _lock_memory() else ("memory is not kept from swap: no right to lock it",)


def clean_environment(environ: MutableMapping[str, str]) -> None:
    """Drop what would change how a program started from here loads and reads code."""
    for name in [name for name in environ if name.startswith(_UNWANTED)]:
        del environ[name]


def user_to_become(name: str | None, default: str) -> pwd.struct_passwd | None:
    """Return the user whose rights are enough; None: this process has no root's rights to drop.

    Raises:
        ConfigError: It runs as root and there is no such user.
    """
    if os.geteuid() != 0:
        return None
    wanted = name or default
    try:
        entry = pwd.getpwnam(wanted)
    except KeyError:
        raise ConfigError(
            "serve",
            f"started as root, and there is no user {wanted} to become; "
            f"useradd --system --shell /usr/sbin/nologin {wanted}, or name one with --user",
        ) from None
    if entry.pw_uid == 0:
        raise ConfigError("serve", "the daemon never runs as root; name another --user")
    return entry


def own_folder(folder: Path, mode: int, owner: pwd.struct_passwd | None) -> None:
    """Make a folder that a user can work in.

    Raises:
        ConfigError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) != mode:  # root's, as tmpfiles.d makes it, is right
            folder.chmod(mode)
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    except OSError as error:
        raise ConfigError("state_dir", f"{folder}: {error.strerror}") from error


def become(user: pwd.struct_passwd) -> None:
    """Give up root's rights for good.

    Raises:
        ConfigError: The kernel did not take them all away.
    """
    try:
        os.setgroups([])
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    except OSError as error:
        raise ConfigError("serve", f"cannot become {user.pw_name}: {error.strerror}") from error
    gone = os.getresuid() == (user.pw_uid,) * 3 and os.getresgid() == (user.pw_gid,) * 3
    if not gone or os.getgroups() or _can_return():
        raise ConfigError("serve", "root's rights could not be given up")
    if sys.platform.startswith("linux"):
        _prctl(_PR_SET_DUMPABLE, 0)  # a change of uid sets it again


def _allow_open_files() -> None:
    """Have descriptors for every connection that the doors take, as far as the hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = _OPEN_FILES if hard == unlimited else min(hard, _OPEN_FILES)
    if soft != unlimited and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _can_return() -> bool:
    try:
        os.setuid(0)
    except OSError:
        return False
    return True


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _lock_memory() -> bool:
    """Keep every page that is used in memory; False: not permitted.

    Only without a limit: under one, later allocations would fail.
    """
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, infinite)
    except (ValueError, OSError):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).mlockall(_MCL_ALL_ON_FAULT) == 0)
