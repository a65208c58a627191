"""When a known account counts as removed from the directory, and when that is not believed.

One empty answer may be a replica that lags, a changed filter or an access rule.
"""

from __future__ import annotations

import enum
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from loginward.errors import StoreFault

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts
    from loginward.store.record import Record
    from loginward.store.store import Store

_APART: Final = timedelta(seconds=60)
_TOGETHER: Final = timedelta(minutes=10)
_PERCENT: Final = 5


class MassVanishing(StoreFault):
    """More accounts vanished at once than people leave."""

    def __init__(self, vanished: int, known: int) -> None:
        super().__init__(
            f"{vanished} of {known} known accounts vanished from the directory within 10 minutes;"
            " the last copies hold",
            "check directory.users and the service account's rights; `loginward cache forget` each"
            " that really left",
        )


class Missing(enum.Enum):
    """What an empty answer for a name means."""

    HOLDS = "holds"  # not yet, or not believed: the last copy holds
    REMOVED = "removed"


class Removals:
    """Judges empty answers for accounts that this host knows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._vanished = dict[str, datetime]()  # by account id: the first empty answer
        self._held = dict[str, datetime]()  # vanished with many others, and not read since

    def missing(self, account: AccountFacts, *, canary_read: bool) -> Missing:
        """Note that the directory answered and had no such entry.

        Args:
            account: The copy of the account asked for.
            canary_read: Another known entry could be read by the same server just now.

        Raises:
            StoreFault: What is kept cannot be believed or read.
        """
        now = self._store.time.now()
        account_id = account.account_id
        record = self._store.ledger.record(account_id)
        if record is not None and record.removed:
            return Missing.REMOVED
        if record is None or not canary_read or account_id in self._held:
            return Missing.HOLDS
        if self._is_mass(account_id, now):
            return Missing.HOLDS

        def change(prior: Record | None) -> tuple[Record | None, Missing]:
            if prior is None:
                return None, Missing.HOLDS
            if prior.missing_since is None:
                return replace(prior, missing_since=now), Missing.HOLDS
            if now - prior.missing_since < _APART:
                return prior, Missing.HOLDS
            generation = prior.generation + 1
            return replace(prior, removed=True, generation=generation), Missing.REMOVED

        return self._store.ledger.change(account_id, change)

    def seen(self, account_id: str) -> None:
        """Note that an account was read: it vanished with nobody."""
        with self._lock:
            self._vanished.pop(account_id, None)
            if self._held.pop(account_id, None) is None or self._held:
                return
        self._store.file.faults.mended(MassVanishing)

    def _is_mass(self, account_id: str, now: datetime) -> bool:
        known = self._store.count()
        with self._lock:
            self._vanished.setdefault(account_id, now)
            together = {key: at for key, at in self._vanished.items() if now - at < _TOGETHER}
            self._vanished = together | {account_id: self._vanished[account_id]}
            if len(self._vanished) <= max(1, known * _PERCENT // 100):
                return False
            vanished = tuple(self._vanished)
            self._held |= self._vanished
        self._store.file.faults.mended(MassVanishing)  # of fewer
        self._store.file.note(MassVanishing(len(vanished), known))
        for each in vanished:
            self._store.ledger.change(each, _restored)
        return True


def _restored(prior: Record | None) -> tuple[Record | None, None]:
    if prior is None or (prior.missing_since is None and not prior.removed):
        return prior, None
    generation = prior.generation + prior.removed
    return replace(prior, missing_since=None, removed=False, generation=generation), None
