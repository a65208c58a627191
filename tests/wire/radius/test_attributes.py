"""Attributes carry what they can, in one piece or several, and never more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.radius.attributes import (
    Attribute,
    as_integer,
    attribute,
    eap_message,
    integer,
    joined_eap_message,
    proxy_states,
    text,
    vendor_attribute,
    vendor_values,
)
from loginward.wire.radius.packet import decode
from tests.wire.radius.stage import NAME, unsigned


def read(octets: bytes) -> tuple[tuple[int, bytes], ...]:
    return decode(unsigned(octets)).attributes


@pytest.mark.parametrize("size", [0, 254])
def test_a_value_that_does_not_fit_is_never_sent(size: int) -> None:
    with pytest.raises(ValueError, match="253"):
        attribute(25, bytes(size))


@given(st.integers(0, 2**32 - 1))
def test_a_number_reads_back(number: int) -> None:
    ((type_, value),) = read(integer(27, number))

    assert (type_, as_integer(value)) == (27, number)


@pytest.mark.parametrize("value", [None, b"", b"\0\0\1", b"\0\0\0\0\1"])
def test_what_is_no_number_reads_as_none(value: bytes | None) -> None:
    assert as_integer(value) is None


@given(st.text(max_size=700))
def test_a_text_is_cut_between_characters(value: str) -> None:
    """RFC 2865 section 5.18: at most 253 octets each, UTF-8."""
    pieces = [piece for _, piece in read(text(18, value))]

    assert "".join(piece.decode() for piece in pieces) == value
    assert all(0 < len(piece) <= 253 for piece in pieces)
    assert all(len(piece) > 249 for piece in pieces[:-1]), "no piece is shorter than need be"


def test_a_text_of_nothing_is_not_sent() -> None:
    assert text(18, "") == b""


def test_what_cannot_be_utf8_is_replaced() -> None:
    assert text(18, "a\ud800b") == attribute(18, b"a?b")


@given(st.binary(min_size=1, max_size=3000))
def test_an_eap_packet_is_split_and_joined(packet: bytes) -> None:
    """RFC 3579 section 3.1."""
    attributes = read(NAME + eap_message(packet) + attribute(33, b"after"))

    assert joined_eap_message(attributes) == packet
    pieces = [value for type_, value in attributes if type_ == Attribute.EAP_MESSAGE]
    assert all(len(piece) == 253 for piece in pieces[:-1])


def test_without_an_eap_message_there_is_no_eap_packet() -> None:
    assert joined_eap_message(read(NAME)) == b""


def test_an_eap_start_is_an_eap_packet_of_no_octets() -> None:
    assert joined_eap_message(((79, b""),)) == b""


@pytest.mark.parametrize("between", [attribute(33, b"p"), attribute(80, bytes(16))])
def test_eap_messages_in_two_pieces_are_refused(between: bytes) -> None:
    """RFC 3579 section 3.1: contiguous and in order."""
    one = eap_message(b"a" * 253)
    with pytest.raises(ProtocolError):
        joined_eap_message(read(one + between + one))


@given(st.lists(st.binary(max_size=253), max_size=10))
def test_proxy_states_are_echoed_as_they_came_in_order(states: list[bytes]) -> None:
    """RFC 2865 section 5.33; another attribute between them changes nothing."""
    encoded = [bytes((33, len(state) + 2)) + state for state in states]

    assert proxy_states(read(NAME.join(encoded[:2]) + b"".join(encoded[2:]))) == b"".join(encoded)


def test_a_vendors_attributes_are_found_wherever_they_stand() -> None:
    together = b"\0\0\0\x09" + b"\x01\x03a" + b"\x02\x04bc"
    octets = (
        vendor_attribute(9, 1, b"first")
        + vendor_attribute(311, 1, b"another vendor's")
        + attribute(26, together)
    )

    assert vendor_values(decode(unsigned(octets)).all(26), 9) == [
        (1, b"first"),
        (1, b"a"),
        (2, b"bc"),
    ]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0\0",
        b"\0\0\0\x09",
        b"\0\0\0\x09\x01",
        b"\0\0\0\x09\x01\x01",
        b"\0\0\0\x09\x01\x09a",
        b"\0\0\0\x09\x01\x03b\x01\x09",
    ],
)
def test_a_vendor_attribute_of_another_form_is_passed_over(octets: bytes) -> None:
    assert vendor_values([octets, b"\0\0\0\x09\x01\x03a"], 9) == [(1, b"a")]


@pytest.mark.parametrize("size", [0, 248])
def test_a_vendors_value_that_does_not_fit_is_never_sent(size: int) -> None:
    with pytest.raises(ValueError, match="247"):
        vendor_attribute(9, 1, bytes(size))
