"""How a login ends on the wire: an Accept with what it gives, or a Reject in its own time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.wire.radius import replies

if TYPE_CHECKING:
    from loginward.doors.radius.accepts import Accepts
    from loginward.doors.radius.exchange import Exchange
    from loginward.doors.radius.port import ResultTurn


class Endings:
    """Ends exchanges; used by the loop's thread.

    Both raise ProtocolError where the request's own Proxy-States leave no room for a reply.
    """

    def __init__(self, accepts: Accepts) -> None:
        self._accepts = accepts

    def accept(
        self, exchange: Exchange, result: ResultTurn, *, eap: bytes = b"", keys: bytes = b""
    ) -> None:
        """Let the person in.

        Args:
            eap: The EAP-Success inside an EAP conversation.
            keys: Attributes with the keys of an EAP method.
        """
        attributes = self._accepts.attributes(exchange, result) + keys
        octets = replies.accept(
            exchange.packet, exchange.secret, attributes, eap=eap, message=result.message
        )
        exchange.reply(octets, exchange.arrived)

    def reject(self, exchange: Exchange, message: str = "", *, eap: bytes = b"") -> None:
        """Refuse, at the same time after the request whatever the reason (`reject_delay_s`)."""
        octets = replies.reject(exchange.packet, exchange.secret, eap=eap, message=message)
        delay_s = exchange.rules.settings.reject_delay_s or 0.0
        exchange.reply(octets, exchange.arrived + delay_s)
