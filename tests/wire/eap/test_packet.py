"""EAP packets, octet by octet (RFC 3748 sections 4 and 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.eap import packet
from loginward.wire.eap.packet import Code, Packet, Type

octet = st.integers(0, 255)


@given(octet, st.integers(1, 255), st.binary(max_size=300))
def test_what_is_sent_is_read(identifier: int, type_: int, body: bytes) -> None:
    assert packet.decode(packet.request(identifier, type_, body)) == Packet(
        Code.REQUEST, identifier, type_, body
    )
    assert packet.decode(packet.response(identifier, type_, body)) == Packet(
        Code.RESPONSE, identifier, type_, body
    )


def test_the_octets_are_those_of_the_rfc() -> None:
    assert packet.request(7, Type.IDENTITY) == b"\x01\x07\x00\x05\x01"
    assert packet.request(9, Type.GTC, b"Password: ") == b"\x01\x09\x00\x0f\x06Password: "
    assert packet.success(7) == b"\x03\x07\x00\x04"
    assert packet.failure(255) == b"\x04\xff\x00\x04"
    assert packet.decode(b"\x03\x07\x00\x04") == Packet(Code.SUCCESS, 7)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02\x01\x00", id="no-header"),
        pytest.param(b"\x02\x01\x00\x06\x01", id="shorter-than-its-length"),
        pytest.param(b"\x02\x01\x00\x05\x01a", id="longer-than-its-length"),
        pytest.param(b"\x05\x01\x00\x05\x01", id="unknown-code"),
        pytest.param(b"\x00\x01\x00\x05\x01", id="code-0"),
        pytest.param(b"\x02\x01\x00\x04", id="no-type"),
        pytest.param(b"\x02\x01\x00\x05\x00", id="type-0"),
        pytest.param(b"\x03\x01\x00\x05\x01", id="success-that-says-more"),
        pytest.param(b"\x02\x01\x10\x01\x01" + bytes(4092), id="too-long"),
    ],
)
def test_what_is_malformed_is_refused(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        packet.decode(octets)


@pytest.mark.parametrize(
    ("type_", "body", "wanted"),
    [
        pytest.param(Type.NAK, b"\x19\x15", (25, 21), id="two"),
        pytest.param(Type.NAK, b"\x00", (), id="nothing-will-do"),
        pytest.param(Type.EXPANDED, bytes.fromhex("00000000000003fe00000000000015"), (21,), id="expanded"),
        pytest.param(
            Type.EXPANDED,
            bytes.fromhex("00000000000003 fe00000000000000 fe00013700000001 fe0000000000000d"),
            (13,),
            id="none-and-a-vendors-are-left-out",
        ),
        pytest.param(Type.EXPANDED, bytes.fromhex("00013700000003fe00000000000015"), None, id="a-vendors"),
        pytest.param(Type.IDENTITY, b"someone", None, id="identity"),
    ],
)  # fmt: skip
def test_a_nak_says_what_is_wanted(type_: int, body: bytes, wanted) -> None:
    assert packet.wanted_types(Packet(Code.RESPONSE, 1, type_, body)) == wanted


def test_a_request_is_no_nak() -> None:
    assert packet.wanted_types(Packet(Code.REQUEST, 1, Type.NAK, b"\x15")) is None


@pytest.mark.parametrize(
    ("type_", "body"),
    [
        pytest.param(Type.NAK, b"", id="empty"),
        pytest.param(Type.EXPANDED, bytes.fromhex("00000000000003"), id="expanded-empty"),
        pytest.param(Type.EXPANDED, bytes.fromhex("00000000000003fe00"), id="cut"),
        pytest.param(Type.EXPANDED, bytes.fromhex("000000000000031500000000000015"), id="short-type"),
    ],
)  # fmt: skip
def test_a_malformed_nak_is_refused(type_: int, body: bytes) -> None:
    with pytest.raises(ProtocolError):
        packet.wanted_types(Packet(Code.RESPONSE, 1, type_, body))


def test_no_repr_shows_what_is_inside() -> None:
    assert "hunter2" not in repr(packet.decode(packet.response(1, Type.GTC, b"hunter2")))


@pytest.mark.fuzz
@given(st.binary(max_size=64))
def test_whatever_comes_is_read_as_it_stands_or_refused(octets: bytes) -> None:
    try:
        found = packet.decode(octets)
        packet.wanted_types(found)
    except ProtocolError:
        return
    tail = bytes((found.type,)) + found.body if found.type else b""
    assert bytes((found.code, found.identifier)) + octets[2:4] + tail == octets
