"""One RADIUS datagram, octets to a value.

Source: RFC 2865 sections 3 and 5, RFC 2866 section 3, RFC 2869 section 5.14, RFC 5176 section 2.3,
RFC 5997 section 3. Nothing here knows a secret: `signing` says whether a packet may be believed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.radius.attributes import Attribute

HEADER_OCTETS: Final = 20
MAX_OCTETS: Final = 4096  # RFC 2865 section 3
MAX_ATTRIBUTES: Final = 200
MESSAGE_AUTHENTICATOR_OCTETS: Final = 16


class Code(enum.IntEnum):
    """What a packet is for."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12
    DISCONNECT_REQUEST = 40
    DISCONNECT_ACK = 41
    DISCONNECT_NAK = 42
    COA_REQUEST = 43
    COA_ACK = 44
    COA_NAK = 45


CODES: Final = {int(code): code for code in Code}
# Of two of these, either could be believed (RFC 2865 section 5.44, RFC 2869 section 5.14).
_AT_MOST_ONE: Final = frozenset(
    map(
        int,
        (
            Attribute.USER_NAME,
            Attribute.USER_PASSWORD,
            Attribute.CHAP_PASSWORD,
            Attribute.STATE,
            Attribute.CHAP_CHALLENGE,
            Attribute.MESSAGE_AUTHENTICATOR,
        ),
    )
)
_MESSAGE_AUTHENTICATOR: Final = int(Attribute.MESSAGE_AUTHENTICATOR)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, well formed.

    Attributes:
        authenticator: The 16 octets of the header: of a request or of a response.
        attributes: Type and value, in the order in which they came.
        raw: The octets that were signed: the datagram without padding.
    """

    code: Code
    identifier: int
    authenticator: bytes = field(repr=False)
    attributes: tuple[tuple[int, bytes], ...] = field(repr=False)
    raw: bytes = field(repr=False)

    def first(self, type_: int) -> bytes | None:
        """Return the value of the first attribute of that type."""
        for found, value in self.attributes:
            if found == type_:
                return value
        return None

    def all(self, type_: int) -> list[bytes]:
        """Return the values of all attributes of that type, in order."""
        return [value for found, value in self.attributes if found == type_]

    def holds(self, type_: int) -> bool:
        """Return whether an attribute of that type is there."""
        return any(found == type_ for found, _ in self.attributes)


def decode(datagram: bytes) -> Packet:
    """Return the packet of one datagram; octets beyond its Length are padding.

    Raises:
        ProtocolError: It must be dropped without an answer.
    """
    if len(datagram) < HEADER_OCTETS:
        raise ProtocolError("RADIUS: shorter than a header")
    length = datagram[2] << 8 | datagram[3]
    if not HEADER_OCTETS <= length <= MAX_OCTETS:
        raise ProtocolError("RADIUS: a Length out of range")
    if length != len(datagram):
        if length > len(datagram):
            raise ProtocolError("RADIUS: shorter than its Length")
        datagram = datagram[:length]
    code = CODES.get(datagram[0])
    if code is None:
        raise ProtocolError("RADIUS: an unknown code")
    return Packet(code, datagram[1], datagram[4:HEADER_OCTETS], _attributes(datagram), datagram)


def _attributes(packet: bytes) -> tuple[tuple[int, bytes], ...]:
    length = len(packet)
    found: list[tuple[int, bytes]] = []
    single: set[int] = set()
    at = HEADER_OCTETS
    while at < length:
        if at + 2 > length:
            raise ProtocolError("RADIUS: an attribute is cut short")
        type_, size = packet[at], packet[at + 1]
        end = at + size
        if not type_:
            raise ProtocolError("RADIUS: an attribute of type 0")
        if size < 2 or end > length:
            raise ProtocolError("RADIUS: an attribute's length is wrong")
        if type_ in _AT_MOST_ONE:
            if type_ in single:
                raise ProtocolError("RADIUS: an attribute is there twice")
            if type_ == _MESSAGE_AUTHENTICATOR and size != 2 + MESSAGE_AUTHENTICATOR_OCTETS:
                raise ProtocolError("RADIUS: a Message-Authenticator of another size")
            single.add(type_)
        found.append((type_, packet[at + 2 : end]))
        at = end
    if len(found) > MAX_ATTRIBUTES:
        raise ProtocolError("RADIUS: too many attributes")
    return tuple(found)
