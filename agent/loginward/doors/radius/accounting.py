"""Accounting-Requests: acknowledged once the session table knows.

Source: RFC 2866 sections 4 and 5, RFC 5080 section 2.2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.doors.radius.asked import text_of
from loginward.doors.radius.sessions import Heard, Session, Sessions
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import AcctStatus, Attribute, as_integer, attribute

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.transitions import Bar
    from loginward.doors.radius.exchange import Exchange


# What RFC 5176 section 3 lets a Disconnect-Request name a NAS and a session by.
_NAMING: Final = (
    Attribute.NAS_IP_ADDRESS,
    Attribute.NAS_IPV6_ADDRESS,
    Attribute.NAS_IDENTIFIER,
    Attribute.USER_NAME,
    Attribute.CALLING_STATION_ID,
    Attribute.ACCT_SESSION_ID,
)


class Accounting:
    """Keeps the session table by what clients tell; used by the loop's thread.

    Args:
        on_barred: Told of a session that is to be ended, as of `Sessions.heard`.
    """

    def __init__(self, sessions: Sessions, on_barred: Callable[[Session, Bar], None]) -> None:
        self._sessions = sessions
        self._on_barred = on_barred

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
            to_end = self._sessions.heard(_heard(exchange, session_id))
            if to_end is not None:
                self._on_barred(*to_end)
        exchange.reply(replies.accounting_response(packet, exchange.secret), exchange.arrived)


def _heard(exchange: Exchange, session_id: bytes) -> Heard:
    packet = exchange.packet
    ours = packet.all(Attribute.CLASS)
    return Heard(
        client=exchange.client.name,
        source=exchange.source,
        by_tls=exchange.by_tls,
        session_id=session_id,
        classes=tuple(ours),
        name=text_of(packet.first(Attribute.USER_NAME)),
        station=text_of(packet.first(Attribute.CALLING_STATION_ID)),
        named=b"".join(
            attribute(type_, value) for type_ in _NAMING if (value := packet.first(type_))
        ),
    )
