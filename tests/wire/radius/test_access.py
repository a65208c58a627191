"""What an Access-Request offers as proof, and what is no proof."""

from __future__ import annotations

import pytest

from loginward.errors import ProtocolError
from loginward.wire.radius.access import Eap, NoProof, Pap, Proof, proof_of
from loginward.wire.radius.attributes import attribute, eap_message
from loginward.wire.radius.packet import decode
from tests.wire.radius.stage import HIDDEN, NAME, unsigned

CHAP = attribute(3, bytes(17))
ARAP = attribute(70, bytes(16))
IDENTITY = b"\x02\x01\x00\x0a\x01alice"


@pytest.mark.parametrize(
    ("attributes", "proof"),
    [
        pytest.param(NAME + HIDDEN, Pap(HIDDEN[2:]), id="pap"),
        pytest.param(NAME + eap_message(IDENTITY), Eap(IDENTITY), id="eap"),
        pytest.param(NAME + b"\x4f\x02", Eap(b""), id="eap-start"),
        pytest.param(NAME, NoProof.NOTHING, id="no-proof"),
        pytest.param(NAME + CHAP, NoProof.FOREIGN, id="chap"),
        pytest.param(NAME + ARAP, NoProof.FOREIGN, id="arap"),
        pytest.param(NAME + HIDDEN + CHAP, NoProof.SEVERAL, id="rfc2865-4.1-pap-and-chap"),
        pytest.param(NAME + HIDDEN + ARAP, NoProof.SEVERAL, id="pap-and-arap"),
    ],
)
def test_a_request_offers_one_proof(attributes: bytes, proof: Proof) -> None:
    assert proof_of(decode(unsigned(attributes))) == proof


@pytest.mark.parametrize("password", [HIDDEN, CHAP, ARAP])
def test_an_eap_packet_beside_a_password_is_dropped(password: bytes) -> None:
    """RFC 3579 section 3.1."""
    with pytest.raises(ProtocolError):
        proof_of(decode(unsigned(NAME + password + eap_message(IDENTITY))))
