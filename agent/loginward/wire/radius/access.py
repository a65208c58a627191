"""What an Access-Request offers as proof.

Source: RFC 2865 section 4.1, RFC 3579 sections 2.1 and 3.1. A request with an EAP packet and a
password beside it is dropped: which of the two is judged must not depend on who reads it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.radius.attributes import Attribute, joined_eap_message
from loginward.wire.radius.packet import Packet

_EAP_MESSAGE: Final = int(Attribute.EAP_MESSAGE)
_PASSWORDS: Final = frozenset(
    map(int, (Attribute.USER_PASSWORD, Attribute.CHAP_PASSWORD, Attribute.ARAP_PASSWORD))
)


@dataclass(frozen=True, slots=True)
class Pap:
    """A password, still hidden by the shared secret."""

    hidden: bytes


@dataclass(frozen=True, slots=True)
class Eap:
    """An EAP packet in one piece; no octets at all are an EAP-Start."""

    packet: bytes


class NoProof(enum.Enum):
    """Why there is nothing to judge; each is answered with an Access-Reject."""

    NOTHING = "nothing"
    FOREIGN = "foreign"  # CHAP or ARAP alone, which nothing here can check
    SEVERAL = "several"  # RFC 2865 section 4.1: not both User-Password and CHAP-Password


Proof = Pap | Eap | NoProof


def proof_of(request: Packet) -> Proof:
    """Return the proof that an Access-Request offers.

    Raises:
        ProtocolError: Its EAP-Messages are not in one piece, or a password stands beside them.
    """
    types = {type_ for type_, _ in request.attributes}
    passwords = types & _PASSWORDS
    if _EAP_MESSAGE in types:
        if passwords:
            raise ProtocolError("RADIUS: an EAP-Message beside a password")
        return Eap(joined_eap_message(request.attributes))
    if len(passwords) > 1:
        return NoProof.SEVERAL
    if not passwords:
        return NoProof.NOTHING
    hidden = request.first(Attribute.USER_PASSWORD)
    return NoProof.FOREIGN if hidden is None else Pap(hidden)
