"""From a configured server to a verified connection, within a deadline."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.directory.ldap.channel import Channel, unavailable
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.wire import ldap

if TYPE_CHECKING:
    import ssl

    from loginward.core.clock import Deadline
    from loginward.directory.ldap.servers import Server

_Address = tuple[int, tuple[str, int]]
_CHUNK = 16384


@dataclass(slots=True)
class Dialler:
    """Opens connections; remembers addresses, for when the resolver is away."""

    context: ssl.SSLContext
    _addresses: dict[str, list[_Address]] = field(default_factory=dict)

    def dial(self, server: Server, deadline: Deadline) -> Channel:
        """Return a connection over which a password may be sent.

        Raises:
            DirectoryUnavailable: Not reachable, not verified, or not in time.
        """
        channel = self._connect(server, deadline)
        try:
            if server.start_tls:
                _ask_for_tls(channel)
            if server.is_ldaps or server.start_tls:
                channel.start_tls(self.context, server.host)
        except OSError as error:
            channel.close()
            raise unavailable("tls", error) from error
        except DirectoryUnavailable:
            channel.close()
            raise
        return channel

    def _connect(self, server: Server, deadline: Deadline) -> Channel:
        addresses = self._resolve(server, deadline)
        last: OSError = OSError("no address")
        for at, (family, address) in enumerate(addresses):
            share = deadline.sooner(deadline.left / (len(addresses) - at))
            try:
                channel = Channel.connect(address, family, share)
            except OSError as error:
                last = error
                continue
            channel.deadline = deadline
            return channel
        raise unavailable("connect", last) from last

    def _resolve(self, server: Server, deadline: Deadline) -> list[_Address]:
        """Return the addresses; the resolver has no timeout, so a thread of its own waits."""
        found: list[_Address] = []

        def resolve() -> None:
            try:
                infos = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
            except OSError:
                return
            found.extend((int(info[0]), (str(info[4][0]), int(info[4][1]))) for info in infos)

        if (known := self._numeric(server)) is not None:
            return known
        thread = threading.Thread(target=resolve, name="resolve", daemon=True)
        thread.start()
        thread.join(deadline.left / 2)
        if addresses := list(found):
            self._addresses[server.url] = addresses
        if server.url not in self._addresses:
            raise DirectoryUnavailable("resolve", f"no address of {server.host}")
        return self._addresses[server.url]

    @staticmethod
    def _numeric(server: Server) -> list[_Address] | None:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        try:
            socket.inet_pton(family, server.host)
        except OSError:
            return None
        return [(int(family), (server.host, server.port))]


def _ask_for_tls(channel: Channel) -> None:
    answer = exchange(channel, ldap.start_tls_request(1), 1, "starttls").operation
    if not isinstance(answer, ldap.ExtendedResponse) or answer.result.code != 0:
        raise DirectoryUnavailable("starttls", f"refused with result {answer.result.code}")


def exchange(channel: Channel, request: bytes, message_id: int, stage: str) -> ldap.Message:
    """Send one request and return its one answer; nothing may follow it.

    Raises:
        DirectoryUnavailable: No such answer in time; the connection is then of no more use.
    """
    framer = ldap.Framer()
    found: list[bytes] = []
    try:
        channel.sendall(request)
        while not found:
            octets = channel.recv(_CHUNK)
            if not octets:
                raise DirectoryUnavailable(stage, "the server closed the connection")
            found = framer.feed(octets)
        answer = ldap.parse(found[0])
    except OSError as error:
        raise unavailable(stage, error) from error
    except ProtocolError as error:
        raise DirectoryUnavailable(stage, str(error)) from error
    if len(found) > 1 or framer.spare:
        raise DirectoryUnavailable(stage, "the server said more than it was asked")
    if answer.message_id != message_id:
        raise DirectoryUnavailable(stage, "the answer is not to what was asked")
    return answer
