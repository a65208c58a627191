"""Packets of EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2-02)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.eap import mschapv2
from loginward.wire.eap.mschapv2 import Answered, OpCode

ANSWER = mschapv2.response(9, b"p" * 16, b"r" * 24, b"ann")


def test_the_octets_are_those_of_the_draft() -> None:
    """Section 2.1 to 2.4; MS-Length is the whole from the OpCode on."""
    challenge = mschapv2.challenge(9, b"c" * 16, b"lw")
    assert challenge == bytes.fromhex("0109 0017 10") + b"c" * 16 + b"lw"
    success = mschapv2.success(9, b"S=" + b"A" * 40)
    assert success == bytes.fromhex("0309 0031") + b"S=" + b"A" * 40 + b" M="
    assert mschapv2.failure(9, b"E=691 R=0") == bytes.fromhex("0409 000d") + b"E=691 R=0"


def test_an_answer_is_read() -> None:
    assert mschapv2.read(ANSWER) == Answered(9, b"p" * 16, b"r" * 24, b"ann")
    assert mschapv2.read(b"\x03") is OpCode.SUCCESS
    assert mschapv2.read(b"\x04") is OpCode.FAILURE
    assert "rrr" not in repr(mschapv2.read(ANSWER))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02", id="no-answer-in-it"),
        pytest.param(ANSWER[:53], id="cut"),
        pytest.param(ANSWER + b"x", id="longer-than-it-says"),
        pytest.param(b"\x01" + ANSWER[1:], id="a-challenge-to-us"),
        pytest.param(ANSWER[:4] + b"\x30" + ANSWER[5:], id="value-of-another-size"),
        pytest.param(b"\x03\x09", id="a-success-that-says-more"),
        pytest.param(b"\x07" + ANSWER[1:], id="a-change-of-password"),
    ],
)
def test_another_body_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        mschapv2.read(body)


@pytest.mark.fuzz
@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: ANSWER[:5] + tail))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    """What is read is one and the same octets, but for what is reserved."""
    try:
        read = mschapv2.read(body)
    except ProtocolError:
        return
    if isinstance(read, Answered):
        again = mschapv2.response(read.identifier, read.peer_challenge, read.nt_response, read.name)
        assert (again[:21], again[29:53], again[54:]) == (body[:21], body[29:53], body[54:])
