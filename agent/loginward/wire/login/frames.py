"""Frames of the login socket, octets to values and back, without I/O.

Source: agent/native/lw_protocol.h.
"""

from __future__ import annotations

import struct

from loginward.core.secret import Secret
from loginward.errors import ProtocolError
from loginward.wire.login.fields import Fields, member_of, pack, text_field, text_of, u8_of, unpack
from loginward.wire.login.values import (
    HEADER_OCTETS,
    MAX_PAYLOAD,
    MAX_TYPED,
    MAX_U32,
    PHASES,
    PURPOSES,
    REASONS,
    VERDICTS,
    VERSION,
    Answer,
    Ask,
    Begin,
    Flag,
    FrameType,
    Message,
    Notice,
    Result,
    Tag,
)


def encode(message: Message) -> bytes:
    """Return the frame of a message.

    Raises:
        ProtocolError: A text is missing, too long, holds NUL or cannot be UTF-8, or a number
            does not fit.
    """
    match message:
        case Begin():
            return _frame(FrameType.BEGIN, _begin_fields(message))
        case Answer(typed):
            if len(typed.reveal()) > MAX_TYPED:
                raise ProtocolError("typed octets too long")
            return _frame(FrameType.ANSWER, {Tag.TYPED: typed.reveal()})
        case Ask():
            fields = {
                Tag.PURPOSE: bytes([PURPOSES[message.purpose]]),
                **text_field(Tag.PROMPT, message.prompt),
            }
            if message.shown:
                fields[Tag.SHOWN] = b"\x01"
            return _frame(FrameType.ASK, fields)
        case Notice(text, is_error):
            type_ = FrameType.ERROR if is_error else FrameType.INFO
            return _frame(type_, text_field(Tag.TEXT, text))
    return _frame(FrameType.RESULT, _result_fields(message))


def decode(frame: bytes) -> Message:
    """Return the message of exactly one frame.

    What it returns encodes to the same octets again.

    Raises:
        ProtocolError: The frame is not what lw_protocol.h describes.
    """
    if len(frame) < HEADER_OCTETS or len(frame) != HEADER_OCTETS + payload_octets(frame):
        raise ProtocolError("frame and length differ")
    type_ = FrameType(frame[1])
    fields = unpack(type_, frame[HEADER_OCTETS:])
    match type_:
        case FrameType.BEGIN:
            return _begin(fields)
        case FrameType.ANSWER:
            return Answer(Secret(fields[Tag.TYPED]))
        case FrameType.ASK:
            return _ask(fields)
        case FrameType.INFO | FrameType.ERROR:
            return Notice(text_of(fields, Tag.TEXT), type_ is FrameType.ERROR)
    return _result(fields)


def payload_octets(header: bytes | bytearray) -> int:
    """Return the payload length that a header (its first 4 octets) announces.

    Raises:
        ProtocolError: Another version, an unknown type, or more than 8,192 octets.
    """
    version, type_, length = struct.unpack_from("!BBH", header)
    if version != VERSION:
        raise ProtocolError("unknown version")
    if type_ not in FrameType.__members__.values():
        raise ProtocolError("unknown frame type")
    if length > MAX_PAYLOAD:
        raise ProtocolError("payload too long")
    return int(length)


class Decoder:
    """Cuts a stream of octets into frames; never holds more than one frame and what was fed."""

    def __init__(self) -> None:
        self._octets = bytearray()

    @property
    def waiting_octets(self) -> int:
        """Return how many octets of an unfinished frame are held."""
        return len(self._octets)

    def feed(self, octets: bytes) -> None:
        """Take octets as they arrived.

        Raises:
            ProtocolError: No frame can begin like this; nothing more can be read after it.
        """
        self._octets += octets
        if len(self._octets) >= HEADER_OCTETS:
            payload_octets(self._octets)

    def next_message(self) -> Message | None:
        """Return the next whole message, or None until more octets are fed.

        Raises:
            ProtocolError: The frame is not what lw_protocol.h describes.
        """
        if len(self._octets) < HEADER_OCTETS:
            return None
        length = HEADER_OCTETS + payload_octets(self._octets)
        if len(self._octets) < length:
            return None
        frame = bytes(self._octets[:length])
        self._octets[:length] = bytes(length)  # a typed password does not stay behind
        del self._octets[:length]
        return decode(frame)


def _frame(type_: FrameType, fields: Fields) -> bytes:
    payload = pack(type_, fields)
    return struct.pack("!BBH", VERSION, type_, len(payload)) + payload


def _begin_fields(begin: Begin) -> Fields:
    fields = {
        Tag.PHASE: bytes([PHASES[begin.phase]]),
        **text_field(Tag.USER, begin.user),
        **text_field(Tag.SERVICE, begin.service),
        **text_field(Tag.TTY, begin.tty),
        **text_field(Tag.RHOST, begin.rhost),
        **text_field(Tag.RUSER, begin.ruser),
        **text_field(Tag.TRANSACTION, begin.transaction),
    }
    if begin.flags:
        fields[Tag.FLAGS] = bytes([begin.flags])
    return fields


def _result_fields(result: Result) -> Fields:
    fields = {
        Tag.VERDICT: bytes([VERDICTS[result.verdict]]),
        Tag.REASON: bytes([REASONS[result.reason]]),
        **text_field(Tag.REFERENCE, result.reference),
        **text_field(Tag.TRANSACTION, result.transaction),
    }
    if not 0 <= result.delay_ms <= MAX_U32:
        raise ProtocolError("delay out of range")
    if result.delay_ms:
        fields[Tag.DELAY_MS] = struct.pack("!I", result.delay_ms)
    return fields


def _begin(fields: Fields) -> Begin:
    flags = 0
    if Tag.FLAGS in fields:
        flags = u8_of(fields, Tag.FLAGS)
        if not 0 < flags <= sum(Flag):
            raise ProtocolError("unknown flag")
    return Begin(
        phase=member_of(PHASES, u8_of(fields, Tag.PHASE)),
        user=text_of(fields, Tag.USER),
        service=text_of(fields, Tag.SERVICE),
        tty=text_of(fields, Tag.TTY),
        rhost=text_of(fields, Tag.RHOST),
        ruser=text_of(fields, Tag.RUSER),
        flags=Flag(flags),
        transaction=text_of(fields, Tag.TRANSACTION),
    )


def _ask(fields: Fields) -> Ask:
    if Tag.SHOWN in fields and u8_of(fields, Tag.SHOWN) != 1:
        raise ProtocolError("a field has no such value")
    return Ask(
        purpose=member_of(PURPOSES, u8_of(fields, Tag.PURPOSE)),
        prompt=text_of(fields, Tag.PROMPT),
        shown=Tag.SHOWN in fields,
    )


def _result(fields: Fields) -> Result:
    delay = fields.get(Tag.DELAY_MS)
    if delay is not None and (len(delay) != 4 or not any(delay)):
        raise ProtocolError("a field has no such value")
    return Result(
        verdict=member_of(VERDICTS, u8_of(fields, Tag.VERDICT)),
        reason=member_of(REASONS, u8_of(fields, Tag.REASON)),
        reference=text_of(fields, Tag.REFERENCE),
        delay_ms=0 if delay is None else int.from_bytes(delay, "big"),
        transaction=text_of(fields, Tag.TRANSACTION),
    )
