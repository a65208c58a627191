"""What an Access-Request offers as proof, and what is no proof."""

from __future__ import annotations

import pytest

from loginward.errors import ProtocolError
from loginward.wire.radius.access import Eap, MsChap2, NoProof, Pap, Proof, proof_of
from loginward.wire.radius.attributes import attribute, eap_message, vendor_attribute
from loginward.wire.radius.mschap import response_value
from loginward.wire.radius.packet import decode
from tests.wire.mschap.example import CHALLENGE, RESPONSE
from tests.wire.radius.stage import HIDDEN, NAME, unsigned

CHAP = attribute(3, bytes(17))
ARAP = attribute(70, bytes(16))
MS_USER = attribute(1, RESPONSE.user)
MS_CHALLENGE = vendor_attribute(311, 11, CHALLENGE)
MS_CHAP2 = vendor_attribute(311, 25, response_value(7, RESPONSE))
MS_CHAP1 = vendor_attribute(311, 1, bytes(50))
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
        pytest.param(MS_USER + MS_CHALLENGE + MS_CHAP2, MsChap2(7, RESPONSE), id="ms-chapv2"),
        pytest.param(MS_USER + MS_CHALLENGE + MS_CHAP1, NoProof.FOREIGN, id="ms-chap-of-1998"),
        pytest.param(MS_USER + MS_CHALLENGE, NoProof.NOTHING, id="a-challenge-alone"),
        pytest.param(MS_USER + MS_CHAP2, NoProof.MALFORMED, id="no-challenge"),
        pytest.param(MS_CHALLENGE + MS_CHAP2, NoProof.MALFORMED, id="no-name"),
        pytest.param(MS_USER + MS_CHALLENGE * 2 + MS_CHAP2, NoProof.MALFORMED, id="two-challenges"),
        pytest.param(
            MS_USER + vendor_attribute(311, 11, bytes(8)) + MS_CHAP2,
            NoProof.MALFORMED,
            id="a-short-challenge",
        ),
        pytest.param(MS_USER + MS_CHALLENGE + MS_CHAP2 * 2, NoProof.SEVERAL, id="two-responses"),
        pytest.param(
            MS_USER + MS_CHALLENGE + MS_CHAP2 + HIDDEN, NoProof.SEVERAL, id="pap-and-ms-chap"
        ),
        pytest.param(
            MS_USER + MS_CHALLENGE + MS_CHAP2 + MS_CHAP1, NoProof.SEVERAL, id="both-ms-chaps"
        ),
    ],
)
def test_a_request_offers_one_proof(attributes: bytes, proof: Proof) -> None:
    assert proof_of(decode(unsigned(attributes))) == proof


@pytest.mark.parametrize("password", [HIDDEN, CHAP, ARAP, MS_CHAP2, MS_CHAP1])
def test_an_eap_packet_beside_a_password_is_dropped(password: bytes) -> None:
    """RFC 3579 section 3.1."""
    with pytest.raises(ProtocolError):
        proof_of(decode(unsigned(NAME + password + eap_message(IDENTITY))))
