"""One EAP packet, octets to a value and back.

Source: RFC 3748 sections 4 and 5. A packet fills its RADIUS attributes exactly (RFC 3579 section
2.4): octets beyond its Length are an error here, not padding.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from loginward.errors import ProtocolError

HEADER_OCTETS: Final = 4
MAX_OCTETS: Final = 4096  # no RADIUS packet carries more
_EXPANDED_OCTETS: Final = 8  # RFC 3748 section 5.7: type, vendor (3), vendor's type (4)


class Code(enum.IntEnum):
    """What a packet is for."""

    REQUEST = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


class Type(enum.IntEnum):
    """The types that the agent reads or writes (IANA: Method Types)."""

    IDENTITY = 1
    NOTIFICATION = 2
    NAK = 3
    GTC = 6
    TLS = 13
    TTLS = 21
    PEAP = 25
    TLV = 33  # draft-josefsson-pppext-eap-tls-eap-10 section 4: "EAP Extensions"
    EXPANDED = 254


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, well formed.

    Attributes:
        type: Of a request or response; 0 in success and failure, which have none.
        body: What follows the type.
    """

    code: Code
    identifier: int
    type: int = 0
    body: bytes = field(default=b"", repr=False)


def decode(octets: bytes) -> Packet:
    """Return the packet.

    Raises:
        ProtocolError: It is malformed.
    """
    if not HEADER_OCTETS <= len(octets) <= MAX_OCTETS:
        raise ProtocolError("EAP: shorter than a header, or too long")
    if int.from_bytes(octets[2:4], "big") != len(octets):
        raise ProtocolError("EAP: the Length is wrong")
    try:
        code = Code(octets[0])
    except ValueError:
        raise ProtocolError("EAP: an unknown code") from None
    if code in {Code.SUCCESS, Code.FAILURE}:
        if len(octets) != HEADER_OCTETS:
            raise ProtocolError("EAP: success and failure say nothing more")
        return Packet(code, octets[1])
    if len(octets) == HEADER_OCTETS or octets[4] == 0:
        raise ProtocolError("EAP: a request or response without a type")
    return Packet(code, octets[1], octets[4], octets[5:])


def request(identifier: int, type_: int, body: bytes = b"") -> bytes:
    """Return a request."""
    return _typed(Code.REQUEST, identifier, type_, body)


def response(identifier: int, type_: int, body: bytes = b"") -> bytes:
    """Return a response."""
    return _typed(Code.RESPONSE, identifier, type_, body)


def success(identifier: int) -> bytes:
    """Return the success that answers the response of that identifier."""
    return bytes((Code.SUCCESS, identifier, 0, HEADER_OCTETS))


def failure(identifier: int) -> bytes:
    """Return the failure that answers the response of that identifier."""
    return bytes((Code.FAILURE, identifier, 0, HEADER_OCTETS))


def wanted_types(answer: Packet) -> tuple[int, ...] | None:
    """Return the types that a NAK asks for instead; None: it is no NAK.

    Vendors' own methods are left out: there are none here.

    Raises:
        ProtocolError: It is malformed.
    """
    if answer.code is not Code.RESPONSE:
        return None
    if answer.type == Type.NAK:
        if not answer.body:
            raise ProtocolError("EAP: a NAK that says nothing")
        return tuple(wanted for wanted in answer.body if wanted)  # 0: nothing else will do
    if answer.type == Type.EXPANDED and answer.body[:7] == bytes((0, 0, 0, 0, 0, 0, Type.NAK)):
        return _expanded(answer.body[7:])
    return None


def _expanded(entries: bytes) -> tuple[int, ...]:
    """Return the types of an Expanded NAK that are no vendor's (RFC 3748 section 5.3.2)."""
    if not entries or len(entries) % _EXPANDED_OCTETS:
        raise ProtocolError("EAP: an Expanded NAK of another size")
    wanted = []
    for at in range(0, len(entries), _EXPANDED_OCTETS):
        entry = entries[at : at + _EXPANDED_OCTETS]
        if entry[0] != Type.EXPANDED:
            raise ProtocolError("EAP: an Expanded NAK that names no expanded type")
        vendor, type_ = int.from_bytes(entry[1:4], "big"), int.from_bytes(entry[4:], "big")
        if vendor == 0 and 0 < type_ < Type.EXPANDED:
            wanted.append(type_)
    return tuple(wanted)


def _typed(code: Code, identifier: int, type_: int, body: bytes) -> bytes:
    size = HEADER_OCTETS + 1 + len(body)
    return bytes((code, identifier, size >> 8, size & 0xFF, type_)) + body
