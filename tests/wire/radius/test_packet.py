"""A datagram is one well-formed packet, or it is dropped."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.radius.attributes import Attribute, attribute, vendor_attribute
from loginward.wire.radius.packet import MAX_ATTRIBUTES, Code, decode
from tests.wire.radius.stage import AUTHENTICATOR, HIDDEN, LOGIN, NAME, request, unsigned

_ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from([4, 11, 25, 26, 33, 79, 255]), st.binary(max_size=253)), max_size=15
)


def test_a_request_reads_as_it_was_written() -> None:
    packet = decode(unsigned(NAME + attribute(33, b"one") + attribute(33, b"two")))

    assert packet.code is Code.ACCESS_REQUEST
    assert packet.identifier == 7
    assert packet.authenticator == AUTHENTICATOR
    assert packet.attributes == ((1, b"alice"), (33, b"one"), (33, b"two"))
    assert packet.first(33) == b"one"
    assert packet.first(79) is None
    assert packet.all(33) == [b"one", b"two"]
    assert packet.holds(1)
    assert not packet.holds(79)


def test_a_packet_shows_no_octets_of_its_peer() -> None:
    assert "alice" not in repr(decode(request()))


@given(st.sampled_from(Code), st.integers(0, 255), st.binary(min_size=16, max_size=16), _ATTRIBUTES)
def test_what_is_written_reads_back(
    code: Code, identifier: int, authenticator: bytes, attributes: list[tuple[int, bytes]]
) -> None:
    octets = b"".join(bytes((t, len(v) + 2)) + v for t, v in attributes)
    datagram = bytes((code, identifier)) + (20 + len(octets)).to_bytes(2, "big")
    packet = decode(datagram + authenticator + octets)

    assert (packet.code, packet.identifier, packet.authenticator) == (
        code,
        identifier,
        authenticator,
    )
    assert packet.attributes == tuple(attributes)


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"\x01\x07\x00\x30" + rest))
@example(b"")
def test_random_octets_are_dropped_or_understood_exactly(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        packet = decode(octets)
        again = b"".join(bytes((t, len(v) + 2)) + v for t, v in packet.attributes)
        assert packet.raw == octets[: len(packet.raw)] == octets[:20] + again


@pytest.mark.parametrize("code", [0, 6, 10, 13, 39, 46, 52, 255])
def test_an_unknown_code_is_discarded(code: int) -> None:
    """RFC 2865 section 3."""
    with pytest.raises(ProtocolError):
        decode(unsigned(code=code))


@pytest.mark.parametrize("length", [0, 19])
def test_a_length_below_20_is_discarded(length: int) -> None:
    with pytest.raises(ProtocolError):
        decode(unsigned(length=length))


def test_a_packet_of_20_octets_is_one() -> None:
    assert decode(unsigned(b"")).attributes == ()


def test_a_length_of_4096_is_the_largest() -> None:
    attributes = attribute(26, bytes(253)) * 15 + attribute(26, bytes(249))
    largest = unsigned(attributes)
    assert len(largest) == 4096

    assert len(decode(largest).attributes) == 16
    with pytest.raises(ProtocolError):
        decode(unsigned(attributes[:-251] + attribute(26, bytes(250))))


@pytest.mark.parametrize("cut", [1, 5, 36])
def test_a_datagram_shorter_than_its_length_is_discarded(cut: int) -> None:
    with pytest.raises(ProtocolError):
        decode(unsigned()[:-cut])


@pytest.mark.parametrize("padding", [b"\0", b"\xff" * 100, attribute(79, b"not read")])
def test_what_lies_beyond_the_length_is_padding(padding: bytes) -> None:
    packet = decode(unsigned() + padding)

    assert packet == decode(unsigned())


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"\x01", id="half-a-header"),
        pytest.param(b"\x01\x00", id="length-0"),
        pytest.param(b"\x01\x01", id="length-1"),
        pytest.param(b"\x0b\x05ab", id="one-octet-short"),
        pytest.param(b"\x0b\xff", id="far-beyond-the-end"),
        pytest.param(b"\x00\x03a", id="type-0"),
        pytest.param(b"\x00\x00", id="type-0-length-0"),
    ],
)
def test_the_walk_over_the_attributes_ends_exactly_at_the_length(tail: bytes) -> None:
    """RFC 2865 section 5."""
    with pytest.raises(ProtocolError):
        decode(unsigned(LOGIN + tail))


def test_an_attribute_without_a_value_is_read() -> None:
    """An EAP-Start has none (RFC 3579 section 2.1)."""
    assert decode(unsigned(b"\x4f\x02")).attributes == ((79, b""),)


def test_the_number_of_attributes_is_bounded() -> None:
    assert len(decode(unsigned(b"\x19\x03a" * MAX_ATTRIBUTES)).attributes) == MAX_ATTRIBUTES
    with pytest.raises(ProtocolError):
        decode(unsigned(b"\x19\x03a" * (MAX_ATTRIBUTES + 1)))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Attribute.USER_NAME, b"alice"),
        (Attribute.USER_PASSWORD, bytes(16)),
        (Attribute.CHAP_PASSWORD, bytes(17)),
        (Attribute.STATE, b"state"),
        (Attribute.CHAP_CHALLENGE, bytes(16)),
        (Attribute.MESSAGE_AUTHENTICATOR, bytes(16)),
    ],
)
def test_of_these_there_is_at_most_one(type_: int, value: bytes) -> None:
    """RFC 2865 section 5.44, RFC 2869 section 5.14."""
    once = attribute(type_, value)

    assert decode(unsigned(once)).first(type_) == value
    with pytest.raises(ProtocolError):
        decode(unsigned(once + attribute(11, b"between") + once))


@pytest.mark.parametrize("size", [1, 4, 15, 17, 32])
def test_a_message_authenticator_has_16_octets(size: int) -> None:
    with pytest.raises(ProtocolError):
        decode(unsigned(LOGIN + attribute(80, bytes(size))))


def test_what_vendors_and_proxies_add_is_nobodys_business() -> None:
    octets = (
        HIDDEN
        + vendor_attribute(9, 1, b"x")
        + attribute(26, b"\x01garbage")
        + attribute(33, b"p") * 2
        + attribute(241, b"extended")
    )
    assert len(decode(unsigned(octets)).attributes) == 6
