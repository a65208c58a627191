"""Packets inside a PEAPv0 tunnel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.eap import packet, peap
from loginward.wire.eap.packet import Type


def test_packets_lose_their_header_and_the_result_keeps_it() -> None:
    """[MS-PEAP] 3.2.5.6; the octets are those that wpa_supplicant and Windows send."""
    assert peap.compress(Type.IDENTITY) == b"\x01"
    assert peap.compress(Type.GTC, b"Password: ") == b"\x06Password: "
    assert peap.result_request(9, accepted=True) == bytes.fromhex("0109000b21 8003 0002 0001")
    assert peap.result_request(9, accepted=False) == bytes.fromhex("0109000b21 8003 0002 0002")


def test_a_peers_answer_is_read_with_its_header_and_without() -> None:
    assert peap.expand(b"\x01ann") == (Type.IDENTITY, b"ann")
    assert peap.expand(b"\x03\x1a") == (Type.NAK, b"\x1a")
    tlv = peap.result_tlv(accepted=True)
    assert peap.expand(packet.response(9, Type.TLV, tlv)) == (Type.TLV, tlv)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02hello", id="cut"),
        pytest.param(packet.response(1, Type.GTC, b"x"), id="a-header-where-none-belongs"),
    ],
)
def test_other_packets_are_refused(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        peap.expand(octets)


@given(st.booleans())
def test_a_result_is_told(accepted: bool) -> None:
    assert peap.read_result(peap.result_tlv(accepted=accepted)) is accepted


def test_what_need_not_be_known_beside_a_result_is_passed_over() -> None:
    assert peap.read_result(bytes.fromhex("0007 0001 ff") + peap.result_tlv(accepted=True))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("8003 0002 0003", id="an-unknown-result"),
        pytest.param("8003 0001 01", id="another-size"),
        pytest.param("8003 0002 0001 8003 0002 0001", id="two"),
        pytest.param("8003 0002 0001 8003 0002 0002", id="both"),
        pytest.param("8003 0002 00", id="cut"),
        pytest.param("800c 0001 00 8003 0002 0001", id="mandatory-and-unknown"),
    ],
)
def test_no_other_result_counts(body: str) -> None:
    with pytest.raises(ProtocolError):
        peap.read_result(bytes.fromhex(body))


@pytest.mark.fuzz
@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    for parse in (peap.expand, peap.read_result):
        try:
            parse(octets)
        except ProtocolError:
            continue
