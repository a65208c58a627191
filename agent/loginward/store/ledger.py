"""The sealed rows, changed one account at a time.

A change is durable when it returns. Where nothing can be written it is kept in memory instead,
goes into the file with the next change, of any account, or the next `flush` that can be written, and
the fault is noted.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from loginward.core.status import UserState
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
_YOUNGER: Final = 512


@dataclass(frozen=True, slots=True)
class _Younger:
    """A copy that only grew younger: the facts now, and those in the file."""

    facts: AccountFacts
    written: AccountFacts


@dataclass(frozen=True, slots=True)
class _Done:
    """What is left to do once a change is durable.

    Attributes:
        raised: The generation counter, if it was raised.
        waited: What waited in memory and is in the file now.
        others: Row keys of accounts that had the name before.
    """

    raised: int = 0
    waited: Record | None = None
    others: tuple[bytes, ...] = ()


class Ledger:
    """The records of one host."""

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._waiting = OrderedDict[bytes, Record]()  # by row key, as in the file
        self._recent = OrderedDict[bytes, Record]()  # as this process last left them
        self._younger = OrderedDict[bytes, _Younger]()
        self._moves = 0  # changes and losses, so that what was read before one is not taken for new

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
            record = self.file.read(lambda found: self.file.rows.by_id(found, account_id))
            return self._as_young(record)
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
            record = self.file.read(lambda found: self.file.rows.by_name(found, name))
            return self._as_young(record)
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

        def in_file(connection: sqlite3.Connection) -> tuple[T, _Done]:
            waiting = self._waiting.get(row_key)
            prior, doubt = waiting, False
            header = self.file.rows.header(connection)
            if waiting is None:
                prior, doubt = self._prior(connection, account_id, header, heals=heals)
            after, result = self._changed(prior, change, doubt=doubt)
            if after is None or (after is prior and waiting is None):
                return result, _Done()
            gone = self.file.rows.put(connection, after, header)
            self._remember(after)
            marked = waiting is not None or _is_marked(prior, after)
            raised = self.file.raise_counter(connection) if marked else 0
            others = tuple(other for other in gone if other != row_key)
            return result, _Done(raised, waiting, others)

        try:
            result, done = self.file.write(in_file)
        except BaseException as fault:
            self._unlearn(row_key)
            if only_durable or not isinstance(fault, NotWritable):
                raise
            return self._change_in_memory(account_id, change, heals=heals)
        if done.others:
            self.forget(done.others)
        if done.waited is not None:
            self._written(row_key, done.waited)
        if done.raised:
            self.file.repeat_counter(done.raised)
        if self._waiting and not only_durable:
            self._write_waiting()  # this one went into the file, so others do as well
        return result

    def recent(self, account_id: str) -> Record | None:
        """Return a record as this process last left it; None: not lately."""
        return self._recent.get(self._key(account_id))

    def latest(self, account_id: str) -> Record | None:
        """Return a record as this process last left it, or else what is kept; raises like `record`."""
        key = self._key(account_id)
        with self._lock:
            recent, moves = self._recent.get(key), self._moves
        if recent is not None:
            return recent
        record = self.record(account_id)
        if record is not None:
            with self._lock:
                if self._moves == moves and key not in self._waiting:
                    self._recent.setdefault(key, record)
                    self._make_room()
        return record

    def recent_first(self) -> tuple[Record, ...]:
        """Return the records lately changed, the latest first."""
        with self._lock:
            return tuple(reversed(self._recent.values()))

    def renew(self, record: Record, facts: AccountFacts) -> bool:
        """Take a copy that only grew younger; `flush` writes many of them at once.

        Returns:
            False where the record is not the latest any more: a lock may have come meanwhile.
        """
        with self._lock:
            key = self._key(facts.account_id)
            if self._recent.get(key) is not record:
                return False
            known = self._younger.get(key)
            self._younger[key] = _Younger(facts, record.facts if known is None else known.written)
            self._recent[key] = replace(record, facts=facts)
            is_full = len(self._younger) > _YOUNGER
        if is_full:
            self.flush()
        return True

    def flush(self) -> None:
        """Write what could not be written before, and the copies that grew younger.

        Faults are noted, and lose nothing but the age of copies.
        """
        self._write_waiting()
        with self._lock:
            younger, self._younger = self._younger, OrderedDict()
        if not younger:
            return

        def put(connection: sqlite3.Connection) -> None:
            for one in younger.values():
                try:
                    record = self.file.rows.by_id(connection, one.facts.account_id)
                except Tampered:
                    continue  # noted by whoever asks for it
                if record is not None and record.facts == one.written:
                    self.file.rows.put(connection, replace(record, facts=one.facts))

        try:
            self.file.write(put)
        except StoreFault as fault:
            self.file.note(fault)

    def _write_waiting(self) -> None:
        """Write what waits in memory since nothing could be written, as far as that goes now."""
        with self._lock:
            waiting = tuple(record.facts.account_id for record in self._waiting.values())
        for account_id in waiting:
            try:
                self.change(account_id, _as_it_is, only_durable=True)
            except StoreFault:
                return  # noted by whoever wrote

    def forget(self, gone: Iterable[bytes] | None = None) -> None:
        """Let go of what is in memory of rows that are gone; None: of all."""
        with self._lock:
            self._moves += 1
            for held in (self._waiting, self._recent, self._younger):
                for key in tuple(held) if gone is None else gone:
                    held.pop(key, None)

    def _key(self, account_id: str) -> bytes:
        return self.file.rows.row_key(account_id)

    def _as_young(self, record: Record | None) -> Record | None:
        """Return a record of the file with the copy that is younger than the file's."""
        if record is None:
            return None
        younger = self._younger.get(self._key(record.facts.account_id))
        if younger is None or younger.written != record.facts:
            return record
        return replace(record, facts=younger.facts)

    def _remember(self, record: Record) -> None:
        with self._lock:
            self._moves += 1
            key = self._key(record.facts.account_id)
            self._younger.pop(key, None)
            self._recent[key] = record
            self._make_room()

    def _unlearn(self, row_key: bytes) -> None:
        """Read a record again next time: what was remembered of it may not have been kept."""
        with self._lock:
            self._moves += 1
            self._recent.pop(row_key, None)

    def _make_room(self) -> None:
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
            return self._as_young(self.file.rows.by_id(connection, account_id, header)), False
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
                self._moves += 1
                self._recent.pop(row_key, None)
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


def _as_it_is(prior: Record | None) -> tuple[Record | None, None]:
    return prior, None


def _is_marked(prior: Record | None, after: Record) -> bool:
    """Return whether undoing this change by an older file would serve somebody."""
    if prior is None:
        return _holds(after) != _NOTHING
    same = prior.facts is after.facts and prior.removed == after.removed
    if same and _own_locks(prior) == _own_locks(after):
        return False
    return _holds(prior) != _holds(after)


def _own_locks(record: Record) -> list[str]:
    return [tally.lock.id for tally in record.tallies.values() if tally.lock is not None]


def _holds(record: Record) -> tuple[object, ...]:
    """Return the locks and bars of a record."""
    directory = sorted(lock.id for lock in record.facts.locks)
    return (sorted(_own_locks(record)), directory, record.removed, record.facts.state)


_NOTHING: Final[tuple[object, ...]] = ([], [], False, UserState.ACTIVE)
