"""Opens the RADIUS door: its sockets, its secrets, and what is made of its configuration."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from loginward.config.secrets import read_secret
from loginward.doors.radius.dictionaries import load
from loginward.doors.radius.rules import DoorRules, door_rules
from loginward.doors.radius.server import Listener
from loginward.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from loginward.core.secret import Secret
    from loginward.settings import Settings
    from loginward.settings.radius import Radius

_BUFFER_OCTETS: Final = 4 * 1024 * 1024  # a burst of 10,000 requests waits here, not in the wire


class RadiusOpening:
    """Makes the door's rules of settings, at the start and at each reload.

    Started as root it reads secrets that it cannot open again later; those stay as they were read.
    """

    def __init__(self) -> None:
        self._secrets: dict[Path, Secret] = {}

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
        return door_rules(radius, secrets, load(radius.dictionaries), coa_secrets)

    def _read(self, file: Path, path: str) -> Secret:
        try:
            secret = read_secret(file, path)
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
