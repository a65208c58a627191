"""Ends the sessions of an account that is barred: from the watch to the NAS, and into the trail."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from loginward.core.transitions import Bar
from loginward.doors.radius.disconnect import Disconnects, Outcome, Told, Way, way_to
from loginward.doors.radius.outlet import Outlet
from loginward.runtime.askers import keeps_locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loginward.doors.radius.counters import Counters
    from loginward.doors.radius.loop import Loop
    from loginward.doors.radius.radsec.door import TlsDoor
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.sessions import Session, Sessions
    from loginward.runtime.agent import Parts

# The NAS was not to be had; its next accounting shows that it is there again.
_AGAIN: Final = frozenset({Outcome.UNANSWERED, Outcome.NO_CONNECTION})


class RadiusDisconnects:
    """Asks the NAS of each session of a barred account to end it (RFC 5176), on the door's loop.

    Args:
        rules: Returns the door's configuration in force.

    Attributes:
        tls: The clients' connections; None: all come by UDP.
    """

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        rules: Callable[[], DoorRules],
        loop: Loop,
        counters: Counters,
    ) -> None:
        self._parts = parts
        self._sessions = sessions
        self._rules = rules
        self._loop = loop
        self._counters = counters
        self._outlet = Outlet(loop, self._received)
        self._disconnects = Disconnects(self._send, loop.at, parts.clock, self._told)
        self.tls: TlsDoor | None = None

    def barred(self, account_id: str, bar: Bar) -> None:
        """End every session that began with an Accept for an account; from any thread.

        Nothing where the site has it that such a bar ends none.
        """
        if bar.value in self._rules().settings.disconnect_on:
            sessions = self._sessions.barred(account_id, bar)
            self._loop.post(partial(self._ask, sessions, bar))

    def heard_of(self, session: Session, bar: Bar) -> None:
        """End a session that could not be ended when its account was barred; on the loop's thread."""
        self._ask((session,), bar)

    def close(self) -> None:
        """Ask no more, and record what was not answered; at the end of the loop."""
        self._loop.post(self._close)

    def _ask(self, sessions: Iterable[Session], bar: Bar) -> None:
        rules, settings = self._rules(), self._parts.settings
        for session in sessions:
            kept = bar is Bar.LOCKED_BY_ADMIN and keeps_locked(settings, session.client)
            way = Outcome.KEPT if kept else way_to(session, rules, self._connection_of(session))
            self._disconnects.ask(session, bar, way)

    def _connection_of(self, session: Session) -> tuple[str, int] | None:
        if self.tls is None or not session.by_tls:
            return None
        return self.tls.connection_of(session.client, session.source)

    def _send(self, octets: bytes, way: Way) -> None:
        if not way.by_tls:
            self._outlet.send(octets, way.address)
        elif self.tls is not None:
            self.tls.send(octets, way.address)

    def received_by_tls(self, octets: bytes, sender: tuple[str, int]) -> None:
        """Take an answer that came over a connection; on the loop's thread."""
        self._disconnects.received(octets, sender, by_tls=True)

    def _received(self, datagram: bytes, sender: tuple[str, int]) -> None:
        self._disconnects.received(datagram, sender)

    def _told(self, told: Told) -> None:
        session = told.session
        self._counters.add(session.client, f"disconnect-{told.outcome.value}")
        if told.outcome.is_success:
            self._sessions.ended(session.client, session.source, session.session_id)
        elif told.outcome in _AGAIN:
            self._sessions.left(session)
        self._parts.recorder.disconnect(told)

    def _close(self) -> None:
        self._disconnects.close()
        self._outlet.close()
