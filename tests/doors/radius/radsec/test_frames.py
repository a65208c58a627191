"""Orders and reports cross the socket as they are; anything else is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.doors.radius.radsec import frames
from loginward.doors.radius.radsec.frames import (
    Close,
    Closed,
    Configure,
    Configured,
    End,
    Opened,
    Received,
    Send,
    Take,
)
from loginward.errors import ProtocolError

numbers = st.integers(0, 2**63)
octets = st.binary(max_size=4096)
texts = st.text(max_size=50)
orders = st.one_of(
    st.builds(Configure, texts, texts, texts),
    st.builds(Take, numbers, texts),
    st.builds(Send, numbers, octets),
    st.builds(Close, numbers),
)
reports = st.one_of(
    st.builds(Configured, texts, texts),
    st.builds(Opened, numbers),
    st.builds(Received, numbers, octets),
    st.builds(Closed, numbers, st.sampled_from(End), texts),
)


@given(orders)
def test_an_order_arrives_as_it_was_given(order):
    assert frames.decode_order(frames.encode(order)) == order


@given(reports)
def test_a_report_arrives_as_it_was_given(report):
    assert frames.decode_report(frames.encode(report)) == report


@given(octets)
def test_any_octets_are_a_frame_or_a_protocol_error(octets):
    for decode in (frames.decode_order, frames.decode_report):
        with contextlib.suppress(ProtocolError):
            decode(octets)


@pytest.mark.parametrize("octets", [b"", b"\xc1", b"\x92\x04\xa1x", b"\x92\x09\x01"])
def test_what_is_no_frame_is_refused(octets):
    for decode in (frames.decode_order, frames.decode_report):
        with pytest.raises(ProtocolError):
            decode(octets)


def test_an_end_that_nobody_knows_and_a_text_that_is_none_are_refused():
    with pytest.raises(ProtocolError):
        frames.decode_report(b"\x93\x04\x01\xa8tls-none")
    with pytest.raises(ProtocolError):
        frames.decode_report(b"\x94\x04\x01\xa8tls-idle\xa1\xff")


def test_the_longest_packet_fits():
    assert len(frames.encode(Received(2**63, bytes(4096)))) < frames.MAX_OCTETS
