"""What other parts come to know of accounts, for the watcher: it need not find it out by itself."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts

_MOST: Final = 10_000  # the oldest makes room: the next poll finds what it would have told


@dataclass(frozen=True, slots=True)
class Learnt:
    """The directory said something else of an account than what was known."""

    before: AccountFacts
    after: AccountFacts


@dataclass(frozen=True, slots=True)
class Stirred:
    """Something happened to an account: a lock of ours came or went, or its entry changed.

    Attributes:
        account_id: Empty: it may have been any.
    """

    account_id: str


class News:
    """A queue that wakes the watcher; safe for many threads."""

    def __init__(self) -> None:
        self._waiting = deque[Learnt | Stirred](maxlen=_MOST)
        self._came = threading.Event()

    def learnt(self, before: AccountFacts, after: AccountFacts) -> None:
        """Tell that a reading differs from the one before."""
        self._waiting.append(Learnt(before, after))
        self._came.set()

    def stirred(self, account_id: str) -> None:
        """Tell that something happened to an account; empty: to any, or to several."""
        self._waiting.append(Stirred(account_id))
        self._came.set()

    def wake(self) -> None:
        """Wake the watcher without news."""
        self._came.set()

    def wait(self, seconds: float) -> bool:
        """Wait until somebody wakes the watcher; return whether somebody did."""
        return self._came.wait(seconds)

    @property
    def is_waiting(self) -> bool:
        """Whether somebody woke the watcher and it has not taken what came."""
        return self._came.is_set()

    def take(self) -> tuple[Learnt | Stirred, ...]:
        """Return what has come, oldest first; from now on the next waits for more."""
        self._came.clear()
        taken = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return tuple(taken)
