"""Makes the daemon's process a poor place to steal from, and takes root's rights away.

Source: prctl(2), setrlimit(2), mlockall(2), setresuid(2).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import sys
from typing import TYPE_CHECKING, Final

from loginward.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_SWITCH_S: Final = 0.0005  # one thread that computes does not hold the others for 5 ms


def harden() -> None:
    """Leave no core, let nobody attach, write nothing that others can read."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    sys.setswitchinterval(_SWITCH_S)


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
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    if os.getresuid() != (user.pw_uid,) * 3 or os.getgroups():
        raise ConfigError("serve", "root's rights could not be given up")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # a change of uid sets it again
