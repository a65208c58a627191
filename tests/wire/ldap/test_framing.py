"""A stream cut anywhere gives the same messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.ldap import Framer
from loginward.wire.ldap.ber import element

contents = st.lists(st.binary(max_size=300), max_size=5)


@given(contents, st.data())
def test_messages_come_whole_however_the_stream_is_cut(bodies: list[bytes], data) -> None:
    messages = [element(0x30, body) for body in bodies]
    stream = b"".join(messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framer, found = Framer(), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += framer.feed(stream[start:stop])

    assert found == messages
    assert framer.spare == 0


def test_octets_of_the_next_message_are_spare() -> None:
    framer = Framer()

    assert framer.feed(b"\x30\x01a\x30\x05b") == [b"\x30\x01a"]
    assert framer.spare == 3


@pytest.mark.parametrize(
    "octets",
    [b"HTTP/1.1 400", b"\x16\x03\x01", b"\x30\x80", b"\x30\x85\0\0\0\0\1", b"\x30\x01a\x31\x00"],
    ids=["http", "tls", "indefinite", "over-long", "second"],
)
def test_what_is_no_ldap_is_refused_at_once(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        Framer().feed(octets)


def test_a_message_too_large_is_refused_before_it_arrives() -> None:
    with pytest.raises(ProtocolError):
        Framer(max_message=100).feed(b"\x30\x63")
    assert Framer(max_message=101).feed(b"\x30\x63") == []


@pytest.mark.fuzz
@given(st.binary(max_size=200))
def test_whatever_comes_is_framed_or_refused(octets: bytes) -> None:
    framer = Framer(max_message=128)
    try:
        messages = framer.feed(octets)
    except ProtocolError:
        return
    assert b"".join(messages) + octets[len(octets) - framer.spare :] == octets
    assert framer.spare <= 128
