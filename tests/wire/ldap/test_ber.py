"""Elements and numbers of BER, as RFC 4511 section 5.1 narrows them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pyasn1.type import univ

from loginward.errors import ProtocolError
from loginward.wire.ldap import ber


@given(st.binary(max_size=70_000))
def test_an_element_is_what_pyasn1_makes_of_it(content: bytes) -> None:
    assert ber.element(ber.OCTET_STRING, content) == encoder.encode(univ.OctetString(content))


@given(st.integers(0, ber.MAX_INT))
def test_an_integer_is_what_pyasn1_makes_of_it_and_reads_back(value: int) -> None:
    octets = ber.integer(value)

    assert octets == encoder.encode(univ.Integer(value))
    assert ber.as_count(ber.Reader(octets).take(ber.INTEGER)) == value


@given(st.integers(-(2**31), 2**31 - 1))
def test_negative_numbers_read_back(value: int) -> None:
    shortest = next(n for n in (1, 2, 3, 4) if -(1 << (8 * n - 1)) <= value < 1 << (8 * n - 1))

    assert ber.as_int(value.to_bytes(shortest, "big", signed=True)) == value


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\0\0\0", b"\0\x01", b"\xff\xff", b"\0\x7f", b"\xff\x80"],
    ids=["none", "five", "padded", "padded-negative", "padded-127", "padded--128"],
)
def test_an_integer_has_one_form(content: bytes) -> None:
    with pytest.raises(ProtocolError):
        ber.as_int(content)


@pytest.mark.parametrize("content", [b"", b"\0\0"])
def test_a_boolean_is_one_octet(content: bytes) -> None:
    with pytest.raises(ProtocolError):
        ber.as_bool(content)


def test_numbers_of_things_are_not_negative() -> None:
    with pytest.raises(ProtocolError):
        ber.as_count(b"\xff")


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_long_forms_of_a_length_are_read(size: int) -> None:
    """389 and Active Directory write 84 00 00 00 03 for three octets."""
    octets = bytes([4, 0x80 | size]) + (3).to_bytes(size, "big") + b"abc"

    assert ber.Reader(octets).take(4) == b"abc"


@pytest.mark.parametrize(
    "octets",
    [b"\x04\x80\x00\x00", b"\x04\x85\x00\x00\x00\x00\x01a", b"\x1f\x01a", b"\x04\xff"],
    ids=["indefinite", "five-octets", "high-tag", "reserved"],
)
def test_forms_that_ldap_forbids(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        ber.Reader(octets).any()


@pytest.mark.parametrize("octets", [b"", b"\x04", b"\x04\x02a", b"\x04\x82\x01"])
def test_what_is_cut_short(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        ber.Reader(octets).any()


def test_left_over_octets_are_seen_and_later_elements_passed_over() -> None:
    reader = ber.Reader(b"\x04\x01a\x81\x01b\x82\x00")
    assert reader.take(4) == b"a"

    with pytest.raises(ProtocolError):
        reader.end()
    reader.skip_rest()
    reader.end()


def test_a_text_that_is_no_utf8_still_reads() -> None:
    assert ber.as_text(b"a\xffb") == "a\ufffdb"
