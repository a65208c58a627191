"""Checks in flight: equal passwords of one account share one, and who waits is told of an end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.core.evidence import NoVerdict
from loginward.crypto.tags import equal

if TYPE_CHECKING:
    from loginward.core.clock import Deadline
    from loginward.core.evidence import Checked
    from loginward.core.secret import Secret
    from loginward.crypto.tags import Tagger


@dataclass(slots=True)
class Flight:
    """One check on its way, led by the request that came first."""

    account_id: str
    tag: bytes
    landed: threading.Event = field(default_factory=threading.Event)
    checked: Checked = field(default_factory=lambda: NoVerdict("abandoned"))


class Flights:
    """The checks in flight of all accounts; safe for many threads."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._ends = 0
        self._by_account: dict[str, list[Flight]] = {}

    def join(
        self, account_id: str, password: Secret, deadline: Deadline
    ) -> Flight | Checked | None:
        """Lead a new flight, or wait for an equal password's and return what it showed.

        Returns:
            A Flight that the caller must `land`; or the verdict of an equal one; or None where
            that one did not land before the deadline.
        """
        tag = self._tagger.full(account_id.encode(), password.reveal())
        with self._lock:
            mine = self._led(account_id, tag)
            if mine is not None:
                return mine
            same = next(f for f in self._by_account[account_id] if equal(f.tag, tag))
        return same.checked if same.landed.wait(deadline.left) else None

    def lead(self, account_id: str, password: Secret) -> Flight | None:
        """Lead a new flight; None: an equal password of the account is in flight already."""
        tag = self._tagger.full(account_id.encode(), password.reveal())
        with self._lock:
            return self._led(account_id, tag)

    def land(self, flight: Flight, checked: Checked) -> None:
        """End a flight; everybody who joined gets this verdict."""
        with self._lock:
            others = self._by_account.get(flight.account_id, [])
            others[:] = [f for f in others if f is not flight]
            if not others:
                self._by_account.pop(flight.account_id, None)
        flight.checked = checked
        flight.landed.set()
        self.note_end()

    def note_end(self) -> None:
        """Tell who waits that an attempt has ended, be it a flight or one that nobody can join."""
        with self._lock:
            self._ends += 1
            self._ended.notify_all()

    def ends(self) -> int:
        """Return how many attempts have ended; give it to `wait_for_end`."""
        with self._lock:
            return self._ends

    def wait_for_end(self, seen: int, deadline: Deadline) -> bool:
        """Wait until another attempt has ended; False: none did before the deadline."""
        with self._lock:
            return self._ended.wait_for(lambda: self._ends != seen, timeout=deadline.left)

    def _led(self, account_id: str, tag: bytes) -> Flight | None:
        others = self._by_account.setdefault(account_id, [])
        if any(equal(flight.tag, tag) for flight in others):
            return None
        mine = Flight(account_id, tag)
        others.append(mine)
        return mine
