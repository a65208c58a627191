"""Disconnect-Requests under way: asked of the NAS, asked again, and what its answer means.

Source: RFC 5176 sections 2.3 (retransmission), 3 (identification), 3.5 (Error-Cause) and 6.3
(Event-Timestamp). No sockets here: what is sent and when goes through two callables.
"""

from __future__ import annotations

import enum
import itertools
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.clients import TLS_SECRET
from loginward.errors import ProtocolError
from loginward.wire.radius.attributes import Attribute, ErrorCause, as_integer, integer
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.signing import NotAuthenticError, check_reply, seal_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.core.transitions import Bar
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.sessions import Session
    from loginward.wire.radius.signing import SharedSecret

WAITS_S: Final = (1.0, 2.0, 4.0, 4.0)  # for an answer to each transmission
MOST_AT_A_NAS: Final = 32  # in flight; an identifier has 256 values, and a NAS small buffers


class Outcome(enum.Enum):
    """What became of a Disconnect-Request."""

    ACKNOWLEDGED = "acknowledged"
    NOT_THERE = "not-there"  # Error-Cause 503: the session has ended already
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNSIGNED = "unsigned"  # what answered does not know the secret
    KEPT = "kept"  # the client lets in who is locked (R53)
    NEVER = "never"  # coa: null
    NO_SECRET = "no-secret"  # noqa: S105  an outcome: nothing could sign it
    NO_CONNECTION = "no-connection"  # it comes by TLS, and is not connected now
    MOVED = "moved"  # a reload took the address of the session's accounting from its client

    @property
    def is_success(self) -> bool:
        """Whether the session is known to have ended."""
        return self in {Outcome.ACKNOWLEDGED, Outcome.NOT_THERE}


