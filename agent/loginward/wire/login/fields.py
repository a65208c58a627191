"""The fields inside a frame of the login socket.

Source: agent/native/lw_protocol.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.errors import ProtocolError
from loginward.wire.login.values import (
    FIELD_OCTETS,
    MAX_REFERENCE,
    MAX_TEXT,
    MAX_TRANSACTION,
    FrameType,
    Tag,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Fields = dict[Tag, bytes]


@dataclass(frozen=True, slots=True)
class _Shape:
    """The tags that a frame type must and may hold."""

    must: frozenset[Tag]
    may: frozenset[Tag] = frozenset()


_SHAPES: Final[Mapping[FrameType, _Shape]] = {
    FrameType.BEGIN: _Shape(
        frozenset({Tag.PHASE, Tag.USER, Tag.SERVICE}),
        frozenset({Tag.TTY, Tag.RHOST, Tag.RUSER, Tag.FLAGS, Tag.TRANSACTION}),
    ),
    FrameType.ANSWER: _Shape(frozenset({Tag.TYPED})),
    FrameType.ASK: _Shape(frozenset({Tag.PURPOSE}), frozenset({Tag.PROMPT, Tag.SHOWN})),
    FrameType.INFO: _Shape(frozenset({Tag.TEXT})),
    FrameType.ERROR: _Shape(frozenset({Tag.TEXT})),
    FrameType.RESULT: _Shape(
        frozenset({Tag.VERDICT, Tag.REASON}),
        frozenset({Tag.TRANSACTION, Tag.REFERENCE, Tag.DELAY_MS}),
    ),
}

_LIMITS: Final[Mapping[Tag, int]] = {
    Tag.REFERENCE: MAX_REFERENCE,
    Tag.TRANSACTION: MAX_TRANSACTION,
}


def pack(type_: FrameType, fields: Fields) -> bytes:
    """Return the payload of these fields.

    Raises:
        ProtocolError: A field is missing.
    """
    if not _SHAPES[type_].must <= fields.keys():
        raise ProtocolError("a field is missing")
    return b"".join(  # the bounds of texts and of what is typed keep it below MAX_PAYLOAD
        struct.pack("!BH", tag, len(value)) + value for tag, value in sorted(fields.items())
    )


def unpack(type_: FrameType, payload: bytes) -> Fields:
    """Return the fields of a payload.

    Raises:
        ProtocolError: Unknown or repeated or missing tags, or octets that belong to no field.
    """
    shape = _SHAPES[type_]
    fields: Fields = {}
    at, last = 0, 0
    while at < len(payload):
        if len(payload) - at < FIELD_OCTETS:
            raise ProtocolError("trailing octets")
        tag, length = struct.unpack_from("!BH", payload, at)
        at += FIELD_OCTETS
        if tag <= last or length > len(payload) - at:
            raise ProtocolError("tag out of order, or a field longer than its frame")
        if tag not in shape.must and tag not in shape.may:
            raise ProtocolError("unknown tag")
        fields[Tag(tag)] = payload[at : at + length]
        at, last = at + length, tag
    if not shape.must <= fields.keys():
        raise ProtocolError("a field is missing")
    return fields


def text_field(tag: Tag, text: str) -> Fields:
    """Return the field of a text, or no field where the text is empty.

    Raises:
        ProtocolError: It is too long, holds NUL or cannot be UTF-8.
    """
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise ProtocolError("a text cannot be UTF-8") from None
    if not octets:
        return {}
    _check_text(tag, octets)
    return {tag: octets}


def text_of(fields: Fields, tag: Tag) -> str:
    """Return a text, empty where it was not sent.

    Raises:
        ProtocolError: It is sent empty, is too long, holds NUL or is not UTF-8.
    """
    octets = fields.get(tag)
    if octets is None:
        return ""
    _check_text(tag, octets)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise ProtocolError("a text is not UTF-8") from None


def u8_of(fields: Fields, tag: Tag) -> int:
    """Return a number of one octet.

    Raises:
        ProtocolError: The field has another size.
    """
    if len(fields[tag]) != 1:
        raise ProtocolError("a number of another size")
    return fields[tag][0]


_Member = TypeVar("_Member", Phase, Purpose, Verdict, Reason)


def member_of(numbers: Mapping[_Member, int], number: int) -> _Member:
    """Return what a number stands for.

    Raises:
        ProtocolError: It stands for nothing.
    """
    for member, value in numbers.items():
        if value == number:
            return member
    raise ProtocolError("a field has no such value")


def _check_text(tag: Tag, octets: bytes) -> None:
    if not 0 < len(octets) <= _LIMITS.get(tag, MAX_TEXT) or 0 in octets:
        raise ProtocolError("a text is empty, too long or holds NUL")
