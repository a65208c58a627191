"""What an Access-Request offers as proof.

Source: RFC 2865 section 4.1, RFC 3579 sections 2.1 and 3.1, RFC 2548 section 2.3. A request with
an EAP packet and a password beside it is dropped: which of the two is judged must not depend on who
reads it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.mschap.v2 import Response
from loginward.wire.radius.attributes import Attribute, joined_eap_message, vendor_values
from loginward.wire.radius.mschap import MsAttribute, read_response
from loginward.wire.radius.packet import Packet
from loginward.wire.radius.password import MICROSOFT

_VENDOR_SPECIFIC: Final = int(Attribute.VENDOR_SPECIFIC)
_EAP_MESSAGE: Final = int(Attribute.EAP_MESSAGE)
_PASSWORDS: Final = frozenset(
    map(int, (Attribute.USER_PASSWORD, Attribute.CHAP_PASSWORD, Attribute.ARAP_PASSWORD))
)


@dataclass(frozen=True, slots=True)
class Pap:
    """A password, still hidden by the shared secret."""

    hidden: bytes


@dataclass(frozen=True, slots=True)
class MsChap2:
    """A response to a challenge that the client has made.

    Attributes:
        identifier: Comes back in the answer.
    """

    identifier: int
    response: Response


@dataclass(frozen=True, slots=True)
class Eap:
    """An EAP packet in one piece; no octets at all are an EAP-Start."""

    packet: bytes


class NoProof(enum.Enum):
    """Why there is nothing to judge; each is answered with an Access-Reject."""

    NOTHING = "nothing"
    FOREIGN = "foreign"  # CHAP, ARAP or MS-CHAP of 1998 alone, which nothing here can check
    SEVERAL = "several"  # RFC 2865 section 4.1: not both User-Password and CHAP-Password
    MALFORMED = "malformed"  # an MS-CHAPv2 that is none


Proof = Pap | MsChap2 | Eap | NoProof


def proof_of(request: Packet) -> Proof:
    """Return the proof that an Access-Request offers.

    Raises:
        ProtocolError: Its EAP-Messages are not in one piece, or a password stands beside them.
    """
    types = {type_ for type_, _ in request.attributes}
    passwords = types & _PASSWORDS
    microsoft = _microsoft(request) if _VENDOR_SPECIFIC in types else _NOTHING
    several = len(passwords) + len(microsoft.responses)
    if _EAP_MESSAGE in types:
        if several:
            raise ProtocolError("RADIUS: an EAP-Message beside a password")
        return Eap(joined_eap_message(request.attributes))
    if several > 1:
        return NoProof.SEVERAL
    if microsoft.responses:
        return _ms_chap(request, microsoft)
    if not passwords:
        return NoProof.NOTHING
    hidden = request.first(Attribute.USER_PASSWORD)
    return NoProof.FOREIGN if hidden is None else Pap(hidden)


@dataclass(frozen=True, slots=True)
class _Microsoft:
    """What a client says of MS-CHAP: types and values."""

    responses: tuple[tuple[int, bytes], ...] = ()
    challenges: tuple[bytes, ...] = ()


_NOTHING: Final = _Microsoft()
_RESPONSES: Final = frozenset({int(MsAttribute.CHAP_RESPONSE), int(MsAttribute.CHAP2_RESPONSE)})


def _microsoft(request: Packet) -> _Microsoft:
    found = vendor_values(request.all(Attribute.VENDOR_SPECIFIC), MICROSOFT)
    return _Microsoft(
        tuple((type_, value) for type_, value in found if type_ in _RESPONSES),
        tuple(value for type_, value in found if type_ == MsAttribute.CHAP_CHALLENGE),
    )


def _ms_chap(request: Packet, said: _Microsoft) -> MsChap2 | NoProof:
    ((type_, value),) = said.responses
    if type_ != MsAttribute.CHAP2_RESPONSE:
        return NoProof.FOREIGN
    user = request.first(Attribute.USER_NAME)
    if user is None or len(said.challenges) != 1:
        return NoProof.MALFORMED
    try:
        return MsChap2(*read_response(said.challenges[0], value, user))
    except ProtocolError:
        return NoProof.MALFORMED
