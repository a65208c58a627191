"""One database file: how connections are made, and which schema version they find.

WAL with synchronous=FULL: a commit that returned survives power loss
(https://sqlite.org/pragma.html#pragma_synchronous); NORMAL could lose the last counted attempt.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from loginward.errors import StoreFault
from loginward.sqlite.faults import Damaged, NotWritable, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BUSY_MS: Final = 5000
_CACHE_KIB: Final = 256  # for each thread; the kernel keeps the pages for all
_POLICY: Final = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS: a plain fsync does not reach the platter
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    f"PRAGMA cache_size = -{_CACHE_KIB}",
)


class _Mine:
    """What a thread holds of its connection: gone when the thread has ended."""

    __slots__ = ("__weakref__", "connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection


class Database:
    """A SQLite file of ours, with one connection a thread, closed when the thread ends.

    Args:
        versions: Scripts that lead from schema version n to n + 1; their number is our version.
    """

    def __init__(self, path: Path, versions: Sequence[str]) -> None:
        self.path = path
        self._versions = tuple(versions)
        self._frozen = ""
        self._local = threading.local()
        self._opened = list[sqlite3.Connection]()
        self._lock = threading.Lock()

    @property
    def version(self) -> int:
        """The schema version of this program."""
        return len(self._versions)

    def prepare(self) -> bool:
        """Create the file (0600) or bring its schema up to date; return whether it is new.

        Raises:
            StoreFault: It was written by a newer program, is damaged, or cannot be written.
        """
        is_new = self._create_file()
        with self.transaction() as connection:
            found = _schema_version(connection)
            if found > self.version:
                raise StoreFault(
                    f"{self.path}: schema version {found} is newer than this program's"
                    f" {self.version}",
                    "install the newer program again",
                )
            for number in range(found, self.version):
                _run_script(connection, self._versions[number])
            if found < self.version:
                connection.execute(f"PRAGMA user_version = {self.version}")
        return is_new or found == 0

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection, opened on first use.

        Raises:
            StoreFault: The file cannot be opened.
        """
        mine: _Mine | None = getattr(self._local, "mine", None)
        if mine is None:
            mine = _Mine(self.open_connection())
            self._local.mine = mine
            # A thread may live for one question only: what it opened must not outlive it.
            weakref.finalize(mine, self._let_go, mine.connection).atexit = False
        return mine.connection

    def open_connection(self) -> sqlite3.Connection:
        """Open one more connection; whoever asks sees that one thread at a time uses it.

        Raises:
            StoreFault: The file cannot be opened.
        """
        with translated(self.path):
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}{self._frozen}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_MS / 1000,
            )
            try:
                for pragma in () if self._frozen else _POLICY:
                    connection.execute(pragma)
            except sqlite3.Error:
                connection.close()
                raise
        with self._lock:
            self._opened.append(connection)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction of this thread's connection: all of it, durably, or nothing.

        Raises:
            StoreFault: What SQLite could not do; nothing was written.
        """
        connection = self.connection()
        with translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                roll_back(connection)
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read one state of the file, however many statements that takes.

        Raises:
            StoreFault: What SQLite could not do.
        """
        connection = self.connection()
        with translated(self.path):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                roll_back(connection)

    def freeze(self) -> None:
        """Only read from now on, as on a file system that cannot be written.

        Without a write-ahead log the file is whole by itself, and SQLite need not make an index
        beside it (https://sqlite.org/uri.html#uriimmutable).
        """
        self.close()
        log = self.path.with_name(f"{self.path.name}-wal")
        self._frozen = "?mode=ro" if log.exists() and log.stat().st_size else "?immutable=1"

    def check(self, table: str = "") -> None:
        """Look a table through, or the whole file.

        Raises:
            Damaged: SQLite found pages that do not fit together.
        """
        scope = f"('{table}')" if table else "(1)"
        with self.reading() as connection:
            (said,) = connection.execute(f"PRAGMA integrity_check{scope}").fetchone()
        if said != "ok":
            raise Damaged(f"{self.path}: {said}", "restore it from the backup, or start anew")

    def purge_log(self) -> None:
        """Move the write-ahead log into the file and empty it, so that no old row stays there.

        Raises:
            StoreFault: What SQLite could not do.
        """
        with translated(self.path):
            self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Close every connection; idempotent. No thread may be using one."""
        with self._lock:
            opened, self._opened = self._opened, []
        for connection in opened:
            connection.close()
        self._local = threading.local()

    def _let_go(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._opened = [one for one in self._opened if one is not connection]
        connection.close()

    def _create_file(self) -> bool:
        """Create it before SQLite does: log and index inherit its mode, whatever the umask."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            self._check_file()
            return False
        except OSError as error:
            raise NotWritable(f"{self.path}: {error.strerror}", "check the folder") from error
        os.close(descriptor)
        return True

    def _check_file(self) -> None:
        seen = os.lstat(self.path)
        if not stat.S_ISREG(seen.st_mode):
            raise StoreFault(f"{self.path}: not a regular file", "move it away")
        if stat.S_IMODE(seen.st_mode) & 0o077:
            raise StoreFault(f"{self.path}: others can read it", f"chmod 0600 {self.path}")


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction without keeping it; SQLite may have done so already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _schema_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _run_script(connection: sqlite3.Connection, script: str) -> None:
    """Run statements one by one: executescript would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    if statement.strip():
        raise ValueError("a schema script ends inside a statement")
