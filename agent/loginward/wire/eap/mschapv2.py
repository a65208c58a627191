"""EAP-MSCHAPv2 as it is spoken inside PEAP: type 26, what follows the type.

Source: draft-kamath-pppext-eap-mschapv2-02 section 2. MS-Length counts from the OpCode on.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.mschap.v2 import CHALLENGE_OCTETS

_HEAD_OCTETS: Final = 4  # OpCode, MS-CHAPv2-ID, MS-Length
_VALUE_OCTETS: Final = 49  # Peer-Challenge, Reserved (8), NT-Response, Flags


class OpCode(enum.IntEnum):
    """What a packet is for."""

    CHALLENGE = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


@dataclass(frozen=True, slots=True)
class Answered:
    """A peer's answer to a challenge.

    Attributes:
        identifier: The MS-CHAPv2-ID.
        name: The name that it gives itself here.
    """

    identifier: int
    peer_challenge: bytes
    nt_response: bytes = field(repr=False)
    name: bytes


def challenge(identifier: int, octets: bytes, server: bytes) -> bytes:
    """Return a challenge of 16 octets.

    Args:
        server: How this end is called.
    """
    value = bytes((CHALLENGE_OCTETS,)) + octets + server
    return _packet(OpCode.CHALLENGE, identifier, value)


def success(identifier: int, proof: bytes) -> bytes:
    """Return that the response was right, and what proves it to the peer: "S=..."."""
    return _packet(OpCode.SUCCESS, identifier, proof + b" M=")


def failure(identifier: int, words: bytes) -> bytes:
    """Return the failure: "E=...", as `wire.mschap.failures` has it."""
    return _packet(OpCode.FAILURE, identifier, words)


def response(identifier: int, peer_challenge: bytes, nt_response: bytes, name: bytes) -> bytes:
    """Return a peer's answer."""
    value = bytes((_VALUE_OCTETS,)) + peer_challenge + bytes(8) + nt_response + b"\0"
    return _packet(OpCode.RESPONSE, identifier, value + name)


def read(body: bytes) -> Answered | OpCode:
    """Return a peer's answer; SUCCESS or FAILURE: it has heard that one.

    Raises:
        ProtocolError: It is malformed, or a request.
    """
    if body in {bytes((OpCode.SUCCESS,)), bytes((OpCode.FAILURE,))}:
        return OpCode(body[0])
    if len(body) < _HEAD_OCTETS + 1 + _VALUE_OCTETS or body[0] != OpCode.RESPONSE:
        raise ProtocolError("EAP-MSCHAPv2: no answer")
    if int.from_bytes(body[2:4], "big") != len(body) or body[4] != _VALUE_OCTETS:
        raise ProtocolError("EAP-MSCHAPv2: a length is wrong")
    return Answered(body[1], body[5:21], body[29:53], body[54:])


def _packet(code: OpCode, identifier: int, value: bytes) -> bytes:
    size = _HEAD_OCTETS + len(value)
    return bytes((code, identifier)) + size.to_bytes(2, "big") + value