@dataclass(frozen=True, slots=True)
class Way:
    """Where a session's NAS is asked, and what signs it.

    Attributes:
        by_tls: Over the connection that comes from there.
    """

    address: tuple[str, int]
    secret: SharedSecret
    by_tls: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The end of one request.

    Attributes:
        bar: What barred the account.
        address: Where the NAS was asked; empty: nowhere.
        cause: Error-Cause of a refusal; None: it gave none.
    """

    session: Session
    bar: Bar
    outcome: Outcome
    address: str = ""
    cause: int | None = None


@dataclass(slots=True, eq=False)
class _Asked:
    """One request: waiting for its turn, in flight, or over."""

    session: Session
    bar: Bar
    way: Way
    nas: _Nas
    request: Packet | None = None
    sent: int = 0
    is_over: bool = False
    was_unsigned: bool = False

    @property
    def key(self) -> tuple[str, str, bytes]:
        return self.session.client, self.session.source, self.session.session_id


@dataclass(slots=True)
class _Nas:
    """What one NAS is asked, by identifier, and what has to wait."""

    in_flight: dict[int, _Asked] = field(default_factory=dict)
    waiting: deque[_Asked] = field(default_factory=deque)


def way_to(
    session: Session, rules: DoorRules, connection: tuple[str, int] | None = None
) -> Way | Outcome:
    """Return where the NAS of a session is asked, or why it cannot be.

    It is the address that the session's accounting came from, and only while it is the client's.

    Args:
        connection: Where the client's connection by TLS comes from; None: it has none now.
    """
    client = rules.clients.find(session.source)
    if client is None or client.name != session.client:
        return Outcome.MOVED
    if client.settings.coa is None:
        return Outcome.NEVER
    if session.by_tls:
        if connection is None:
            return Outcome.NO_CONNECTION
        return Way(connection, TLS_SECRET, by_tls=True)
    if client.coa_secret is None:
        return Outcome.NO_SECRET
    return Way((session.source, client.settings.coa.port), client.coa_secret)


class Disconnects:
    """The requests of all NAS; for one thread.

    Args:
        send: Sends octets on a way; what UDP loses is sent again.
        at: Does something at a moment of CLOCK_MONOTONIC, in seconds.
        tell: Told once of each request how it ended.
    """

    def __init__(
        self,
        send: Callable[[bytes, Way], None],
        at: Callable[[float, Callable[[], None]], None],
        clock: Clock,
        tell: Callable[[Told], None],
    ) -> None:
        self._send = send
        self._at = at
        self._clock = clock
        self._tell = tell
        self._nas: dict[tuple[str, int, bool], _Nas] = {}  # by address and whether by TLS
        self._asked: set[tuple[str, str, bytes]] = set()
        self._identifiers = itertools.count()

    def ask(self, session: Session, bar: Bar, way: Way | Outcome) -> None:
        """Have a session ended; nothing if that is under way already."""
        if isinstance(way, Outcome):
            self._tell(Told(session, bar, way))
            return
        nas = self._nas.setdefault((*way.address, way.by_tls), _Nas())
        asked = _Asked(session, bar, way, nas)
        if asked.key in self._asked:
            return
        self._asked.add(asked.key)
        nas.waiting.append(asked)
        self._fill(nas)

    def received(self, datagram: bytes, address: tuple[str, int], *, by_tls: bool = False) -> None:
        """Take an answer; what answers nothing is let go."""
        nas = self._nas.get((*address, by_tls))
        if nas is None or len(datagram) < 2:
            return
        asked = nas.in_flight.get(datagram[1])
        if asked is None or asked.request is None:
            return
        try:
            reply = decode(datagram)
            check_reply(reply, asked.request, asked.way.secret)
        except NotAuthenticError:
            asked.was_unsigned = True
            return
        except ProtocolError:
            return
        self._answered(asked, reply)

    def close(self) -> None:
        """Ask no more; what is under way was not answered."""
        for nas in list(self._nas.values()):
            left = (*nas.in_flight.values(), *nas.waiting)
            nas.waiting.clear()
            for asked in left:
                self._end(asked, Outcome.UNANSWERED)

    def _answered(self, asked: _Asked, reply: Packet) -> None:
        if reply.code is Code.DISCONNECT_ACK:
            self._end(asked, Outcome.ACKNOWLEDGED)
            return
        cause = as_integer(reply.first(Attribute.ERROR_CAUSE))
        gone = cause == ErrorCause.SESSION_NOT_FOUND
        self._end(asked, Outcome.NOT_THERE if gone else Outcome.REFUSED, cause)

    def _fill(self, nas: _Nas) -> None:
        while nas.waiting and len(nas.in_flight) < MOST_AT_A_NAS:
            asked = nas.waiting.popleft()
            numbers = (number % 256 for number in self._identifiers)
            identifier = next(number for number in numbers if number not in nas.in_flight)
            asked.request = decode(self._sealed(asked, identifier))
            nas.in_flight[identifier] = asked
            self._transmit(asked, asked.request)

    def _sealed(self, asked: _Asked, identifier: int) -> bytes:
        """Return the request: it names the session as its accounting did, and says when it is."""
        now = integer(Attribute.EVENT_TIMESTAMP, int(self._clock.now().timestamp()))
        attributes = asked.session.named + now
        return seal_request(Code.DISCONNECT_REQUEST, identifier, attributes, asked.way.secret)

    def _transmit(self, asked: _Asked, request: Packet) -> None:
        self._send(request.raw, asked.way)
        wait_s = sum(WAITS_S) if asked.way.by_tls else WAITS_S[asked.sent]
        due = self._clock.monotonic() + wait_s
        asked.sent += 1
        self._at(due, partial(self._again, asked, request))

    def _again(self, asked: _Asked, request: Packet) -> None:
        """Send the same octets again, so that a NAS which has acted on them only answers again.

        Not over TLS, which loses nothing (RFC 6613 section 2.6.1).
        """
        if asked.is_over:
            return
        if asked.sent < len(WAITS_S) and not asked.way.by_tls:
            self._transmit(asked, request)
        else:
            self._end(asked, Outcome.UNSIGNED if asked.was_unsigned else Outcome.UNANSWERED)

    def _end(self, asked: _Asked, outcome: Outcome, cause: int | None = None) -> None:
        asked.is_over = True
        self._asked.discard(asked.key)
        nas = asked.nas
        if asked.request is not None:
            del nas.in_flight[asked.request.identifier]
        if not nas.in_flight and not nas.waiting:
            self._nas.pop((*asked.way.address, asked.way.by_tls), None)
        host, port = asked.way.address
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._tell(Told(asked.session, asked.bar, outcome, shown, cause))
        self._fill(nas)
