"""RADIUS packets to play with: one secret, one request that is right, and the door's way with it."""

from __future__ import annotations

from loginward.core.secret import Secret
from loginward.errors import ProtocolError
from loginward.wire.radius.access import Pap, proof_of
from loginward.wire.radius.attributes import Attribute, attribute, integer
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.password import hide, unhide
from loginward.wire.radius.signing import SharedSecret, check_request, sign_request

OCTETS = b"sixteen octets and more"
SECRET = SharedSecret(OCTETS)
AUTHENTICATOR = bytes(range(1, 17))
PASSWORD = b"correct horse"

NAME = attribute(Attribute.USER_NAME, b"alice")
HIDDEN = attribute(Attribute.USER_PASSWORD, hide(Secret(PASSWORD), AUTHENTICATOR, SECRET))
NAS = attribute(Attribute.NAS_IP_ADDRESS, b"\x0a\x14\x00\x01") + integer(Attribute.NAS_PORT, 7)
LOGIN = NAME + HIDDEN + NAS


def request(attributes: bytes = LOGIN, code: Code = Code.ACCESS_REQUEST) -> bytes:
    """Return a signed request with these attributes, whatever they are."""
    return sign_request(code, 7, AUTHENTICATOR, attributes, SECRET)


def unsigned(attributes: bytes = LOGIN, code: int = 1, length: int | None = None) -> bytes:
    """Return a request without a signature, or with one among the attributes."""
    length = 20 + len(attributes) if length is None else length
    return bytes((code, 7)) + length.to_bytes(2, "big") + AUTHENTICATOR + attributes


def hidden(octets: bytes) -> bytes:
    """Return a User-Password of any octets, well formed or not, hidden in one piece a block."""
    pad = octets.ljust(-(-len(octets) // 16) * 16 or 16, b"\0")
    value, last = b"", AUTHENTICATOR
    for at in range(0, len(pad), 16):
        last = bytes(
            a ^ b for a, b in zip(pad[at : at + 16], SECRET.digest_before(last), strict=True)
        )
        value += last
    return attribute(Attribute.USER_PASSWORD, value)


def judged(datagram: bytes, *, demand: bool = True) -> str:
    """Say what a door makes of a datagram: drop, reject, accept, eap or alive."""
    try:
        packet = decode(datagram)
        check_request(packet, SECRET, demand=demand)
        if packet.code is Code.STATUS_SERVER:
            return "alive"
        proof = proof_of(packet)
    except ProtocolError:
        return "drop"
    if not isinstance(proof, Pap):
        return "reject" if not hasattr(proof, "packet") else "eap"
    password = unhide(proof.hidden, packet.authenticator, SECRET)
    right = password.well_formed and password.reveal() == PASSWORD
    return "accept" if right and packet.first(Attribute.USER_NAME) == b"alice" else "reject"
