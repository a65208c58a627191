"""Opens RADIUS over TLS: its sockets, its process, and that process's files at each reload."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from loginward.config.secrets import as_given
from loginward.doors.radius.radsec.context import PATH
from loginward.doors.radius.radsec.door import MOST_HALF_OPEN, TlsDoor
from loginward.doors.radius.radsec.frames import Configure
from loginward.doors.radius.radsec.keeper import TlsProcess
from loginward.errors import ConfigError
from loginward.runtime.radsec_process import spawn

if TYPE_CHECKING:
    import pwd

    from loginward.core.clock import Clock
    from loginward.doors.radius.loop import Loop
    from loginward.runtime.key_process import KeyChild
    from loginward.settings import Settings
    from loginward.settings.radius import Radius, RadiusTls


class RadsecOpening:
    """Has the process started while root's rights last, and its files read again at reloads."""

    def __init__(self) -> None:
        self._started: KeyChild | None = None
        self._process: TlsProcess | None = None

    def start(self, settings: Settings, become: pwd.struct_passwd | None) -> None:
        """Start the process that holds the key, while it may still read that as root.

        Raises:
            ConfigError: There is no process to be had.
        """
        radius = settings.doors.radius
        if radius is None or radius.tls is None:
            return
        try:
            self._started = spawn(become)
        except OSError as error:
            raise ConfigError(PATH, f"no process can be had: {error.strerror}") from error

    def open(self, tls: RadiusTls, door: TlsDoor, loop: Loop, clock: Clock) -> TlsProcess:
        """Have the door use that process, which has read its files; reloads go there too.

        Raises:
            ConfigError: A file cannot be used.
        """
        self._process = TlsProcess(self._child, loop, clock, door.report, door.lost)
        self._process.open(_files(tls))
        door.start(self._process)
        return self._process

    def reopen(self, tls: RadiusTls) -> None:
        """Have the files read again; connections go on.

        Raises:
            ConfigError: One cannot be used; the earlier ones stay in use.
        """
        if self._process is not None:
            self._process.reconfigure(_files(tls))

    def _child(self) -> KeyChild:
        started, self._started = self._started, None
        return started or spawn()


def tls_listeners_of(radius: Radius | None) -> tuple[socket.socket, ...]:
    """Bind the TCP sockets of RADIUS over TLS.

    Raises:
        ConfigError: An address cannot be had.
    """
    bound: list[socket.socket] = []
    for address in () if radius is None or radius.tls is None else radius.tls.listen:
        parts = urlsplit(f"//{address}")
        family = socket.AF_INET6 if ":" in (parts.hostname or "") else socket.AF_INET
        try:
            place = (parts.hostname or "", parts.port or 0)
            bound.append(socket.create_server(place, family=family, backlog=MOST_HALF_OPEN))
        except OSError as error:
            for sock in bound:
                sock.close()
            raise ConfigError(f"{PATH}.listen", f"{address}: {error.strerror}") from error
    return tuple(bound)


def _files(tls: RadiusTls) -> Configure:
    return Configure(str(tls.cert_file), str(as_given(tls.key_file)), str(tls.client_ca_file))
