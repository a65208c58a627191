"""A stream is cut into packets wherever the network cut it; a length that cannot be ends it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.radius.packet import HEADER_OCTETS, MAX_OCTETS
from loginward.wire.radius.stream import PacketStream


def packet(octets: int, fill: int = 7) -> bytes:
    return bytes((1, fill)) + octets.to_bytes(2, "big") + bytes([fill]) * (octets - 4)


sizes = st.integers(HEADER_OCTETS, 200) | st.sampled_from((HEADER_OCTETS, MAX_OCTETS))
packets = st.lists(st.builds(packet, sizes, st.integers(0, 255)), max_size=8)


def cut(stream: PacketStream, octets: bytes, sizes: list[int]) -> list[bytes]:
    """Feed octets in pieces of these sizes, the rest at once."""
    found: list[bytes] = []
    at = 0
    for size in sizes:
        found += stream.feed(octets[at : at + size])
        at += size
    return [*found, *stream.feed(octets[at:])]


@given(packets, st.lists(st.integers(0, 90), max_size=60), st.binary(max_size=3))
def test_it_does_not_matter_how_the_octets_arrive(
    sent: list[bytes], pieces: list[int], begun: bytes
) -> None:
    stream = PacketStream()
    assert cut(stream, b"".join(sent) + begun, pieces) == sent
    assert stream.held_octets == len(begun)


@pytest.mark.parametrize("length", [0, 1, HEADER_OCTETS - 1, MAX_OCTETS + 1, 65535])
def test_a_length_that_cannot_be_is_told_before_its_packet_is_waited_for(length: int) -> None:
    """RFC 6613 section 2.6.4; whole packets before it still count."""
    stream = PacketStream()
    found = []
    with pytest.raises(ProtocolError):
        found.extend(stream.feed(packet(30) + b"\1\1" + length.to_bytes(2, "big")))
    assert list(PacketStream().feed(packet(30))) == [packet(30)]
    stream = PacketStream()
    taken = stream.feed(packet(30) + b"\1\1" + length.to_bytes(2, "big"))
    assert next(taken) == packet(30)
    with pytest.raises(ProtocolError):
        next(taken)


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_of_any_octets_less_than_a_packet_is_held(pieces: list[bytes]) -> None:
    stream = PacketStream()
    came = b""
    with contextlib.suppress(ProtocolError):
        for piece in pieces:
            came += b"".join(stream.feed(piece))
            assert stream.held_octets < MAX_OCTETS
            assert b"".join(pieces).startswith(came)
