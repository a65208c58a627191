"""What is said inside a PEAPv0 tunnel: EAP without its header, and the result with one.

Source: draft-kamath-pppext-peapv0-00 sections 1.1 and 2.3, [MS-PEAP] sections 2.2.8.1.2 (Result
TLV), 3.1.5.6 and 3.2.5.6 (which packets lose their header).
"""

from __future__ import annotations

from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.eap import packet
from loginward.wire.eap.packet import Code, Type

_MANDATORY: Final = 0x8000
_TLV_TYPE: Final = 0x3FFF
_RESULT: Final = 3
_HEAD_OCTETS: Final = 4
_SUCCESS: Final = 1
_FAILURE: Final = 2


def compress(type_: int, body: bytes = b"") -> bytes:
    """Return a packet inside the tunnel: its type and what follows."""
    return bytes((type_,)) + body


def result_request(identifier: int, *, accepted: bool) -> bytes:
    """Return the request that tells the result and asks whether the peer agrees."""
    return packet.request(identifier, Type.TLV, result_tlv(accepted=accepted))


def result_tlv(*, accepted: bool) -> bytes:
    """Return the Result TLV alone."""
    status = _SUCCESS if accepted else _FAILURE
    head = (_MANDATORY | _RESULT).to_bytes(2, "big") + (2).to_bytes(2, "big")
    return head + status.to_bytes(2, "big")


def expand(octets: bytes) -> tuple[int, bytes]:
    """Return type and body of a peer's answer, with its header or without.

    Only an answer of type TLV has one; a compressed packet that begins like it would be an answer
    to a notification, which is never sent.

    Raises:
        ProtocolError: There is no packet.
    """
    if not octets:
        raise ProtocolError("PEAP: no packet inside")
    if octets[0] != Code.RESPONSE:
        return octets[0], octets[1:]
    whole = packet.decode(octets)
    if whole.type != Type.TLV:
        raise ProtocolError("PEAP: a header where none belongs")
    return whole.type, whole.body


def read_result(body: bytes) -> bool:
    """Return whether a peer's TLVs say success.

    Raises:
        ProtocolError: They are malformed, or do not say it exactly once.
    """
    results: list[int] = []
    at = 0
    while at < len(body):
        head = body[at : at + _HEAD_OCTETS]
        end = at + _HEAD_OCTETS + int.from_bytes(head[2:], "big")
        if len(head) < _HEAD_OCTETS or end > len(body):
            raise ProtocolError("PEAP: a TLV is cut short")
        kind = int.from_bytes(head[:2], "big")
        value = body[at + _HEAD_OCTETS : end]
        if kind & _TLV_TYPE == _RESULT:
            if len(value) != 2:
                raise ProtocolError("PEAP: a result of another size")
            results.append(int.from_bytes(value, "big"))
        elif kind & _MANDATORY:
            raise ProtocolError("PEAP: a mandatory TLV that is not known")
        at = end
    if results not in ([_SUCCESS], [_FAILURE]):
        raise ProtocolError("PEAP: no result, or several")
    return results == [_SUCCESS]
