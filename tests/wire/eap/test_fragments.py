"""TLS cut and put together again (RFC 5216 section 2.1.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.eap import fragments, packet
from loginward.wire.eap.fragments import Fragment, Incoming, Outgoing
from loginward.wire.eap.packet import Type


@given(st.binary(max_size=5000), st.integers(fragments.LEAST_PACKET, fragments.MOST_PACKET))
def test_a_message_arrives_whole_in_packets_that_fit(message: bytes, most: int) -> None:
    outgoing, incoming = Outgoing(message, most), Incoming()
    whole, pieces = None, 0
    while whole is None:
        body = outgoing.next()
        assert len(packet.request(1, Type.TTLS, body)) <= most
        whole = incoming.take(fragments.parse(body))
        assert (whole is not None) == outgoing.is_done
        pieces += 1
    assert whole == message
    assert incoming.held == 0
    assert pieces <= len(message) // (most - 10) + 1


def test_only_a_first_piece_of_several_says_the_length() -> None:
    outgoing = Outgoing(bytes(300), 128)
    read = [fragments.parse(outgoing.next()) for _ in range(3)]
    assert [(f.total, f.more, len(f.octets)) for f in read] == [
        (300, True, 118),
        (None, True, 122),
        (None, False, 60),
    ]
    assert fragments.parse(Outgoing(bytes(122), 128).next()) == Fragment(bytes(122))


def test_nothing_to_say_is_an_acknowledgement() -> None:
    assert Outgoing(b"", 1000).next() == fragments.ACK == b"\0"
    assert fragments.parse(fragments.ACK).is_ack
    assert fragments.START == b"\x20"


def test_flags_and_version_are_told_apart() -> None:
    assert fragments.parse(b"\x81\0\0\0\x02ab") == Fragment(b"ab", version=1, total=2)
    assert fragments.parse(b"\x46a") == Fragment(b"a", version=6, more=True)
    assert fragments.parse(b"\x22") == Fragment(version=2, start=True)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="no-flags"),
        pytest.param(b"\x80\0\0\0", id="length-cut"),
        pytest.param(b"\x80\0\x01\0\x01a", id="length-beyond-64-kib"),
        pytest.param(b"\x40", id="more-of-nothing"),
    ],
)
def test_malformed_pieces_are_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        fragments.parse(body)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([Fragment(start=True)], id="a-start-from-a-peer"),
        pytest.param([Fragment(b"abc", total=2)], id="longer-than-said"),
        pytest.param([Fragment(b"a", total=2)], id="shorter-than-said"),
        pytest.param([Fragment(b"ab", total=3, more=True), Fragment(b"cd")], id="overrun-later"),
        pytest.param([Fragment(b"a", total=3, more=True), Fragment(b"bcd", total=4)], id="changed"),
        pytest.param([Fragment(b"a", more=True), Fragment(b"b", total=2)], id="length-comes-late"),
        pytest.param([Fragment(bytes(4000), more=True)] * 17, id="endless"),
    ],
)
def test_a_message_that_does_not_add_up_is_refused(pieces: list[Fragment]) -> None:
    incoming = Incoming()
    with pytest.raises(ProtocolError):
        [incoming.take(piece) for piece in pieces]


def test_a_length_may_be_said_with_every_piece() -> None:
    """Some peers do (RFC 5216 section 2.1.5 only demands the first)."""
    incoming = Incoming()
    assert incoming.take(Fragment(b"ab", total=3, more=True)) is None
    assert incoming.held == 2
    assert incoming.take(Fragment(b"c", total=3)) == b"abc"
    assert incoming.take(Fragment(b"next")) == b"next"


@pytest.mark.parametrize(
    ("framed_mtu", "octets"), [(None, 1000), (1500, 1400), (1020, 1016), (60, 128), (0, 128)]
)
def test_packets_fit_the_clients_link(framed_mtu, octets) -> None:
    assert fragments.packet_octets(framed_mtu) == octets


@pytest.mark.fuzz
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_whatever_comes_never_holds_more_than_it_may(bodies: list[bytes]) -> None:
    incoming = Incoming()
    try:
        for body in bodies:
            fragment = fragments.parse(body)
            assert fragments.parse(fragments.render(fragment)) == fragment
            incoming.take(fragment)
            assert incoming.held <= fragments.MAX_MESSAGE
    except ProtocolError:
        return
