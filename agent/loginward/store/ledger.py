"""The sealed rows, changed one account at a time.

A change is durable when it returns. Where nothing can be written it is kept in memory instead and
the fault is noted. The next change that can be written, of any account, takes some of what waits
along, and the next `flush` takes the rest.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from loginward.core.status import UserState
from loginward.errors import StoreFault
from loginward.sqlite.faults import NotWritable
from loginward.store.faults import Doubtful, Tampered, Unlisted
from loginward.store.record import Record
from loginward.store.unwritten import MOST, Unwritten

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from loginward.core.facts import AccountFacts
    from loginward.store.file import StoreFile
    from loginward.store.header import Header

T = TypeVar("T")
_Batch = tuple[tuple[bytes, Record], ...]
_AT_ONCE: Final = 256  # records that waited, in one transaction: what a login may meet
_RECENT: Final = 4096
_YOUNGER: Final = 512


@dataclass(frozen=True, slots=True)
class _Younger:
    """A copy that only grew younger: the facts now, and those in the file."""

    facts: AccountFacts
    written: AccountFacts


@dataclass(slots=True)
class _Made(Generic[T]):
    """What a transaction made of an account so far.

    Attributes:
        before: What the file did not hold before; None: it held all.
        after: The record to keep; None: there is none, or the transaction has not come so far.
        result: Of the change, where `after` is one.
        raised: The generation counter, if it was raised.
        others: Row keys of accounts that had the name before.
        is_over: Whoever asked for the change goes on without: it must not be made any more.
    """

    before: Record | None = None
    after: Record | None = None
    result: T | None = None
    raised: int = 0
    others: tuple[bytes, ...] = ()
    is_over: bool = False


class Ledger:
    """The records of one host."""

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._unwritten = Unwritten(file.rows.name_key)
        self._catching_up = threading.Lock()  # one login at a time pays for what waited
        self._recent = OrderedDict[bytes, Record]()  # by row key, as this process last left them
        self._younger = OrderedDict[bytes, _Younger]()
        self._moves = 0  # changes and losses, so that what was read before one is not taken for new

    def record(self, account_id: str) -> Record | None:
        """Return what is kept of an account.

        Raises:
            Tampered: It cannot be believed.
            StoreFault: The file cannot be read.
        """
        unwritten = self._unwritten.get(self._key(account_id))
        if unwritten is not None:
            return unwritten
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
            unwritten = self._unwritten.by_name(key)
        if unwritten is not None:
            return unwritten
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
        key = self._key(account_id)
        made = _Made[T]()

        def in_file(connection: sqlite3.Connection) -> T:
            header = self.file.rows.header(connection)
            known, doubt = self._unwritten.get(key), False
            if known is None:
                known, doubt = self._prior(connection, account_id, header, heals=heals)
            prior, after, result = self._make(key, made, known, change, doubt=doubt)
            if after is not None:
                gone = self.file.rows.put(connection, after, header)
                made.others = tuple(other for other in gone if other != key)
                if self._unwritten.is_owed(key) or _is_marked(prior, after):
                    made.raised = self.file.raise_counter(connection)
            return result

        try:
            result = self.file.write(in_file)
        except BaseException as fault:
            if self._keeps(key, made, wanted=not only_durable and isinstance(fault, NotWritable)):
                return cast("T", made.result)
            if only_durable or made.after is not None or not isinstance(fault, NotWritable):
                raise
            return self._change_in_memory(account_id, change, heals=heals)
        self._note_written(key, made)
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
                if self._moves == moves and self._unwritten.get(key) is None:
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
        while self._write_some():
            pass
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

    def _write_some(self) -> bool:
        """Write some of what could not be written before; return whether there is more to try."""

        def put(connection: sqlite3.Connection) -> tuple[_Batch, set[bytes], int]:
            with self._lock:
                batch = self._unwritten.owed(_AT_ONCE)
            gone = set[bytes]()
            for key, record in batch:
                gone.update(one for one in self.file.rows.put(connection, record) if one != key)
            return batch, gone, self.file.raise_counter(connection) if batch else 0

        if not self._unwritten.is_owing:
            return False
        try:
            batch, gone, raised = self.file.write(put)
        except StoreFault:
            return False  # it has been noted
        with self._lock:
            for key, record in batch:
                self._unwritten.written(key, record)
        self.forget(gone)
        self.file.repeat_counter(raised)
        return True

    def forget(self, gone: Iterable[bytes] | None = None) -> None:
        """Let go of what is in memory of rows that are gone; None: of all."""
        with self._lock:
            self._moves += 1
            if gone is None:
                for held in (self._unwritten, self._recent, self._younger):
                    held.clear()
                return
            for key in gone:
                self._unwritten.forget(key)
                self._recent.pop(key, None)
                self._younger.pop(key, None)

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

    def _make(
        self,
        key: bytes,
        made: _Made[T],
        known: Record | None,
        change: Callable[[Record | None], tuple[Record | None, T]],
        *,
        doubt: bool,
    ) -> tuple[Record | None, Record | None, T]:
        """Change a record that is about to be written.

        Returns:
            The record before, the one to write (None: there is nothing to), and the result.
        """
        with self._lock:
            if made.is_over:
                raise NotWritable("nobody waits for this change any more")
            before = self._unwritten.get(key)
            prior = known if before is None else before
            after, result = self._changed(prior, change, doubt=doubt and before is None)
            if after is None or (after is prior and before is None):
                return prior, None, result
            self._unwritten.put(key, after)
            made.before, made.after, made.result = before, after, result
            self._moves += 1
            self._younger.pop(key, None)
            self._recent[key] = after
            self._make_room()
            return prior, after, result

    def _note_written(self, key: bytes, made: _Made[T]) -> None:
        """Let follow what does once a change is durable."""
        if made.others:
            self.forget(made.others)
        if made.after is not None:
            with self._lock:
                self._unwritten.written(key, made.after)
        if made.raised:
            self.file.repeat_counter(made.raised)
        if self._unwritten.is_owing and self._catching_up.acquire(blocking=False):
            try:
                self._write_some()  # this one went into the file, so others do as well
            finally:
                self._catching_up.release()

    def _keeps(self, key: bytes, made: _Made[T], *, wanted: bool) -> bool:
        """Keep a change in memory that a transaction made and could not write, or take it back."""
        with self._lock:
            made.is_over = True
            self._moves += 1
            self._recent.pop(key, None)  # it may not have been kept
            if made.after is None:
                return False
            if wanted and self._unwritten.owe(key):
                return True
            self._unwritten.take_back(key, made.after, made.before)
        if wanted:
            self.file.note(_no_room())
        return False

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
        key = self._key(account_id)
        with self._lock:
            before = self._unwritten.get(key)
            prior, doubt = before, False
            if before is None:
                prior, doubt = self._prior_unwritable(account_id, heals=heals)
            after, result = self._changed(prior, change, doubt=doubt)
            if after is None or after is prior:
                return result
            self._moves += 1
            self._recent.pop(key, None)
            self._unwritten.put(key, after)
            if self._unwritten.owe(key):
                return result
            self._unwritten.take_back(key, after, before)
        fault = _no_room()
        self.file.note(fault)
        raise fault


def undoubted(record: Record) -> Record:
    """Return a record whose counters can be relied on.

    Raises:
        Doubtful: They were lost, so a lock may have been.
    """
    if record.doubt:
        raise Doubtful
    return record


def _no_room() -> NotWritable:
    return NotWritable(
        f"what was counted of {MOST} accounts waits for the disk, and no more is taken:"
        " whoever else would be counted here is refused",
        "free some space on its file system",
    )


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
