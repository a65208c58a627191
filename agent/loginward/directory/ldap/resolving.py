"""Names of servers into addresses, never longer than there is time.

Source: getaddrinfo(3), which takes no timeout: a thread of its own waits for it.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from loginward.core.clock import Deadline
    from loginward.directory.ldap.servers import Server

Address = tuple[int, tuple[str, int]]  # family, and where

FRESH_S = 30.0  # how long an answer is taken without asking again


@dataclass(slots=True)
class _Known:
    addresses: list[Address] = field(default_factory=list)
    fresh_until: float = 0.0
    asking: threading.Thread | None = None


@dataclass(slots=True)
class Resolver:
    """Remembers addresses: the last ones serve while the name service is away."""

    _known: dict[str, _Known] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def addresses(self, server: Server, deadline: Deadline) -> list[Address]:
        """Return the addresses of a server.

        Raises:
            DirectoryUnavailable: None is known, and none was told in half of the time.
        """
        if (numeric := _numeric(server)) is not None:
            return [numeric]
        now = deadline.clock.monotonic()
        with self._guard:
            known = self._known.setdefault(server.url, _Known())
            if now < known.fresh_until:
                return list(known.addresses)
            if known.asking is None or not known.asking.is_alive():
                known.asking = threading.Thread(
                    target=_ask, args=(server, known), name="resolve", daemon=True
                )
                _start(known.asking)
            asking = known.asking
        asking.join(deadline.left / 2)
        with self._guard:
            # also where nothing came: the next login need not wait for the name service again
            known.fresh_until = now + FRESH_S if known.addresses else 0.0
            if not known.addresses:
                raise DirectoryUnavailable("resolve", f"no address of {server.host}")
            return list(known.addresses)

    def forget(self, server: Server) -> None:
        """Ask again next time: nobody answered there, the server may have moved."""
        with self._guard:
            if server.url in self._known:
                self._known[server.url].fresh_until = 0.0


def _start(asking: threading.Thread) -> None:
    try:
        asking.start()
    except RuntimeError as error:  # too many threads for this user
        raise DirectoryUnavailable("resolve", str(error)) from error


def _ask(server: Server, known: _Known) -> None:
    try:
        infos = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    found = [(int(info[0]), (str(info[4][0]), int(info[4][1]))) for info in infos]
    known.addresses = found or known.addresses


def _numeric(server: Server) -> Address | None:
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        socket.inet_pton(family, server.host)
    except OSError:
        return None
    return int(family), (server.host, server.port)
