"""What is wrong with the local store, kept until it is mended: for `status`, events and `doctor`."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.errors import StoreFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_MOST: Final = 200


class Tampered(StoreFault):
    """What is kept of an account is not what was written; nothing of it is believed."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, "a fresh read replaces it; `loginward cache forget` removes it")


class Unlisted(Tampered):
    """A name is not kept, and rows are known to be missing: it may have been."""

    def __init__(self) -> None:
        super().__init__("rows may be missing: the database was changed or put back")


class Doubtful(StoreFault):
    """What was counted about an account was lost, so a lock may have been."""

    def __init__(self) -> None:
        super().__init__(
            "what was counted about this account was changed or put back",
            "`loginward unlock` the account, or `loginward cache forget` it",
        )


@dataclass(frozen=True, slots=True)
class Noted:
    """One fault.

    Attributes:
        account: Name or keyed id of the account it concerns; empty: the store as a whole.
        at: When it was first seen, aware UTC.
    """

    account: str
    problem: str
    remedy: str
    at: datetime
    kind: type[StoreFault]


class FaultBook:
    """Keeps faults, each once, the oldest making room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted = dict[tuple[str, str], Noted]()
        self._tell: Callable[[Noted], None] | None = None

    def watch(self, tell: Callable[[Noted], None]) -> None:
        """Tell of each fault once, those kept already too; `tell` must not wait."""
        with self._lock:
            self._tell = tell
            known = tuple(self._noted.values())
        for noted in known:
            tell(noted)

    def note(self, fault: StoreFault, at: datetime, account: str = "") -> None:
        """Keep a fault; one that is kept already stays as it was first seen."""
        noted = Noted(account, fault.problem, fault.remedy, at, type(fault))
        with self._lock:
            key = (account, fault.problem)
            is_new = key not in self._noted
            if is_new:
                self._noted[key] = noted
            while len(self._noted) > _MOST:
                del self._noted[next(iter(self._noted))]
        if is_new and self._tell is not None:
            self._tell(noted)

    def mended(self, kind: type[StoreFault]) -> None:
        """Forget the faults of a kind."""
        with self._lock:
            kept = {key: noted for key, noted in self._noted.items() if noted.kind is not kind}
            self._noted = kept

    def forget(self, account: str) -> None:
        """Forget the faults of an account."""
        with self._lock:
            for key in [key for key in self._noted if key[0] == account]:
                del self._noted[key]

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._noted.clear()

    def all(self) -> tuple[Noted, ...]:
        """Return the faults, oldest first."""
        with self._lock:
            return tuple(self._noted.values())
