"""The sealed rows, changed one account at a time.

A change is durable when it returns. Where nothing can be written it is kept in memory instead,
goes into the file with the account's next change that can be, and the fault is noted.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from loginward.errors import StoreFault
from loginward.sqlite.faults import NotWritable
from loginward.store.faults import Doubtful, Tampered, Unlisted
from loginward.store.record import Record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from loginward.core.facts import AccountFacts
    from loginward.store.file import StoreFile
    from loginward.store.header import Header

T = TypeVar("T")
_IN_MEMORY: Final = 10_000  # changes of so many accounts wait for a file that cannot be written
_RECENT: Final = 1024


@dataclass(frozen=True, slots=True)
class Recent:
    """A record as this process last left it; `written` is the copy that the file holds."""

    record: Record
    written: AccountFacts


class Ledger:
    """The records of one host."""

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._waiting = OrderedDict[bytes, Record]()  # by row key, as in the file
        self._recent = OrderedDict[bytes, Recent]()

    def record(self, account_id: str) -> Record | None:
        """Return what is kept of an account.

        Raises:
            Tampered: It cannot be believed.
            StoreFault: The file cannot be read.
        """
        waiting = self._waiting.get(self._key(account_id))
        if waiting is not None:
            return waiting
        try:
            return self.file.read(lambda connection: self.file.rows.by_id(connection, account_id))
        except Tampered as fault:
            self.file.note(fault, account_id)
            raise

    def record_by_name(self, name: str) -> Record | None:
        """Return what is kept of a name; raises like `record`."""
        key = self.file.rows.name_key(name)
        with self._lock:
            for waiting in self._waiting.values():
                if self.file.rows.name_key(waiting.facts.name) == key:
                    return waiting
        try:
            return self.file.read(lambda connection: self.file.rows.by_name(connection, name))
        except Unlisted:
            raise  # a name that nobody may ever have had is not written anywhere
        except Tampered as fault:
            self.file.note(fault, name)
            raise

    def change(
        self,
        account_id: str,
        change: Callable[[Record | None], tuple[Record | None, T]],
        *,
        heals: bool = False,
        only_durable: bool = False,
    ) -> T:
        """Change what is kept of an account, alone and durably.

        Args:
            account_id: Stable id of the directory's entry.
            change: From the record kept to the one to keep and a result; pure, may run twice.
                The very record it was given, or None, writes nothing.
            heals: Start anew, in doubt, where what is kept cannot be believed.
            only_durable: Raise where nothing can be written, instead of keeping it in memory.

        Raises:
            Tampered: What is kept cannot be believed, and this change does not heal.
            NotWritable: With `only_durable`.
            StoreFault: The file cannot be used.
        """
        row_key = self._key(account_id)

        def in_file(connection: sqlite3.Connection) -> tuple[T, int, Record | None]:
            waiting = self._waiting.get(row_key)
            prior, doubt = waiting, False
            header = self.file.rows.header(connection)
            if waiting is None:
                prior, doubt = self._prior(connection, account_id, header, heals=heals)
            after, result = self._changed(prior, change, doubt=doubt)
            if after is None or (after is prior and waiting is None):
                return result, 0, None
            gone = self.file.rows.put(connection, after, header)
            self._remember(after, after.facts, gone)
            raised = self.file.raise_counter(connection) if _is_marked(prior, after) else 0
            return result, raised, waiting

        try:
            result, raised, waited = self.file.write(in_file)
        except StoreFault as fault:
            with self._lock:
                self._recent.pop(row_key, None)
            if only_durable or not isinstance(fault, NotWritable):
                raise
            return self._change_in_memory(account_id, change, heals=heals)
        if waited is not None:
            self._written(row_key, waited)
        if raised:
            self.file.repeat_counter(raised)
        return result

    def recent(self, account_id: str) -> Recent | None:
        """Return a record as this process last left it; None: not lately."""
        return self._recent.get(self._key(account_id))

    def recent_first(self) -> tuple[Record, ...]:
        """Return the records lately changed, the latest first."""
        with self._lock:
            return tuple(recent.record for recent in reversed(self._recent.values()))

    def renew(self, recent: Recent, facts: AccountFacts) -> None:
        """Keep a copy that only grew younger, in memory alone."""
        with self._lock:
            key = self._key(facts.account_id)
            if self._recent.get(key) is recent:
                self._recent[key] = replace(recent, record=replace(recent.record, facts=facts))

    def forget(self, gone: Iterable[bytes] | None = None) -> None:
        """Let go of what is in memory of rows that are gone; None: of all."""
        with self._lock:
            for key in tuple(self._waiting.keys() | self._recent.keys()) if gone is None else gone:
                self._waiting.pop(key, None)
                self._recent.pop(key, None)

    def _key(self, account_id: str) -> bytes:
        return self.file.rows.row_key(account_id)

    def _remember(self, record: Record, written: AccountFacts, gone: Iterable[bytes]) -> None:
        with self._lock:
            key = self._key(record.facts.account_id)
            for other in gone:
                self._recent.pop(other, None)
                if other != key:  # another account had the name
                    self._waiting.pop(other, None)
            self._recent[key] = Recent(record, written)
            while len(self._recent) > _RECENT:
                self._recent.popitem(last=False)

    def _prior(
        self,
        connection: sqlite3.Connection,
        account_id: str,
        header: Header | None = None,
        *,
        heals: bool,
    ) -> tuple[Record | None, bool]:
        try:
            return self.file.rows.by_id(connection, account_id, header), False
        except Tampered as fault:
            self.file.note(fault, account_id)
            if not heals:
                raise
            return None, True

    def _prior_unwritable(self, account_id: str, *, heals: bool) -> tuple[Record | None, bool]:
        try:
            return self.file.read(
                lambda connection: self._prior(connection, account_id, heals=heals)
            )
        except StoreFault:
            if not heals:
                raise
            return None, True  # not even readable: what was counted is unknown

    def _changed(
        self,
        prior: Record | None,
        change: Callable[[Record | None], tuple[Record | None, T]],
        *,
        doubt: bool,
    ) -> tuple[Record | None, T]:
        gaps = self.file.time.gaps
        aged = prior.aged(gaps) if prior is not None else None
        after, result = change(aged)
        if after is aged:  # nothing to write, and what the gaps shift may yet be vouched for
            after = prior
        if doubt and after is not None:
            after = replace(after, doubt=True)
        return after, result

    def _change_in_memory(
        self,
        account_id: str,
        change: Callable[[Record | None], tuple[Record | None, T]],
        *,
        heals: bool,
    ) -> T:
        row_key = self._key(account_id)
        with self._lock:
            prior, doubt = self._waiting.get(row_key), False
            if prior is None:
                prior, doubt = self._prior_unwritable(account_id, heals=heals)
            after, result = self._changed(prior, change, doubt=doubt)
            if after is not None and after is not prior:
                self._waiting[row_key] = after
                while len(self._waiting) > _IN_MEMORY:
                    self._waiting.popitem(last=False)
        return result

    def _written(self, row_key: bytes, waited: Record) -> None:
        """Drop a change from memory once the file holds it, unless another came on top."""
        with self._lock:
            if self._waiting.get(row_key) is waited:
                del self._waiting[row_key]


def undoubted(record: Record) -> Record:
    """Return a record whose counters can be relied on.

    Raises:
        Doubtful: They were lost, so a lock may have been.
    """
    if record.doubt:
        raise Doubtful
    return record


def _is_marked(prior: Record | None, after: Record) -> bool:
    """Return whether undoing this change by an older file would serve somebody."""
    if prior is None:
        return bool(_holds(after))
    return _holds(prior) != _holds(after)


def _holds(record: Record) -> tuple[object, ...] | None:
    """Return the locks and bars of a record; None where there are none."""
    locks = tuple(sorted(t.lock.id for t in record.tallies.values() if t.lock is not None))
    directory = tuple(sorted(lock.id for lock in record.facts.locks))
    bars = (locks, directory, record.removed, record.facts.state.value)
    return None if bars == ((), (), False, "active") else bars
