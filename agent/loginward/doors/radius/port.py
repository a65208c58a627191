"""What the RADIUS door asks of the runtime: conversations judged turn by turn, in values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.reasons import Reason, Verdict
    from loginward.core.requests import LoginRequest
    from loginward.core.secret import Secret


@dataclass(frozen=True, slots=True)
class AskTurn:
    """Something more must be typed: an Access-Challenge.

    Attributes:
        prompt: What the person reads, with why the last answer was not taken.
    """

    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTurn:
    """The end of a conversation.

    Attributes:
        reason: The true one, whatever the person may be told.
        message: What the person may read (Reply-Message); empty: nothing.
        account_id: Stable id of the account; empty where there is none.
        name: As the directory spells it.
        due_at: When the password falls due, aware UTC: no session may outlive it.
    """

    verdict: Verdict
    reason: Reason
    message: str = ""
    account_id: str = ""
    name: str = ""
    groups: frozenset[str] = field(default_factory=frozenset)
    due_at: datetime | None = None


Told = Callable[[AskTurn | ResultTurn], None]
"""Called once, by the loop's thread, with what came of it; within 3 s."""


class Conversation(Protocol):
    """One login being judged; a value between two packets, not a waiting thread.

    Neither method waits. Each returns False where too many logins wait already: then nothing is
    ever told.
    """

    def begin(self, password: Secret | None, told: Told, *, continuing: bool = False) -> bool:
        """Judge a first password, or without one the account alone.

        Args:
            continuing: Much has been done for this login already, such as a handshake.
        """

    def answer(self, typed: Secret, told: Told) -> bool:
        """Go on with what was typed."""

    def hang_up(self) -> None:
        """Nobody will go on; what was typed is forgotten."""


class RadiusService(Protocol):
    """The runtime, seen from the RADIUS door."""

    def converse(self, request: LoginRequest) -> Conversation:
        """Return a conversation about a request; nothing has been judged yet."""

    def is_usable(self) -> bool:
        """Whether logins can be judged at all now, for Status-Server; no I/O."""
