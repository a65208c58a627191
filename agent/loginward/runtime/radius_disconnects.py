"""Ends the sessions of an account that is barred: from the watch to the NAS, and into the trail."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from loginward.core.transitions import Bar
from loginward.doors.radius.disconnect import Disconnects, Outcome, Told, way_to
from loginward.doors.radius.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loginward.core.clock import Clock
    from loginward.doors.radius.counters import Counters
    from loginward.doors.radius.loop import Loop
    from loginward.doors.radius.rules import DoorRules
    from loginward.doors.radius.sessions import Session, Sessions
    from loginward.runtime.recorder import Recorder


class RadiusDisconnects:
    """Asks the NAS of each session of a barred account to end it (RFC 5176), on the door's loop.

    Args:
        rules: Returns the configuration in force.
        keeps_locked: Whether a client, by its name, lets people in although they are locked.
    """

    def __init__(
        self,
        sessions: Sessions,
        rules: Callable[[], DoorRules],
        keeps_locked: Callable[[str], bool],
        loop: Loop,
        clock: Clock,
        counters: Counters,
        recorder: Recorder,
    ) -> None:
        self._sessions = sessions
        self._rules = rules
        self._keeps_locked = keeps_locked
        self._loop = loop
        self._counters = counters
        self._recorder = recorder
        self._outlet = Outlet(loop, self._received)
        self._disconnects = Disconnects(self._outlet.send, loop.at, clock, self._told)

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
        rules = self._rules()
        for session in sessions:
            kept = bar is Bar.LOCKED_BY_ADMIN and self._keeps_locked(session.client)
            way = Outcome.KEPT if kept else way_to(session, rules)
            self._disconnects.ask(session, bar, way)

    def _received(self, datagram: bytes, sender: tuple[str, int]) -> None:
        self._disconnects.received(datagram, sender)

    def _told(self, told: Told) -> None:
        session = told.session
        self._counters.add(session.client, f"disconnect-{told.outcome.value}")
        if told.outcome.is_success:
            self._sessions.ended(session.client, session.source, session.session_id)
        elif told.outcome is Outcome.UNANSWERED:  # its next accounting shows that the NAS is there
            self._sessions.left(session)
        self._recorder.disconnect(told)

    def _close(self) -> None:
        self._disconnects.close()
        self._outlet.close()
