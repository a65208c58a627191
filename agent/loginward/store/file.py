"""The file of the local store: opened and judged, read, written, and begun anew.

What is judged: is this the file last written (a counter beside the key), and are its rows those
that its header vouches for.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from loginward.crypto.sealing import Unsealable
from loginward.errors import StoreFault
from loginward.sqlite.commits import GroupCommit
from loginward.sqlite.database import Database
from loginward.sqlite.faults import Damaged, NotWritable
from loginward.store.counter import Counter
from loginward.store.faults import FaultBook, Tampered, Unlisted
from loginward.store.header import Header
from loginward.store.rows import SealedRows
from loginward.store.schema import VERSIONS
from loginward.store.sole import SoleUse
from loginward.store.timekeeping import Mark, TrustedTime

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from loginward.crypto.keys import Keys

T = TypeVar("T")
DATABASE: Final = "store.sqlite"
_CLOCK: Final = "clock"
_MARK_EVERY_S: Final = 60
_SMALL_OCTETS: Final = 32 << 20  # looked through as a whole at every start


class StoreFile:
    """The sealed rows of one host, in their file.

    Args:
        directory: state_dir.
        counter_directory: Where the generation counter lies, beside the key.
        time: The believed time; goes on from the mark that the file holds.
    """

    def __init__(
        self, directory: Path, counter_directory: Path, keys: Keys, time: TrustedTime
    ) -> None:
        self.rows = SealedRows(keys)
        self.time = time
        self.faults = FaultBook()
        self._directory = directory
        self._sole: SoleUse | None = None
        self._path = directory / DATABASE
        self._counter = Counter(counter_directory, keys.index)
        self._counter_lock = threading.Lock()
        self._counter_written = -1
        self._database = Database(self._path, VERSIONS)
        self._commits = GroupCommit(self._database)
        self.is_open = False
        self._marked_at: datetime | None = None
        self._unwritable = False  # the last write failed
        self._distrusted = False  # frozen, and not the file last written
        self._frozen = False  # could not be written when it was opened
        self._thawed = list[Database]()  # whoever reads from one may do so to the end

    def open(self) -> None:
        """Open the file, judge whether it is the one last written, and go on with its time.

        A damaged file is set aside, and a new one begun that believes nothing of before. One that
        cannot be written is only read; what changes is kept in memory.

        Raises:
            StoreFault: It cannot be used at all; the remedy is in the fault.
        """
        self._sole = SoleUse(self._directory)
        self.is_open = True
        try:
            is_new = self._prepare()
            header, mark = self._taken_up(self._commits, is_new=is_new)
        except NotWritable as fault:
            self._open_frozen(fault)
            return
        self.repeat_counter(header.counter)
        self.time.resume(mark)
        self.tick()

    def close(self) -> None:
        """Keep the time and close the file; idempotent."""
        if not self.is_open:
            return
        self.is_open = False
        try:
            self.keep_time()
        except StoreFault as fault:
            self.note(fault)
        if self._commits.hangs:
            return  # closing would wait for it; the end of the process closes everything
        for database in (self._database, *self._thawed):
            database.close()
        if self._sole is not None:
            self._sole.release()

    @property
    def turn(self) -> int | None:
        """Return the number of the commit that is under way; None: none is."""
        return self._commits.turn

    def read(self, find: Callable[[sqlite3.Connection], T]) -> T:
        """Run statements that only read.

        Raises:
            StoreFault: What SQLite could not do, or Tampered.
        """
        if self._distrusted:
            raise Unlisted
        with self._database.reading() as connection:
            return find(connection)

    def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run statements in a shared transaction, durable on return.

        Raises:
            StoreFault: Nothing was written.
        """
        try:
            result = self._commits.run(function)
        except (NotWritable, Damaged) as fault:
            self.note(fault)
            self._unwritable = isinstance(fault, NotWritable)
            raise
        if self._unwritable:
            self._unwritable = False
            self.faults.mended(NotWritable)
        return result

    def keep_time(self) -> None:
        """Write the high-water mark of the believed time.

        Raises:
            StoreFault: It could not be written.
        """
        mark = self.time.mark()
        octets = msgspec.msgpack.encode(mark)
        self._marked_at = mark.wall  # also where writing fails: the next try is in a minute
        self.write(lambda connection: self.rows.put_aside(connection, _CLOCK, octets))

    def tick(self) -> None:
        """Write the mark if the last one is a minute old; faults are noted, not raised.

        What could not be written when it was opened is, as soon as it can be.
        """
        if self._frozen:
            self._thaw()
        marked = self._marked_at
        if marked is None or abs((self.time.now() - marked).total_seconds()) >= _MARK_EVERY_S:
            try:
                self.keep_time()
            except StoreFault as fault:
                self.note(fault)

    def purge(self) -> None:
        """Leave nothing of what was just overwritten in the write-ahead log; faults are noted."""
        try:
            self._database.purge_log()
        except StoreFault as fault:
            self.note(fault)

    def start_anew(self) -> None:
        """Forget every account; what the file held before never opens again."""

        def clear(connection: sqlite3.Connection) -> int:
            for table in ("known", "account", "aside"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  names of ours
            try:
                before = self.rows.header(connection)
            except Unsealable:
                before = Header(counter=self._counter.read() or 0)
            counter = before.counter + 1
            self.rows.put_header(connection, Header(sequence=before.sequence + 1, counter=counter))
            return counter

        self.repeat_counter(self.write(clear))
        self.faults.clear()
        self.purge()
        self.keep_time()

    def note(self, fault: StoreFault, account: str = "") -> None:
        """Keep a fault for `status`, events and `doctor`."""
        self.faults.note(fault, self.time.now(), account)

    def _prepare(self) -> bool:
        try:
            is_new = self._database.prepare()
            is_small = self._path.stat().st_size <= _SMALL_OCTETS
            self._database.check("" if is_small else "known")
        except Damaged as fault:
            self._set_aside(fault)
            return self._database.prepare()
        return is_new

    def _open_frozen(self, fault: NotWritable) -> None:
        self.note(fault)
        self._unwritable = self._frozen = True
        self._database.freeze()
        try:
            with self._database.reading() as connection:
                self._distrusted = bool(self._judged(connection)[1])
                self.time.resume(self._kept_mark(connection))
        except StoreFault as unreadable:
            self.note(unreadable)
            self._distrusted = True

    def _thaw(self) -> None:
        database = Database(self._path, VERSIONS)
        commits = GroupCommit(database)
        try:
            header, _ = self._taken_up(commits, is_new=database.prepare())
        except StoreFault:
            database.close()
            return
        self._thawed.append(self._database)
        self._database, self._commits = database, commits
        self._frozen = self._distrusted = self._unwritable = False
        self.faults.mended(NotWritable)
        self.repeat_counter(header.counter)

    def _taken_up(self, commits: GroupCommit, *, is_new: bool) -> tuple[Header, Mark | None]:
        if is_new and self._counter.read() is None:
            self._counter.write(0)  # from now on a missing counter means something
        return commits.run(self._begin)

    def _begin(self, connection: sqlite3.Connection) -> tuple[Header, Mark | None]:
        header, problem = self._judged(connection)
        if problem:
            self.note(StoreFault(problem, "`loginward cache clear` once it is understood"))
            header = self.rows.distrust(connection, header)
        counter = max(header.counter, self._counter.read() or 0) + 1
        header = header.advanced(header.total, counter=counter)
        self.rows.put_header(connection, header)
        return header, self._kept_mark(connection)

    def _kept_mark(self, connection: sqlite3.Connection) -> Mark | None:
        try:
            octets = self.rows.aside(connection, _CLOCK)
        except Tampered as fault:
            self.note(fault)
            return None
        return None if octets is None else msgspec.msgpack.decode(octets, type=Mark)

    def _judged(self, connection: sqlite3.Connection) -> tuple[Header, str]:
        """Return the header and what is wrong with the rows as a whole; empty: nothing."""
        expected = self._counter.read()
        try:
            header = self.rows.header(connection)
        except Unsealable:
            header = Header(counter=expected or 0)
            if self.rows.has_header(connection):
                return header, f"{self._path}: the header was changed, or the key is another"
            if expected:
                return header, f"{self._path}: the database of before is gone"
            return header, ""
        if expected is None:
            return header, f"{self._path}: the counter beside the key is gone or was changed"
        if header.counter < expected:
            return header, f"{self._path}: an older database was put back"
        if not self.rows.adds_up(connection, header) and not self.rows.mended(connection, header):
            return header, f"{self._path}: rows were removed or put back"
        return header, ""

    def raise_counter(self, connection: sqlite3.Connection) -> int:
        """Raise the generation counter in the file; `repeat_counter` after the commit."""
        header = self.rows.header(connection)
        header = header.advanced(header.total, counter=header.counter + 1)
        self.rows.put_header(connection, header)
        return header.counter

    def repeat_counter(self, counter: int) -> None:
        """Let the file beside the key follow the database, never overtake it."""
        with self._counter_lock:
            if counter <= self._counter_written:
                return
            try:
                self._counter.write(counter)
            except StoreFault as fault:
                self.note(fault)
                return
            self._counter_written = counter

    def _set_aside(self, fault: StoreFault) -> None:
        self.note(fault)
        self._database.close()
        for suffix in ("", "-wal", "-shm"):
            file = self._path.with_name(DATABASE + suffix)
            if file.exists():
                file.replace(self._path.with_name(f"{DATABASE}.damaged{suffix}"))
        self._database = Database(self._path, VERSIONS)
        self._commits = GroupCommit(self._database)
