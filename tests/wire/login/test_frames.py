"""A frame of the login socket is understood exactly, or it is a ProtocolError."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.core.secret import Secret
from loginward.errors import ProtocolError
from loginward.wire.login import (
    Answer,
    Ask,
    Begin,
    Decoder,
    Flag,
    Message,
    Notice,
    Result,
    decode,
    encode,
)

BEGIN = Begin(phase=Phase.AUTHN, user="alice", service="sshd")
_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=256
)
_MAYBE = st.just("") | _TEXT
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Begin,
        phase=st.sampled_from(Phase),
        user=_TEXT,
        service=_TEXT,
        tty=_MAYBE,
        rhost=_MAYBE,
        ruser=_MAYBE,
        flags=st.integers(0, 7).map(Flag),
        transaction=st.just("") | st.text("0123456789abcdef", min_size=1, max_size=64),
    ),
    st.binary(max_size=8189).map(lambda octets: Answer(Secret(octets))),
    st.builds(Ask, purpose=st.sampled_from(Purpose), prompt=_MAYBE, shown=st.booleans()),
    st.builds(Notice, _TEXT, st.booleans()),
    st.builds(
        Result,
        verdict=st.sampled_from(Verdict),
        reason=st.sampled_from(Reason),
        reference=st.text("ABCDEFGHJKMNPQRSTVWXYZ0123456789-", max_size=16),
        delay_ms=st.integers(0, 2**32 - 1),
        transaction=st.text("0123456789abcdef", max_size=64),
    ),
)


@given(MESSAGES)
def test_what_is_encoded_decodes_to_the_same(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=64) | st.binary(max_size=60).map(lambda rest: b"\x01\x01\x00" + rest))
@example(b"")
@example(b"\x01\x01\x00\x00")
def test_random_octets_are_refused_or_understood_exactly(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert encode(decode(octets)) == octets


@given(MESSAGES, st.data())
def test_mutated_frames_are_refused_or_understood_exactly(
    message: Message, data: st.DataObject
) -> None:
    frame = bytearray(encode(message))
    at = data.draw(st.integers(0, len(frame) - 1))
    match data.draw(st.sampled_from(["set", "delete", "insert", "double"])):
        case "set":
            frame[at] = data.draw(st.integers(0, 255))
        case "delete":
            del frame[at]
        case "insert":
            frame.insert(at, data.draw(st.integers(0, 255)))
        case "double":
            frame[at:at] = frame[at : at + data.draw(st.integers(1, 16))]
    frame[2:4] = data.draw(
        st.just(bytes(frame[2:4])) | st.just(max(0, len(frame) - 4).to_bytes(2, "big"))
    )

    with contextlib.suppress(ProtocolError):
        assert encode(decode(bytes(frame))) == bytes(frame)


@given(st.lists(MESSAGES, max_size=4), st.data())
def test_a_stream_gives_the_same_messages_however_it_is_cut(
    messages: list[Message], data: st.DataObject
) -> None:
    stream = b"".join(encode(message) for message in messages)
    decoder, seen, at = Decoder(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 400))
        decoder.feed(stream[at : at + size])
        at += size
        while (message := decoder.next_message()) is not None:
            seen.append(message)

    assert seen == messages
    assert decoder.waiting_octets == 0


def field(tag: int, value: bytes) -> bytes:
    return bytes([tag]) + len(value).to_bytes(2, "big") + value


def begin_frame(*fields: bytes) -> bytes:
    payload = b"".join(fields)
    return b"\x01\x01" + len(payload).to_bytes(2, "big") + payload


MUST = (field(1, b"\x01"), field(2, b"alice"), field(3, b"sshd"))


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\x02" + encode(BEGIN)[1:], id="unknown-version"),
        pytest.param(b"\x01\x07" + encode(BEGIN)[2:], id="unknown-type"),
        pytest.param(encode(BEGIN) + b"\0", id="octets-after-the-frame"),
        pytest.param(encode(BEGIN)[:-1], id="cut"),
        pytest.param(begin_frame(*MUST, b"\x04\x00"), id="octets-after-the-last-field"),
        pytest.param(begin_frame(*MUST, field(9, b"x")), id="unknown-tag"),
        pytest.param(begin_frame(*MUST, field(16, b"x")), id="tag-of-another-type"),
        pytest.param(begin_frame(MUST[0], MUST[1], MUST[1], MUST[2]), id="duplicate-tag"),
        pytest.param(begin_frame(MUST[1], MUST[0], MUST[2]), id="tags-out-of-order"),
        pytest.param(begin_frame(*MUST[:2]), id="missing-field"),
        pytest.param(begin_frame(MUST[0], field(2, b"al\0ice"), MUST[2]), id="nul-in-a-text"),
        pytest.param(begin_frame(MUST[0], field(2, b"al\xffice"), MUST[2]), id="not-utf-8"),
        pytest.param(begin_frame(MUST[0], field(2, b"\xed\xa0\x80"), MUST[2]), id="surrogate"),
        pytest.param(begin_frame(MUST[0], field(2, b""), MUST[2]), id="empty-text"),
        pytest.param(begin_frame(MUST[0], field(2, b"a" * 1025), MUST[2]), id="long-text"),
        pytest.param(begin_frame(field(1, b"\x07"), *MUST[1:]), id="unknown-phase"),
        pytest.param(begin_frame(field(1, b"\x00\x01"), *MUST[1:]), id="phase-of-two-octets"),
        pytest.param(begin_frame(*MUST, field(7, b"\x00")), id="flags-that-say-nothing"),
        pytest.param(begin_frame(*MUST, field(7, b"\x08")), id="unknown-flag"),
        pytest.param(begin_frame(*MUST, field(8, b"0" * 65)), id="long-transaction"),
        pytest.param(b"\x01\x01\x20\x01" + bytes(8193), id="payload-too-long"),
        pytest.param(
            b"\x01\x14\x00\x0f" + field(64, b"\x01") + field(65, b"\x01") + field(67, bytes(4)),
            id="delay-of-nothing",
        ),
        pytest.param(
            b"\x01\x14\x00\x0c" + field(64, b"\x01") + field(65, b"\x01") + field(67, b"\x01"),
            id="delay-of-one-octet",
        ),
        pytest.param(b"\x01\x11\x00\x08" + field(32, b"\x01") + field(34, b"\x02"), id="shown-two"),
    ],
)
def test_anything_else_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(frame)


def test_a_header_that_cannot_be_is_refused_before_its_payload_arrives() -> None:
    with pytest.raises(ProtocolError):
        Decoder().feed(b"\x01\x01\xff\xff")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Begin(phase=Phase.AUTHN, user="", service="sshd"), id="no-user"),
        pytest.param(Begin(phase=Phase.AUTHN, user="a\0b", service="sshd"), id="nul"),
        pytest.param(Begin(phase=Phase.AUTHN, user="a" * 1025, service="sshd"), id="long"),
        pytest.param(Begin(phase=Phase.AUTHN, user="\udc80", service="sshd"), id="surrogate"),
        pytest.param(Answer(Secret(bytes(8190))), id="long-answer"),
        pytest.param(Notice(""), id="empty-notice"),
        pytest.param(
            Result(verdict=Verdict.ALLOW, reason=Reason.OK, delay_ms=2**32), id="long-delay"
        ),
    ],
)
def test_what_cannot_travel_is_not_encoded(message: Message) -> None:
    with pytest.raises(ProtocolError):
        encode(message)


def test_every_truncation_of_every_message_type_is_refused_or_waited_for() -> None:
    for message in (
        BEGIN,
        Answer(Secret(b"x")),
        Ask(purpose=Purpose.NEW, prompt="New password: "),
        Notice("hello"),
        Result(verdict=Verdict.REFUSE, reason=Reason.ACCOUNT_LOCKED, reference="7F3K2Q"),
    ):
        frame = encode(message)
        for length in range(len(frame)):
            decoder = Decoder()
            decoder.feed(frame[:length])
            assert decoder.next_message() is None
            with pytest.raises(ProtocolError):
                decode(frame[:length])


def test_the_longest_question_there_can_be_fits() -> None:
    longest = Begin(
        phase=Phase.AUTHN,
        user="u" * 1024,
        service="s" * 1024,
        tty="t" * 1024,
        rhost="h" * 1024,
        ruser="r" * 1024,
        flags=Flag(7),
        transaction="0" * 64,
    )
    assert decode(encode(longest)) == longest
    assert len(encode(Answer(Secret(bytes(8189))))) == 4 + 8192


def test_an_answer_shows_no_secret() -> None:
    assert "hunter2" not in repr(Answer(Secret(b"hunter2")))
