"""Carries out the login machine's commands on an event loop, where nothing may wait.

What is at hand is done at once, a bind is awaited by the loop, and what may wait is left to a
thread, from where it is needed to the end of the turn.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol

from loginward.core import decide
from loginward.core.commands import (
    Ask,
    Command,
    Done,
    Event,
    Means,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Settled,
    Unmoved,
    Verify,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.evidence import Checked
    from loginward.core.login import Login
    from loginward.directory.port import LoopChecks
    from loginward.runtime.attempting import AttemptDesk
    from loginward.runtime.cases import Case
    from loginward.runtime.driver import ThreadDriver
    from loginward.runtime.gather import Gatherer

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
    """Drives logins to their next question or their end without waiting for it.

    Args:
        checks: Checks passwords from the loop; None: a thread does.
    """

    def __init__(
        self,
        threads: ThreadDriver,
        gatherer: Gatherer,
        desk: AttemptDesk,
        loop: Loop,
        judges: Judges,
        checks: LoopChecks | None,
    ) -> None:
        self._threads = threads
        self._gatherer = gatherer
        self._desk = desk
        self._loop = loop
        self._judges = judges
        self._checks = checks

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
        left = _Turn(self, login, case, came).go_on(command)
        return left is None or self.leave_to_thread(login, left, case, came, continuing=continuing)

    def leave_to_thread(
        self,
        login: Login,
        command: Command,
        case: Case,
        came: Callable[[Ask | Done], None],
        *,
        continuing: bool,
    ) -> bool:
        """Have the rest done by a thread; False: too many wait, and nothing will be."""

        def job() -> None:
            end: Ask | Done = Done(decide.malformed())
            try:
                end = self._threads.run(login, command, case)
            except Exception:  # noqa: BLE001  the driver's one place: a fault of ours lets nobody in
                _log.exception("a login could not be judged")
            self._loop.post(lambda: came(end))

        offered = self._judges.offer(job, continuing=continuing)
        if not offered:
            self._desk.abandon(case, None)
        return offered

    def at_once(self, command: Command, case: Case) -> Event | None:
        """Return what a command comes to where that needs nobody; None: it has to wait.

        What was reserved here is counted in memory, and so is settled here.
        """
        match command:
            case ReadFacts(name, False):
                return self._gatherer.at_hand(name, case)
            case Reserve():
                return self._desk.reserve_at_once(command, case)
            case Recheck(reading, False) if self._gatherer.holds_at_hand(reading, case):
                return Unmoved()
            case Settle():
                return Settled(self._desk.settle(command, case))
            case _:
                return None

    def check(self, command: Verify, case: Case, told: Callable[[Checked], None]) -> bool:
        """Have the loop await a check of the directory; False: it cannot."""
        if self._checks is None or command.means is not Means.DIRECTORY:
            return False
        budget = case.deadline.sooner(case.in_force.settings.directory.budget_s)
        self._checks.check(command.reading.facts, command.password, budget, told)
        return True

    def abandon(self, case: Case, command: Command | None) -> None:
        """Let nobody wait for what a fault cut short; nothing otherwise."""
        checking = command.reading.facts if isinstance(command, Verify) else None
        self._desk.abandon(case, checking)


class _Turn:
    """One login on its way from an answer of the person to the next question or the end."""

    def __init__(
        self, driver: LoopDriver, login: Login, case: Case, came: Callable[[Ask | Done], None]
    ) -> None:
        self._driver = driver
        self._login = login
        self._case = case
        self._came = came

    def go_on(self, command: Command, event: Event | None = None) -> Command | None:
        """Go as far as the loop can; return the command that a thread must carry out, or None.

        Args:
            event: What the command has come to already.
        """
        driver, case = self._driver, self._case
        try:
            if event is not None:
                command = self._login.resume(event)
            while not isinstance(command, Ask | Done):
                event = driver.at_once(command, case)
                if event is None:
                    return None if self._is_checking(command) else command
                command = self._login.resume(event)
        except Exception:  # noqa: BLE001  the driver's one place: a fault of ours lets nobody in
            _log.exception("a login could not be judged")
            driver.abandon(case, command)
            command = Done(decide.malformed())
        else:
            driver.abandon(case, None)
        self._came(command)
        return None

    def _is_checking(self, command: Command) -> bool:
        if not isinstance(command, Verify):
            return False
        return self._driver.check(command, self._case, partial(self._checked, command))

    def _checked(self, command: Verify, checked: Checked) -> None:
        left = self.go_on(command, checked)
        if left is None:
            return
        left_to = self._driver.leave_to_thread(
            self._login, left, self._case, self._came, continuing=True
        )
        if not left_to:
            self._came(Done(decide.malformed()))
