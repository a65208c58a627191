"""Accounting-Requests: acknowledged once the session table knows.

Source: RFC 2866 sections 4 and 5, RFC 5080 section 2.2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.doors.radius.asked import text_of
from loginward.doors.radius.sessions import Heard, Sessions
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import AcctStatus, Attribute, as_integer

if TYPE_CHECKING:
    from loginward.doors.radius.exchange import Exchange


class Accounting:
    """Keeps the session table by what clients tell; used by the loop's thread."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def handle(self, exchange: Exchange) -> None:
        """Take note and acknowledge.

        Raises:
            ProtocolError: It says nothing that can be kept.
        """
        packet, client, source = exchange.packet, exchange.client.name, exchange.source
        status = as_integer(packet.first(Attribute.ACCT_STATUS_TYPE))
        session_id = packet.first(Attribute.ACCT_SESSION_ID)
        if status is None:
            raise ProtocolError("RADIUS: accounting without an Acct-Status-Type")
        if status in {AcctStatus.ACCOUNTING_ON, AcctStatus.ACCOUNTING_OFF}:
            self._sessions.restarted(client, source)
        elif session_id is None:
            raise ProtocolError("RADIUS: accounting without an Acct-Session-Id")
        elif status == AcctStatus.STOP:
            self._sessions.ended(client, source, session_id)
        elif status in {AcctStatus.START, AcctStatus.INTERIM_UPDATE}:
            self._sessions.heard(_heard(exchange, session_id))
        exchange.reply(replies.accounting_response(packet, exchange.secret), exchange.arrived)


def _heard(exchange: Exchange, session_id: bytes) -> Heard:
    packet = exchange.packet
    ours = packet.all(Attribute.CLASS)
    return Heard(
        client=exchange.client.name,
        source=exchange.source,
        session_id=session_id,
        classes=tuple(ours),
        name=text_of(packet.first(Attribute.USER_NAME)),
        station=text_of(packet.first(Attribute.CALLING_STATION_ID)),
    )
