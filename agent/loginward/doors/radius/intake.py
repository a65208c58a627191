"""From octets to the part of the door that answers them: decoded, believed, judged once.

Source: RFC 2865 section 3, RFC 2866, RFC 5080 section 2.2, RFC 5997.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.duplicates import Duplicates, Entry, Seen
from loginward.doors.radius.exchange import Exchange
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.signing import NotAuthenticError, UnsignedError, check_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.doors.radius.access import AccessRequests
    from loginward.doors.radius.accounting import Accounting
    from loginward.doors.radius.clients import RadiusClient
    from loginward.doors.radius.counters import Counters
    from loginward.doors.radius.loop import Loop
    from loginward.doors.radius.port import RadiusService
    from loginward.doors.radius.rules import DoorRules
    from loginward.wire.radius.signing import SharedSecret

AUTHENTICATION: Final = frozenset({Code.ACCESS_REQUEST, Code.STATUS_SERVER})
ACCOUNTING: Final = frozenset({Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where octets came from, and the way back.

    Attributes:
        source: Address of the sender.
        key: Tells senders apart: socket or connection, address, port.
        by_tls: Whether they came by TLS.
        codes: What may be asked there; with accounting alone, Status-Server asks for that.
        send: Sends a reply, or lets it go.
    """

    client: RadiusClient
    secret: SharedSecret
    source: str
    key: tuple[int, str, int]
    by_tls: bool
    codes: frozenset[Code]
    send: Callable[[bytes], None]


class Intake:
    """Takes what clients send; for the loop's thread."""

    def __init__(
        self,
        service: RadiusService,
        access: AccessRequests,
        accounting: Accounting,
        clock: Clock,
        counters: Counters,
        loop: Loop,
    ) -> None:
        self._service = service
        self._access = access
        self._accounting = accounting
        self._clock = clock
        self._counters = counters
        self._loop = loop
        self._duplicates = Duplicates()

    def __len__(self) -> int:
        """Return how many requests are remembered."""
        return len(self._duplicates)

    def take(self, octets: bytes, origin: Origin, rules: DoorRules) -> bool:
        """Answer a packet, or let it go; return whether it was one, and signed by its sender."""
        client, now = origin.client, self._clock.monotonic()
        try:
            packet = self._checked(octets, origin)
        except UnsignedError:
            self._counters.warn(client.name, "unsigned", now)
            return True
        except NotAuthenticError:
            self._counters.warn(client.name, "bad-authenticator", now)
            return False
        except ProtocolError:
            self._counters.warn(client.name, "malformed", now)
            return False
        if packet is not None:
            try:
                self._dispatch(packet, origin, rules, now)
            except ProtocolError:
                self._counters.warn(client.name, "malformed", now)
        return True

    def _checked(self, octets: bytes, origin: Origin) -> Packet | None:
        """Return a packet that the client has signed; None: not one for this port.

        Raises:
            ProtocolError: It must be dropped.
        """
        packet = decode(octets)
        if packet.code not in origin.codes:
            self._counters.add(origin.client.name, "wrong-port")
            return None
        demand = origin.client.settings.require_message_authenticator
        check_request(packet, origin.secret, demand=demand)
        return packet

    def _dispatch(self, packet: Packet, origin: Origin, rules: DoorRules, now: float) -> None:
        """Answer a request that is to be believed.

        Raises:
            ProtocolError: It must be dropped.
        """
        self._counters.add(origin.client.name, packet.code.name.lower().replace("_", "-"))
        if packet.code is Code.STATUS_SERVER:
            self._tell_status(packet, origin, rules)
            return
        key = (*origin.key, packet.identifier)
        seen, entry = self._duplicates.look(key, packet.authenticator, now)
        if seen is not Seen.NEW:
            self._counters.add(origin.client.name, "duplicate")
            if entry.reply is not None:
                origin.send(entry.reply)
            return
        exchange = Exchange(
            packet=packet,
            client=origin.client,
            secret=origin.secret,
            rules=rules,
            source=origin.source,
            by_tls=origin.by_tls,
            arrived=now,
            reply=lambda octets, at: self._reply(origin, entry, octets, at),
            drop=lambda: self._duplicates.forget(key, entry),
        )
        is_accounting = packet.code is Code.ACCOUNTING_REQUEST
        try:
            (self._accounting if is_accounting else self._access).handle(exchange)
        except ProtocolError:
            exchange.drop()
            raise

    def _tell_status(self, packet: Packet, origin: Origin, rules: DoorRules) -> None:
        is_accounting = Code.ACCESS_REQUEST not in origin.codes
        silent = rules.settings.status_server == "silent-when-unusable"
        if silent and not is_accounting and not self._service.is_usable():
            return
        origin.send(replies.status_answer(packet, origin.secret, accounting=is_accounting))

    def _reply(self, origin: Origin, entry: Entry, octets: bytes, at: float) -> None:
        def leave() -> None:
            entry.reply = octets
            origin.send(octets)

        if at <= self._clock.monotonic():
            leave()
        else:
            self._loop.at(at, leave)
