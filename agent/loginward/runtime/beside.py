"""The processes beside the daemon: forked while it has root's rights, or reached by sockets.

Started as root the daemon forks both first, while there is one thread. systemd starts it without
root's rights and names in its environment the sockets at which systemd starts the two; then the
daemon reads no secret of theirs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.errors import ConfigError
from loginward.host.roothelper import RootHelper
from loginward.runtime.admin_process import AdminProcess
from loginward.runtime.clock import SystemClock
from loginward.runtime.ldap_opening import opening_of_admin

if TYPE_CHECKING:
    import pwd
    from collections.abc import Mapping

    from loginward.settings import Settings

ROOT_SOCKET: Final = "LOGINWARD_ROOT_SOCKET"
WRITER_SOCKET: Final = "LOGINWARD_WRITER_SOCKET"


@dataclass(frozen=True, slots=True)
class Beside:
    """The processes; None where one is not needed or cannot be.

    Attributes:
        root: Does what needs root, by a closed list of verbs.
        admin: Holds the directory's admin account.
    """

    root: RootHelper | None = None
    admin: AdminProcess | None = None


def start_beside(
    settings: Settings,
    become: pwd.struct_passwd | None,
    environ: Mapping[str, str] = os.environ,
) -> Beside:
    """Start or find them; the root helper first, before any secret is read.

    Args:
        become: Whom the daemon becomes; None: it has no root's rights.

    Raises:
        ConfigError: A process or a secret cannot be had.
    """
    root = _root_helper(become, environ)
    return Beside(root, _admin_process(settings, become, environ))


def _root_helper(become: pwd.struct_passwd | None, environ: Mapping[str, str]) -> RootHelper | None:
    if become is None:
        path = environ.get(ROOT_SOCKET)
        return RootHelper.at(Path(path)) if path else None
    try:
        return RootHelper.fork()
    except OSError as error:
        raise ConfigError("serve", f"no process for the root helper: {error.strerror}") from error


def _admin_process(
    settings: Settings, become: pwd.struct_passwd | None, environ: Mapping[str, str]
) -> AdminProcess | None:
    path = environ.get(WRITER_SOCKET)
    if become is None and path:
        wanted = settings.directory.kind == "ldap" and settings.directory.admin_account is not None
        return AdminProcess.at(Path(path)) if wanted else None
    clock = SystemClock()
    opening = opening_of_admin(settings, clock)
    return None if opening is None else AdminProcess.fork(opening, clock, become)
