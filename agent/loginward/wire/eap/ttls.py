"""What is said inside an EAP-TTLS tunnel: attributes of Diameter's form.

Source: RFC 5281 sections 10 (form), 11.2.1 (EAP), 11.2.4 (MS-CHAPv2) and 11.2.5 (PAP).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from loginward.core.secret import Secret
from loginward.errors import ProtocolError
from loginward.wire.mschap.v2 import Response
from loginward.wire.radius.mschap import MsAttribute, read_response, told_value
from loginward.wire.radius.password import MICROSOFT

IMPLICIT_LABEL: Final = b"ttls challenge"
IMPLICIT_OCTETS: Final = 17  # challenge and Ident
MAX_AVPS: Final = 32
_VENDOR: Final = 0x80
_MANDATORY: Final = 0x40
_RESERVED: Final = 0x3F
_HEAD_OCTETS: Final = 8
_VENDOR_OCTETS: Final = 4


class AvpCode(enum.IntEnum):
    """The attributes that are read or written; they are RADIUS's own."""

    USER_NAME = 1
    USER_PASSWORD = 2
    EAP_MESSAGE = 79


_KNOWN: Final = frozenset(
    {
        *((0, int(code)) for code in AvpCode),
        (MICROSOFT, int(MsAttribute.CHAP_CHALLENGE)),
        (MICROSOFT, int(MsAttribute.CHAP2_RESPONSE)),
    }
)


@dataclass(frozen=True, slots=True)
class Avp:
    """One attribute; vendor 0 is the standard's own."""

    code: int
    value: bytes = field(repr=False)
    vendor: int = 0
    is_mandatory: bool = True


@dataclass(frozen=True, slots=True)
class Pap:
    """A name and a password; its padding is taken off."""

    user: bytes
    password: Secret


@dataclass(frozen=True, slots=True)
class MsChap:
    """A name, and a response to the challenge that both ends know from the tunnel.

    Attributes:
        identifier: The Ident of the response.
    """

    user: bytes
    identifier: int
    response: Response


@dataclass(frozen=True, slots=True)
class InnerEap:
    """An EAP packet inside the tunnel, and the User-Name beside it, if there is one."""

    packet: bytes = field(repr=False)
    user: bytes | None = None


def parse(octets: bytes) -> tuple[Avp, ...]:
    """Return the attributes in order.

    Raises:
        ProtocolError: They are malformed.
    """
    found: list[Avp] = []
    at = 0
    while at < len(octets):
        head = octets[at : at + _HEAD_OCTETS]
        if len(head) < _HEAD_OCTETS or head[4] & _RESERVED:
            raise ProtocolError("EAP-TTLS: no attribute begins like this")
        start = at + _HEAD_OCTETS + (_VENDOR_OCTETS if head[4] & _VENDOR else 0)
        end = at + int.from_bytes(head[5:8], "big")
        padded = end + -end % 4
        if not start <= end <= len(octets) or any(octets[end:padded]):
            raise ProtocolError("EAP-TTLS: an attribute's length is wrong")
        found.append(
            Avp(
                int.from_bytes(head[:4], "big"),
                octets[start:end],
                int.from_bytes(octets[at + _HEAD_OCTETS : start], "big"),
                bool(head[4] & _MANDATORY),
            )
        )
        if len(found) > MAX_AVPS:
            raise ProtocolError("EAP-TTLS: too many attributes")
        at = padded  # the last one's padding may be left out
    return tuple(found)


def render(*avps: Avp) -> bytes:
    """Return attributes as octets, each padded to four."""
    pieces = []
    for avp in avps:
        vendor = avp.vendor.to_bytes(_VENDOR_OCTETS, "big") if avp.vendor else b""
        flags = (_VENDOR if avp.vendor else 0) | (_MANDATORY if avp.is_mandatory else 0)
        size = _HEAD_OCTETS + len(vendor) + len(avp.value)
        head = avp.code.to_bytes(4, "big") + bytes((flags,)) + size.to_bytes(3, "big")
        pieces.append(head + vendor + avp.value + bytes(-size % 4))
    return b"".join(pieces)


def eap_message(packet: bytes) -> bytes:
    """Return an inner EAP packet as an attribute."""
    return render(Avp(AvpCode.EAP_MESSAGE, packet))


def told(type_: MsAttribute, identifier: int, words: bytes) -> bytes:
    """Return what a peer is told of its response: MS-CHAP2-Success or MS-CHAP-Error."""
    return render(Avp(type_, told_value(identifier, words), MICROSOFT))


def read(octets: bytes) -> Pap | MsChap | InnerEap:
    """Return what a peer offers as proof.

    Raises:
        ProtocolError: It is malformed, offers nothing or several things, or has a mandatory
            attribute that nobody knows (RFC 5281 section 10.1).
    """
    values = _values(octets)
    user = values.get((0, AvpCode.USER_NAME))
    password = values.get((0, AvpCode.USER_PASSWORD))
    packet = values.get((0, AvpCode.EAP_MESSAGE))
    challenge = values.get((MICROSOFT, MsAttribute.CHAP_CHALLENGE))
    response = values.get((MICROSOFT, MsAttribute.CHAP2_RESPONSE))
    if sum(proof is not None for proof in (password, packet, response)) != 1:
        raise ProtocolError("EAP-TTLS: no proof, or several")
    if packet is not None:
        return InnerEap(packet, user)
    if user is None:
        raise ProtocolError("EAP-TTLS: a password without a name")
    if password is not None:
        return Pap(user, Secret(password.rstrip(b"\0")))  # padded to hide its length
    return MsChap(user, *read_response(challenge or b"", response or b"", user))


def _values(octets: bytes) -> dict[tuple[int, int], bytes]:
    """Return the known values by vendor and code.

    Raises:
        ProtocolError: As `read`.
    """
    values: dict[tuple[int, int], bytes] = {}
    for avp in parse(octets):
        key = avp.vendor, avp.code
        if key not in _KNOWN:
            if avp.is_mandatory:
                raise ProtocolError("EAP-TTLS: a mandatory attribute that is not known")
        elif key == (0, AvpCode.EAP_MESSAGE):  # a long packet may come in several
            values[key] = values.get(key, b"") + avp.value
        elif key in values:
            raise ProtocolError("EAP-TTLS: an attribute is there twice")
        else:
            values[key] = avp.value
    return values
