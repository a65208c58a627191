"""Orders and reports cross the socket as they are; anything else is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.secret import Secret
from loginward.doors.radius.eap import frames
from loginward.doors.radius.eap.frames import (
    Configure,
    Configured,
    Receive,
    Resume,
    Start,
    Turned,
)
from loginward.doors.radius.eap.turns import (
    Accept,
    Accepted,
    Ask,
    EapMethod,
    Failed,
    Ignored,
    NeedsAccount,
    NeedsPassword,
    Reject,
    Rejected,
    Send,
    Why,
)
from loginward.errors import ProtocolError

numbers = st.integers(0, 2**63)
octets = st.binary(max_size=200)
methods = st.sampled_from(EapMethod)
verdicts = st.one_of(st.builds(Accept), st.builds(Reject), st.builds(Ask, st.text(max_size=50)))
orders = st.one_of(
    st.builds(Start, numbers, st.text(max_size=9), st.tuples(methods), st.just(1000), octets),
    st.builds(Receive, numbers, octets),
    st.builds(Resume, numbers, verdicts, st.integers(0, 255)),
)
turns = st.one_of(
    st.builds(Send, octets),
    st.builds(NeedsPassword, methods, st.text(max_size=9), st.builds(Secret, octets), st.booleans()),
    st.builds(NeedsAccount, methods, st.text(max_size=9)),
    st.builds(Accepted, octets, st.builds(Secret, octets)),
    st.builds(Rejected, octets),
    st.builds(Failed, st.sampled_from(Why), octets, st.text(max_size=9)),
    st.builds(Ignored),
)  # fmt: skip


@given(orders)
def test_an_order_arrives_as_it_was_given(order):
    assert frames.decode_order(frames.encode(order)) == order


@given(st.builds(Turned, numbers, turns))
def test_a_turn_arrives_as_it_was_taken(report):
    octets = frames.encode(report)
    assert frames.decode_report(octets) == report
    assert len(octets) < frames.MAX_OCTETS


def test_settings_and_their_problems_arrive(site):
    assert frames.decode_order(frames.encode(Configure(site.eap))) == Configure(site.eap)
    problem = Configured("doors.radius.eap.key_file", "is missing")
    assert frames.decode_report(frames.encode(problem)) == problem


@pytest.mark.parametrize(
    "value",
    [
        [1],
        [9, 1, b""],
        [3, "one", b""],
        [3, 1, "text"],
        [2, 1, "c", ["pap"], 1000, b""],
        [4, 1, [9], 0],
        [1, {"cert_file": 1, "key_file": "x"}],
        "text",
    ],
)
def test_what_is_no_order_is_refused(value):
    with pytest.raises(ProtocolError):
        frames.decode_order(msgspec.msgpack.encode(value))


@pytest.mark.parametrize("value", [[1, 1, [4, b"x", 5]], [1, 1, [6, "why", b""]], [2, 1, 2], 7])
def test_what_is_no_report_is_refused(value):
    with pytest.raises(ProtocolError):
        frames.decode_report(msgspec.msgpack.encode(value))


@pytest.mark.parametrize(
    "octets",
    [pytest.param(b"\x94\x02\x01\xa1\xb8", id="no-utf-8"), pytest.param(b"\x91" * 9000, id="deep")],
)
def test_what_the_library_stumbles_over_is_refused(octets):
    for decode in (frames.decode_order, frames.decode_report):
        with pytest.raises(ProtocolError):
            decode(octets)


def test_nothing_else_crosses():
    with pytest.raises(TypeError):
        frames.encode(Receive(1, object()))  # type: ignore[arg-type]


@pytest.mark.fuzz
@given(st.binary(max_size=100))
def test_whatever_comes_is_read_or_refused(octets):
    for decode in (frames.decode_order, frames.decode_report):
        try:
            decode(octets)
        except ProtocolError:
            continue
