"""The part of LDAP in which passwords travel: bind, unbind, StartTLS; no I/O here.

Source: RFC 4511 (sections 4.2, 4.3, 4.12, 4.14, 5.1). Names and passwords are sent as octets
exactly as given: no SASLprep, no trimming.
"""

from __future__ import annotations

from dataclasses import dataclass

from loginward.errors import ProtocolError
from loginward.wire import ber

PPOLICY = "1.3.6.1.4.1.42.2.27.8.5.1"
START_TLS = "1.3.6.1.4.1.1466.20037"
NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"

BIND_REQUEST, BIND_RESPONSE, UNBIND_REQUEST = 0x60, 0x61, 0x42
EXTENDED_REQUEST, EXTENDED_RESPONSE = 0x77, 0x78
_CONTROLS, _SIMPLE, _REQUEST_NAME, _RESPONSE_NAME = 0xA0, 0x80, 0x80, 0x8A
_LDAP_V3 = 3
MAX_MESSAGE_ID = 2**31 - 1

MAX_MESSAGE = 65536  # a bind response is far below 1 KiB; more is not one


@dataclass(frozen=True, slots=True)
class Response:
    """A BindResponse or ExtendedResponse.

    Attributes:
        message_id: 0 for a notice that nobody asked for.
        operation: BIND_RESPONSE or EXTENDED_RESPONSE.
        code: The LDAP result code.
        message: The server's diagnosticMessage, undecodable octets replaced.
        name: The responseName of an ExtendedResponse, or empty.
        controls: Value by OID; None where a control came without one.
    """

    message_id: int
    operation: int
    code: int
    message: str
    name: str
    controls: dict[str, bytes | None]


def bind_request(message_id: int, dn: str, password: bytes) -> bytes:
    """Return a simple bind that asks for the password policy control.

    Raises:
        ValueError: The DN or the password is empty; either would bind as nobody, with success.
    """
    if not dn.strip() or not password:
        raise ValueError("a bind needs a name and a password")
    operation = ber.encode(
        BIND_REQUEST,
        ber.encode_integer(_LDAP_V3),
        ber.encode(ber.OCTETS, dn.encode()),
        ber.encode(_SIMPLE, password),
    )
    control = ber.encode(ber.SEQUENCE, ber.encode(ber.OCTETS, PPOLICY.encode()))
    return _message(message_id, operation, ber.encode(_CONTROLS, control))


def start_tls_request(message_id: int) -> bytes:
    """Return the extended request that asks for TLS on this connection."""
    name = ber.encode(_REQUEST_NAME, START_TLS.encode())
    return _message(message_id, ber.encode(EXTENDED_REQUEST, name))


def unbind_request(message_id: int) -> bytes:
    """Return the request that ends the connection; it has no answer."""
    return _message(message_id, ber.encode(UNBIND_REQUEST))


class Inbox:
    """Octets as they come, whole messages as they are complete; nothing grows without bound."""

    def __init__(self, limit: int = MAX_MESSAGE) -> None:
        self._limit = limit
        self._octets = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether no octet waits here."""
        return not self._octets

    def feed(self, octets: bytes) -> list[Response]:
        """Take octets from the peer; return the responses that are now whole.

        Raises:
            ProtocolError: Not LDAP, too large, or no response of the kinds asked for. What was
                fed is then of no more use: drop the connection.
        """
        self._octets += octets
        found = []
        while (whole := self._next()) is not None:
            found.append(response(whole))
        return found

    def _next(self) -> bytes | None:
        if self._octets and self._octets[0] != ber.SEQUENCE:
            raise ProtocolError("LDAP: a message does not begin as one")
        head = ber.header(self._octets)
        if head is None:
            return None
        _, start, length = head
        if length > self._limit:
            raise ProtocolError("LDAP: a message is too large")
        if len(self._octets) < start + length:
            return None
        content = bytes(self._octets[start : start + length])
        del self._octets[: start + length]
        return content


def response(content: bytes) -> Response:
    """Return the response in the content of one LDAPMessage.

    Raises:
        ProtocolError: It is malformed, or another kind of message.
    """
    parts = ber.elements(content)
    if not 2 <= len(parts) <= 3 or parts[0].tag != ber.INTEGER:
        raise ProtocolError("LDAP: a message without id and operation")
    message_id = ber.integer(parts[0].content)
    if not 0 <= message_id <= MAX_MESSAGE_ID:
        raise ProtocolError("LDAP: a message id out of range")
    operation = parts[1]
    if operation.tag not in {BIND_RESPONSE, EXTENDED_RESPONSE}:
        raise ProtocolError("LDAP: a message of a kind not asked for")
    fields = ber.elements(operation.content)
    if [f.tag for f in fields[:3]] != [ber.ENUMERATED, ber.OCTETS, ber.OCTETS]:
        raise ProtocolError("LDAP: a result without code, name and message")
    name = next((f.content for f in fields[3:] if f.tag == _RESPONSE_NAME), b"")
    return Response(
        message_id=message_id,
        operation=operation.tag,
        code=ber.integer(fields[0].content),
        message=fields[2].content.decode(errors="replace"),
        name=name.decode("ascii", errors="replace"),
        controls=_controls(parts[2]) if len(parts) == 3 else {},
    )


def _controls(element: ber.Element) -> dict[str, bytes | None]:
    if element.tag != _CONTROLS:
        raise ProtocolError("LDAP: something other than controls after the operation")
    found: dict[str, bytes | None] = {}
    for tag, content in ber.elements(element.content):
        fields = ber.elements(content)
        if tag != ber.SEQUENCE or not fields or fields[0].tag != ber.OCTETS:
            raise ProtocolError("LDAP: a control without its name")
        oid = fields[0].content.decode("ascii", errors="replace")
        if oid in found:
            raise ProtocolError("LDAP: the same control twice")
        found[oid] = next((f.content for f in fields[1:] if f.tag == ber.OCTETS), None)
    return found


def _message(message_id: int, *parts: bytes) -> bytes:
    return ber.encode(ber.SEQUENCE, ber.encode_integer(message_id), *parts)
