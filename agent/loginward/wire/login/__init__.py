"""The wire of the login socket, version 1."""

from loginward.wire.login.frames import Decoder, decode, encode
from loginward.wire.login.values import (
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

__all__ = [
    "Answer",
    "Ask",
    "Begin",
    "Decoder",
    "Flag",
    "FrameType",
    "Message",
    "Notice",
    "Result",
    "Tag",
    "decode",
    "encode",
]
