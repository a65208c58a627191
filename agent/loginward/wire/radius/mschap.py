"""Microsoft's attributes of MS-CHAPv2; inside EAP-TTLS they have the same values.

Source: RFC 2548 sections 2.1 and 2.3, RFC 5281 section 11.2.4.
"""

from __future__ import annotations

import enum
from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.mschap.v2 import CHALLENGE_OCTETS, Response
from loginward.wire.radius.attributes import vendor_attribute
from loginward.wire.radius.password import MICROSOFT

_RESPONSE_OCTETS: Final = 50  # Ident, Flags, Peer-Challenge, Reserved (8), Response
_ALLOWED: Final = 1  # RFC 2548 section 2.4.4: encrypted or not
_128_BITS: Final = 4  # RFC 2548 section 2.4.5


class MsAttribute(enum.IntEnum):
    """Types of vendor 311."""

    CHAP_RESPONSE = 1
    CHAP_ERROR = 2
    MPPE_ENCRYPTION_POLICY = 7
    MPPE_ENCRYPTION_TYPES = 8
    CHAP_CHALLENGE = 11
    CHAP2_RESPONSE = 25
    CHAP2_SUCCESS = 26


def read_response(challenge: bytes, value: bytes, user: bytes) -> tuple[int, Response]:
    """Return the Ident of an MS-CHAP2-Response and what was responded.

    Args:
        challenge: Of the MS-CHAP-Challenge beside it.

    Raises:
        ProtocolError: One of them has another size.
    """
    if len(challenge) != CHALLENGE_OCTETS or len(value) != _RESPONSE_OCTETS:
        raise ProtocolError("MS-CHAPv2: a challenge or response of another size")
    return value[0], Response(challenge, value[2:18], value[26:], user)


def response_value(identifier: int, response: Response) -> bytes:
    """Return the value of an MS-CHAP2-Response, for a client."""
    head = bytes((identifier, 0)) + response.peer_challenge
    return head + bytes(8) + response.nt_response


def told_value(identifier: int, told: bytes) -> bytes:
    """Return the value of an MS-CHAP2-Success or MS-CHAP-Error: the Ident of the response first."""
    return bytes((identifier,)) + told


def told(type_: MsAttribute, identifier: int, words: bytes) -> bytes:
    """Return an MS-CHAP2-Success or MS-CHAP-Error."""
    return vendor_attribute(MICROSOFT, type_, told_value(identifier, words))


def encryption() -> bytes:
    """Return the attributes that allow encryption, of 128 bits alone."""
    policy = vendor_attribute(
        MICROSOFT, MsAttribute.MPPE_ENCRYPTION_POLICY, _ALLOWED.to_bytes(4, "big")
    )
    types = vendor_attribute(
        MICROSOFT, MsAttribute.MPPE_ENCRYPTION_TYPES, _128_BITS.to_bytes(4, "big")
    )
    return policy + types
