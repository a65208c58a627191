"""Whether protected groups can be seen by the accounts that judge by them (security.md 16).

Where directory rules hide a group from one of our accounts, its members look like everybody else:
then nothing is done to anybody, and `doctor` and `status` name the group.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection

    from loginward.core.clock import Clock
    from loginward.directory.port import Directory

REMEDY: Final = (
    "let it read the group and its members; what administrators do is refused until then"
)
_READ_S: Final = 2.5
_HOLDS_S: Final = 60.0
_PATIENCE_S: Final = 0.3  # of `status`, which waits for no directory


class Protection:
    """Asks the directory, and remembers for those who must not wait; safe for many threads."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._told: tuple[str, ...] = ()
        self._of: frozenset[str] = frozenset()
        self._again = Deadline.after(0.0, clock)
        self._looking: threading.Thread | None = None

    def hidden(self, groups: Collection[str]) -> tuple[str, ...]:
        """Return a sentence for each group that an account cannot see, asked now.

        Raises:
            DirectoryUnavailable: No answer: nothing is known of any group.
        """
        if not groups:
            return ()
        names = frozenset(groups)
        hidden = self._directory.hidden_groups(names, Deadline.after(_READ_S, self._clock))
        told = tuple(
            f"{one.account} sees no member of the protected group {one.name}" for one in hidden
        )
        with self._lock:
            self._told, self._of = told, names
            self._again = Deadline.after(_HOLDS_S, self._clock)
        return told

    def last(self, groups: Collection[str]) -> tuple[str, ...]:
        """Return what was found within the last minute, at once; else have it looked at again.

        What the directory does not tell in time is told the next time.
        """
        names = frozenset(groups)
        with self._lock:
            looking = self._looking
            if names and (names != self._of or self._again.passed) and looking is None:
                looking = threading.Thread(
                    target=self._look, args=(names,), name="protected-groups", daemon=True
                )
                looking.start()
                self._looking = looking  # it ends no sooner than it gets the lock
        if looking is not None:
            looking.join(_PATIENCE_S)
        with self._lock:
            return self._told if names == self._of else ()

    def _look(self, names: frozenset[str]) -> None:
        try:
            self.hidden(names)
        except DirectoryUnavailable:
            return  # `status` says of the directory itself what it is
        finally:
            with self._lock:
                self._looking = None
