"""Conversations that wait for the next Access-Request, each under a State that serves once.

Source: RFC 2865 section 5.24, RFC 5080 section 2.1.1.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.doors.radius.port import Conversation

STATE_OCTETS: Final = 16
KEPT_S: Final = 120.0  # a conversation lives as long (security.md 21)
_MOST: Final = 4000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation that something must be typed in.

    Attributes:
        client: Name of the client, and `user` the User-Name, that alone may go on.
    """

    conversation: Conversation
    client: str
    user: bytes
    until: float


class Challenges:
    """What waits; used by one thread.

    Args:
        random: Returns so many octets that nobody can guess.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._waiting: OrderedDict[bytes, Waiting] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, conversation: Conversation, client: str, user: bytes, now: float) -> bytes:
        """Let a conversation wait; return its State. `now`: seconds of CLOCK_MONOTONIC."""
        self.forget_old(now)
        state = self._random(STATE_OCTETS)
        self._waiting[state] = Waiting(conversation, client, user, now + KEPT_S)
        return state

    def take(self, state: bytes, client: str, user: bytes, now: float) -> Conversation | None:
        """Return the conversation of a State, for the last time; None: it is none of theirs.

        Who shows a State that belongs to somebody else ends nobody's conversation.
        """
        waiting = self._waiting.get(state)
        if waiting is None or (waiting.client, waiting.user) != (client, user):
            return None
        del self._waiting[state]
        if waiting.until <= now:
            waiting.conversation.hang_up()
            return None
        return waiting.conversation

    def forget_old(self, now: float) -> None:
        """End what nobody went on with, and the oldest where there are too many."""
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if now < oldest.until and len(self._waiting) < _MOST:
                return
            self._waiting.popitem(last=False)
            oldest.conversation.hang_up()
