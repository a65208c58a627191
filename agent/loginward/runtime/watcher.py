"""Watches the accounts that this endpoint knows: what is written, what is read, and time itself.

Each transition is one audit event with before and after; it drops what no longer holds here and is
handed to the post-unlock steps. A directory elsewhere may tell of changes as they happen; its
accounts are read again every `directory.watch.poll_s` all the same.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final, Protocol

from loginward.core.facts import status_at
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.runtime.watched_embedded import EmbeddedAccounts
from loginward.runtime.watched_known import KnownAccounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from loginward.core.transitions import Bar, Moved
    from loginward.runtime.agent import Parts

_log = logging.getLogger(__name__)
# Waiting counts neither suspended time nor a corrected clock: the moments are compared this often.
_TICK_S: Final = 1.0
# An act is written before what it changed, and a bulk of them is looked at together.
_SETTLE_S: Final = 0.03
_AFTER_FAULT_S: Final = 1.0


class Accounts(Protocol):
    """Accounts that are watched.

    Attributes:
        looked_at: When all of them had last been looked at; None: not yet.
        looks: How many accounts were looked at so far: a round over all may take long.
    """

    looked_at: datetime | None
    looks: int

    def moved(self, *, everything: bool) -> Iterator[Moved]:
        """Yield what became of them since the last call, of each in its order.

        Args:
            everything: Leave nothing for the next call.
        """

    def next_in_s(self) -> float:
        """Return how long nothing is to be expected, seconds; zero or less: something is due."""


class Watcher:
    """A thread that looks when somebody wakes it, when a moment comes, and at each poll.

    Args:
        on_barred: Told of each account that nobody may use any more, by its stable id.
    """

    def __init__(
        self, parts: Parts, on_barred: Callable[[str, Bar], None] = lambda _id, _bar: None
    ) -> None:
        self._parts = parts
        self._on_barred = on_barred
        self._accounts: Accounts
        if parts.embedded is None:
            self._accounts = KnownAccounts(parts)
        else:
            self._accounts = EmbeddedAccounts(parts, parts.embedded.telling)
        self._stopping = threading.Event()
        self._fault = ""
        self._turns = 0
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    @property
    def watched_at(self) -> datetime | None:
        """When all known accounts had last been looked at; None: not yet."""
        return self._accounts.looked_at

    @property
    def is_well(self) -> bool:
        """Whether it watches, once it has been started."""
        return self._thread.is_alive()

    @property
    def turn(self) -> object:
        """Return what changes as long as it gets on."""
        return self._turns, self._accounts.looks

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns when the look in hand has ended."""
        self._stopping.set()
        self._parts.news.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def look_now(self) -> None:
        """Wake the watcher before its time."""
        self._parts.news.wake()

    def one_pass(self) -> None:
        """Look at every account now and note what became of it; also the tests' entry."""
        for moved in self._accounts.moved(everything=True):
            self._note(moved)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._turn()

    def _turn(self) -> None:
        self._turns += 1
        try:
            self._look()
            self._fault = ""
            self._sleep()
        except (DirectoryUnavailable, StoreFault) as error:
            if str(error) != self._fault:
                self._fault = str(error)
                _log.warning("watch: %s", error)
            self._stopping.wait(_AFTER_FAULT_S)
        except Exception:  # noqa: BLE001  the thread's top: a fault of ours must not end the watch
            _log.exception("watch: fault")
            self._stopping.wait(_AFTER_FAULT_S)

    def _look(self) -> None:
        for moved in self._accounts.moved(everything=False):
            self._note(moved)
            self._turns += 1
            if self._stopping.is_set():
                return

    def _sleep(self) -> None:
        """Wait until something may have changed."""
        news = self._parts.news
        while (left_s := self._accounts.next_in_s()) > 0:
            self._turns += 1
            if news.wait(min(left_s, _TICK_S)):
                self._stopping.wait(_SETTLE_S)
                return

    def _note(self, moved: Moved) -> None:
        """Write down what happened, and let what follows from it follow."""
        parts = self._parts
        for transition in moved.transitions:
            parts.recorder.transition(
                transition,
                status_at(moved.before, moved.then),
                status_at(moved.after, moved.now),
                moved.after,
            )
            until = moved.clears_until(transition)
            parts.effects.of_transition(transition, moved.after, until)
            bar = moved.bar(transition)
            if bar is not None:
                self._on_barred(moved.after.account_id, bar)
