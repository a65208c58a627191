"""From a configured server to a verified connection, within a deadline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.directory.ldap.channel import Channel, unavailable
from loginward.directory.ldap.resolving import Resolver
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.wire import ldap

if TYPE_CHECKING:
    import ssl

    from loginward.core.clock import Deadline
    from loginward.directory.ldap.servers import Server

_CHUNK = 16384


@dataclass(slots=True)
class Dialler:
    """Opens connections. Safe to use from many threads."""

    context: ssl.SSLContext
    _resolver: Resolver = field(default_factory=Resolver)

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
        addresses = self._resolver.addresses(server, deadline)
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
        self._resolver.forget(server)
        raise unavailable("connect", last) from last


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
