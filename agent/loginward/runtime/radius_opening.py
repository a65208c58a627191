"""Opens the RADIUS door: its sockets, its secrets, and what is made of its configuration."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from loginward.config.secrets import as_given, read_secret
from loginward.doors.radius.dictionaries import load
from loginward.doors.radius.eap.client import EapProcess
from loginward.doors.radius.rules import DoorRules, door_rules
from loginward.doors.radius.server import Listener
from loginward.errors import ConfigError
from loginward.runtime.eap_process import EapChild, spawn
from loginward.runtime.radsec_opening import RadsecOpening

if TYPE_CHECKING:
    import pwd
    from collections.abc import Callable
    from pathlib import Path

    from loginward.core.clock import Clock
    from loginward.core.secret import Secret
    from loginward.doors.radius.eap.turns import Turn
    from loginward.doors.radius.loop import Loop
    from loginward.settings import Settings
    from loginward.settings.radius import Eap, Radius

_log = logging.getLogger(__name__)
_EAP: Final = "doors.radius.eap"
_BUFFER_OCTETS: Final = 4 * 1024 * 1024  # a burst of 10,000 requests waits here, not in the wire


class RadiusOpening:
    """Makes the door's rules of settings, at the start and at each reload.

    Started as root it reads secrets that it cannot open again later; those stay as they were read.
    """

    def __init__(self) -> None:
        self._secrets: dict[Path, Secret] = {}
        self._started: EapChild | None = None
        self._tunnels: EapProcess | None = None
        self._eap: Eap | None = None
        self.tls = RadsecOpening()

    def start_eap(self, settings: Settings, become: pwd.struct_passwd | None) -> None:
        """Start the process that holds the EAP key, while it may still read that as root.

        Raises:
            ConfigError: There is no process to be had.
        """
        radius = settings.doors.radius
        if radius is None or radius.eap is None:
            return
        try:
            self._started = spawn(become)
        except OSError as error:
            raise ConfigError(_EAP, f"no process can be had: {error.strerror}") from error

    def open_eap(
        self, eap: Eap, loop: Loop, clock: Clock, on_turn: Callable[[int, Turn], None]
    ) -> EapProcess:
        """Return the sessions of that process, which has read its files; reloads go there too.

        Raises:
            ConfigError: A file cannot be used.
        """
        eap = replace(eap, key_file=as_given(eap.key_file))
        self._tunnels, self._eap = EapProcess(self._child, loop, clock, on_turn), eap
        self._tunnels.open(eap)
        return self._tunnels

    def _child(self) -> EapChild:
        started, self._started = self._started, None
        return started or spawn()

    def _reopen(self, eap: Eap) -> None:
        """Have the files of EAP read again; those that only root may read stay as they were."""
        if self._tunnels is None:
            return
        eap = replace(eap, key_file=as_given(eap.key_file))
        try:
            self._tunnels.reconfigure(eap)
        except ConfigError:
            if eap != self._eap or _can_be_read(eap.key_file):
                raise
            _log.warning("loginward: the certificates of EAP stay: only root may read their key")
        self._eap = eap

    def rules(self, settings: Settings) -> DoorRules | None:
        """Return what the door goes by; None: there is no such door.

        Raises:
            ConfigError: A secret or a dictionary cannot be used.
        """
        radius = settings.doors.radius
        if radius is None:
            return None
        secrets = {
            client.name: self._read(client.secret_file, f"doors.radius.clients[{at}].secret_file")
            for at, client in enumerate(radius.clients)
            if client.secret_file is not None
        }
        coa_secrets = {
            client.name: self._read(
                client.coa.secret_file, f"doors.radius.clients[{at}].coa.secret_file"
            )
            for at, client in enumerate(radius.clients)
            if client.coa is not None and client.coa.secret_file is not None
        }
        rules = door_rules(radius, secrets, load(radius.dictionaries), coa_secrets)
        if radius.eap is not None:
            self._reopen(radius.eap)
        if radius.tls is not None:
            self.tls.reopen(radius.tls)
        return rules

    def _read(self, file: Path, path: str) -> Secret:
        try:
            secret = read_secret(as_given(file), path)
        except ConfigError:
            if file not in self._secrets or _can_be_read(file):
                raise
            return self._secrets[file]  # root's own: as it was at the start
        self._secrets[file] = secret
        return secret


def listeners_of(radius: Radius | None) -> tuple[Listener, ...]:
    """Bind the door's UDP sockets.

    Raises:
        ConfigError: An address cannot be had.
    """
    if radius is None:
        return ()
    bound: list[Listener] = []
    try:
        bound.extend(_bound(at, "listen") for at in radius.listen)
        bound.extend(_bound(at, "accounting") for at in radius.accounting)
    except ConfigError:
        for listener in bound:
            listener.sock.close()
        raise
    return tuple(bound)


def _bound(address: str, key: str) -> Listener:
    parts = urlsplit(f"//{address}")
    host, port = parts.hostname or "", parts.port or 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_OCTETS)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ConfigError(f"doors.radius.{key}", f"{address}: {error.strerror}") from error
    return Listener(sock, accounting=key == "accounting")


def _can_be_read(file: Path) -> bool:
    try:
        with file.open("rb"):
            return True
    except OSError:
        return False
