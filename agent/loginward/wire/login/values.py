"""What travels over the login socket, as values, and the numbers of it.

Source: agent/native/lw_protocol.h, which fixes every number; a test holds both sides to it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginward.core.secret import Secret

VERSION: Final = 1
HEADER_OCTETS: Final = 4
FIELD_OCTETS: Final = 3
MAX_PAYLOAD: Final = 8192
MAX_TEXT: Final = 1024
MAX_REFERENCE: Final = 16
MAX_TRANSACTION: Final = 64
MAX_TYPED: Final = 8189
MAX_U32: Final = 2**32 - 1


class FrameType(enum.IntEnum):
    """What a frame is; the first two come from the client."""

    BEGIN = 1
    ANSWER = 2
    ASK = 17
    INFO = 18
    ERROR = 19
    RESULT = 20


class Tag(enum.IntEnum):
    """What a field is."""

    PHASE = 1
    USER = 2
    SERVICE = 3
    TTY = 4
    RHOST = 5
    RUSER = 6
    FLAGS = 7
    TRANSACTION = 8
    TYPED = 16
    PURPOSE = 32
    PROMPT = 33
    SHOWN = 34
    TEXT = 48
    VERDICT = 64
    REASON = 65
    REFERENCE = 66
    DELAY_MS = 67


class Flag(enum.IntFlag):
    """What a BEGIN says beside its texts."""

    SILENT = 1
    DISALLOW_NULL = 2
    FORWARDED = 4


PHASES: Final[Mapping[Phase, int]] = {phase: n for n, phase in enumerate(Phase, 1)}
PURPOSES: Final[Mapping[Purpose, int]] = {purpose: n for n, purpose in enumerate(Purpose, 1)}
VERDICTS: Final[Mapping[Verdict, int]] = {verdict: n for n, verdict in enumerate(Verdict, 1)}
REASONS: Final[Mapping[Reason, int]] = {reason: n for n, reason in enumerate(Reason, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A client's question; empty texts are absent ones."""

    phase: Phase
    user: str
    service: str
    tty: str = ""
    rhost: str = ""
    ruser: str = ""
    flags: Flag = field(default=Flag(0))
    transaction: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was typed at the last ASK."""

    typed: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Something must be typed; an empty prompt leaves the words to the client."""

    purpose: Purpose
    prompt: str = ""
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A line to show: INFO, or ERROR."""

    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The end of a conversation; `delay_ms` is how long a refused person waits."""

    verdict: Verdict
    reason: Reason
    reference: str = ""
    delay_ms: int = 0
    transaction: str = ""


Message = Begin | Answer | Ask | Notice | Result
