"""What the login door asks of the runtime: turns of a conversation, in values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loginward.core.reasons import Reason, Verdict
    from loginward.core.requests import LoginRequest, Purpose
    from loginward.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Info:
    """A line to show (PAM_TEXT_INFO), or an error line (PAM_ERROR_MSG)."""

    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTurn:
    """Something must be typed before the conversation goes on."""

    purpose: Purpose
    prompt: str
    shown: bool = False
    infos: tuple[Info, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTurn:
    """The end of a conversation.

    Attributes:
        reference: Six characters by which `why --ref` finds the event.
        delay_ms: How long the client lets the person wait (pam_fail_delay), milliseconds.
        transaction: To be sent with a later account phase.
        infos: Lines to show first, errors and warnings.
    """

    verdict: Verdict
    reason: Reason
    reference: str
    delay_ms: int = 0
    transaction: str = ""
    infos: tuple[Info, ...] = ()


class Conversation(Protocol):
    """One request being answered; a value with a deadline (120 s), not a waiting thread."""

    def answer(self, typed: Secret) -> AskTurn | ResultTurn:
        """Go on with what was typed; blocks while the daemon owes an answer (at most 3 s)."""

    def hang_up(self) -> None:
        """The client is gone; a check in flight is still settled."""


class LoginService(Protocol):
    """The runtime, seen from the login door."""

    def begin(self, request: LoginRequest) -> tuple[AskTurn | ResultTurn, Conversation]:
        """Start judging a request; never raises for what the request says."""
