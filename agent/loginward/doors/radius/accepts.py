"""What an Access-Accept gives beside the answer: the rule's attributes, a Class, an end in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.doors.radius.asked import text_of
from loginward.wire.radius.attributes import Attribute, attribute, integer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.doors.radius.exchange import Exchange
    from loginward.doors.radius.port import ResultTurn
    from loginward.doors.radius.sessions import Sessions

CLASS_MARK: Final = b"lw1:"
_CLASS_OCTETS: Final = 16


class Accepts:
    """Makes the attributes of Access-Accepts and lets sessions be known by their Class.

    Args:
        random: Returns so many octets that nobody can guess.
    """

    def __init__(self, sessions: Sessions, clock: Clock, random: Callable[[int], bytes]) -> None:
        self._sessions = sessions
        self._clock = clock
        self._random = random

    def attributes(self, exchange: Exchange, result: ResultTurn) -> bytes:
        """Return the attributes of an Accept, encoded; the session may begin with it."""
        _, reply = exchange.rules.rule_for(result.groups, exchange.client.name)
        class_ = CLASS_MARK + self._random(_CLASS_OCTETS)
        self._sessions.accepted(
            class_,
            exchange.client.name,
            result,
            text_of(exchange.packet.first(Attribute.CALLING_STATION_ID)),
        )
        pieces = [reply.octets, attribute(Attribute.CLASS, class_)]
        seconds = session_s(reply.session_timeout_s, result.due_at, self._clock.now())
        if seconds is not None:
            pieces.append(integer(Attribute.SESSION_TIMEOUT, seconds))
        return b"".join(pieces)


def session_s(configured_s: int | None, due_at: datetime | None, now: datetime) -> int | None:
    """Return how long a session may last: never past the moment the password falls due.

    Args:
        due_at: Aware UTC; None: never.
        now: Aware UTC.
    """
    if configured_s is None or due_at is None:
        return configured_s
    left_s = (due_at - now).total_seconds()
    return max(1, min(configured_s, int(left_s))) if left_s > 0 else configured_s
