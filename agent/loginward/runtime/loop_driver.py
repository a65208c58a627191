"""Carries out the login machine's commands on an event loop: what may wait is done by a thread."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from loginward.core import decide
from loginward.core.commands import Ask, Done

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.commands import Command
    from loginward.core.login import Login
    from loginward.runtime.cases import Case
    from loginward.runtime.driver import ThreadDriver

_log = logging.getLogger(__name__)


class Loop(Protocol):
    """The thread that must not wait."""

    def post(self, act: Callable[[], None]) -> None:
        """Do something soon, on that thread; from any thread."""


class Judges(Protocol):
    """The threads that may."""

    def offer(self, job: Callable[[], None], *, continuing: bool) -> bool:
        """Have a job done; False: too many wait already."""


class LoopDriver:
    """Drives logins to their next question or their end without waiting for it."""

    def __init__(self, threads: ThreadDriver, loop: Loop, judges: Judges) -> None:
        self._threads = threads
        self._loop = loop
        self._judges = judges

    def run(
        self,
        login: Login,
        command: Command,
        case: Case,
        came: Callable[[Ask | Done], None],
        *,
        continuing: bool,
    ) -> bool:
        """Have commands carried out until something must be typed or the login has ended.

        Args:
            came: Called once on the loop's thread; maybe before this returns.
            continuing: The login has begun already, so that it goes before those that have not.

        Returns:
            False: too many logins wait; `came` is never called.
        """
        if isinstance(command, Ask | Done):
            came(command)
            return True

        def job() -> None:
            end: Ask | Done = Done(decide.malformed())
            try:
                end = self._threads.run(login, command, case)
            except Exception:  # noqa: BLE001  the driver's one place: a fault of ours lets nobody in
                _log.exception("a login could not be judged")
            self._loop.post(lambda: came(end))

        return self._judges.offer(job, continuing=continuing)
