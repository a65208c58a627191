"""Tells systemd how the daemon is (sd_notify(3)); nothing happens where it does not listen."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_log = logging.getLogger(__name__)


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send a state such as "READY=1"; return whether there was somebody to tell."""
    path = environ.get("NOTIFY_SOCKET", "")
    if not path:
        return False
    address = "\0" + path[1:] if path.startswith("@") else path
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sock:
        sock.sendto(state.encode(), address)
        return True
    return False


_UNASKED_S: Final = 5.0


class Watchdog:
    """Says at half the interval that systemd asks for that the daemon is well, while it is.

    Args:
        is_well: Asked each time, also where systemd does not ask; False lets it restart the daemon.
    """

    def __init__(
        self, is_well: Callable[[], bool], environ: Mapping[str, str] = os.environ
    ) -> None:
        self._is_well = is_well
        usec = environ.get("WATCHDOG_USEC", "")
        is_ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        asked_s = int(usec) / 2_000_000 if usec.isdecimal() and is_ours else 0.0
        self._tells = asked_s > 0
        self._every_s = min(asked_s, _UNASKED_S) or _UNASKED_S
        self._environ = environ
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop saying so."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                well = self._is_well()
            except Exception:  # noqa: BLE001  top of the thread: who cannot tell is not well
                _log.exception("watchdog: fault")
                well = False
            if well and self._tells:
                notify("WATCHDOG=1", self._environ)
