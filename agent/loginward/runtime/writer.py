"""The admin account's process as a service of its own: `python -I -m loginward.runtime.writer`.

systemd starts it for a connection to loginward-writer.socket, as a user of its own and with the
password as a credential, so that the daemon's user can never read that (security.md 12).
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from loginward.config.load import load_config
from loginward.errors import ConfigError
from loginward.host.beside import accepted
from loginward.runtime import hardening
from loginward.runtime.admin_process import serve
from loginward.runtime.clock import SystemClock
from loginward.runtime.ldap_opening import opening_of_admin
from loginward.runtime.logging_setup import set_up_logging

_log = logging.getLogger("loginward")


def main(config_path: str, caller: str) -> int:
    """Carry out the orders of one connection until it ends; return the exit code."""
    set_up_logging()
    hardening.harden()
    clock = SystemClock()
    try:
        link = accepted(caller)
        opening = opening_of_admin(load_config(Path(config_path), secrets=False), clock)
    except OSError as error:
        _log.error("loginward: error: %s", error)
        return os.EX_NOPERM
    except ConfigError as error:
        _log.error("loginward: error: %s", error)
        return os.EX_CONFIG
    if opening is None:
        _log.error("loginward: error: directory.admin_account is not set")
        return os.EX_CONFIG
    serve(link, opening(), clock)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
