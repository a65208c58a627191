"""Watches the accounts this endpoint knows: re-reads them, and lets time itself pass.

Each transition is one audit event with before and after; it drops what no longer holds here and is
handed to the post-unlock steps. Polling only; push comes with the watch of the directory.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts, status_at
from loginward.core.transitions import Transition, transition_between
from loginward.errors import DirectoryUnavailable, StoreFault

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.runtime.agent import Parts

_log = logging.getLogger(__name__)
_READ_BUDGET_S = 2.5
_LIST_S = 30.0
_FEW = 50
_PROBE_EVERY_S, _PROBE_S = 0.25, 0.8  # a directory that is away is asked again soon


class Watcher:
    """A thread that wakes every `directory.watch.poll_s`, or sooner when something falls due.

    Attributes:
        watched_at: When all known accounts had last been looked at; None: not yet.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.watched_at: datetime | None = None
        self._seen: dict[str, tuple[AccountFacts, datetime]] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    @property
    def _poll_s(self) -> float:
        return float(self._parts.settings.directory.watch.poll_s)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns when the pass in hand has ended."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def look_now(self) -> None:
        """Wake the watcher before its time."""
        self._wake.set()

    def one_pass(self) -> None:
        """Re-read every known account once and note what changed; also the tests' entry."""
        accounts = self._accounts()
        for account in accounts:
            self._look_at(account)
            # Paced over half the interval, so that a thousand accounts do not stand in the way
            # of somebody who waits for a login.
            if self._stopping.wait(pace_s(len(accounts), self._poll_s)):
                return
        self.watched_at = self._parts.clock.now()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.one_pass()
            except (DirectoryUnavailable, StoreFault) as error:
                _log.warning("watch: %s", error)
            except Exception:  # noqa: BLE001  the thread's top: a fault of ours must not end the watch
                _log.exception("watch: fault")
            self._sleep()
            self._wake.clear()

    def _sleep(self) -> None:
        """Wait until something may have changed; where no server answers, find out when one does.

        So it is the watcher who waits for a server that is silent, and seldom a login.
        """
        clock, left_s = self._parts.clock, self._next_in_s()
        until = clock.monotonic() + left_s
        while left_s > 0 and not self._wake.wait(min(left_s, _PROBE_EVERY_S)):
            if self._is_away() and self._answers_again():
                return
            left_s = until - clock.monotonic()

    def _is_away(self) -> bool:
        servers = self._parts.directory.health()
        return bool(servers) and not any(server.usable for server in servers)

    def _answers_again(self) -> bool:
        account, _ = next(iter(self._seen.values()), (None, None))
        if account is None:
            return False
        try:
            self._parts.directory.read(account, Deadline.after(_PROBE_S, self._parts.clock))
        except DirectoryUnavailable:
            return False
        return True

    def _look_at(self, account: AccountFacts) -> None:
        parts = self._parts
        before = self._seen.get(account.account_id, (account, account.read_at))
        now_facts = self._read(account)
        now = parts.clock.now()
        if now_facts is None:
            return
        transitions = transition_between(before[0], now_facts, before[1], now)
        self._seen[account.account_id] = (now_facts, now)
        for transition in transitions:
            self._note(transition, before, now_facts, now)

    def _accounts(self) -> tuple[AccountFacts, ...]:
        """Return the accounts to look at: the copies, or every embedded account."""
        parts = self._parts
        if parts.embedded is None:
            return parts.knowledge.accounts()
        return parts.directory.accounts(Deadline.after(_LIST_S, parts.clock)).accounts

    def _read(self, account: AccountFacts) -> AccountFacts | None:
        """Return the facts now; the ones known while the directory does not answer."""
        parts = self._parts
        deadline = Deadline.after(_READ_BUDGET_S, parts.clock)
        try:
            facts = parts.directory.read(account, deadline)
        except DirectoryUnavailable:
            return account
        if facts is None:
            return parts.knowledge.gone(account, deadline)
        return parts.knowledge.learn(facts)

    def _note(
        self,
        transition: Transition,
        before: tuple[AccountFacts, datetime],
        after: AccountFacts,
        now: datetime,
    ) -> None:
        parts = self._parts
        parts.recorder.transition(
            transition, status_at(before[0], before[1]), status_at(after, now), after
        )
        parts.effects.of_transition(transition, after)

    def _next_in_s(self) -> float:
        """Return how long to sleep: until the poll, or the next end of a lock or due date."""
        now = self._parts.clock.now()
        moments = [
            (moment - now).total_seconds()
            for facts, _ in self._seen.values()
            for moment in _moments(facts)
            if moment > now
        ]
        return min([self._poll_s, *(max(0.05, s) for s in moments)])


def pace_s(accounts: int, poll_s: float) -> float:
    """Return the pause between two accounts of one pass, seconds; none where there are few."""
    return 0.0 if accounts < _FEW else poll_s / 2 / accounts


def _moments(facts: AccountFacts) -> list[datetime]:
    moments = [lock.until for lock in facts.locks if lock.until is not None]
    moments += [due.at for due in facts.due]
    moments += [at for at in (facts.starts_at, facts.ends_at) if at is not None]
    return moments
