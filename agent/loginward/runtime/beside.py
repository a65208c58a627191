"""The processes beside the daemon: started first, while there is one thread and root's rights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.errors import ConfigError
from loginward.host.roothelper import RootHelper
from loginward.runtime.ldap_opening import start_admin_process

if TYPE_CHECKING:
    import pwd

    from loginward.runtime.admin_process import AdminProcess
    from loginward.settings import Settings


@dataclass(frozen=True, slots=True)
class Beside:
    """The processes; None where one is not needed or cannot be.

    Attributes:
        root: Does what needs root, by a closed list of verbs.
        admin: Holds the directory's admin account.
    """

    root: RootHelper | None = None
    admin: AdminProcess | None = None


def start_beside(settings: Settings, become: pwd.struct_passwd | None) -> Beside:
    """Start them; the root helper first, before any secret is read.

    Raises:
        ConfigError: A process or a secret cannot be had.
    """
    try:
        root = RootHelper.fork() if os.geteuid() == 0 and become is not None else None
    except OSError as error:
        raise ConfigError("serve", f"no process for the root helper: {error.strerror}") from error
    return Beside(root, start_admin_process(settings, become))
