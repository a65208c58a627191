"""The accounts of an import: written a few at a time, seen by nobody until all are there.

A login waits for the few that are being written, never for a file of a hundred thousand. What an
import left that did not come to its end is taken away before the next one, and at the start.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from loginward.directory.embedded import rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from loginward.directory.embedded.book import Book
    from loginward.directory.embedded.codec import Rows

AT_ONCE: Final = 100  # accounts in one transaction: some milliseconds
_UNFINISHED: Final = "SELECT id FROM account WHERE batch IN (SELECT batch FROM unfinished)"


def write(
    book: Book, batch: str, accounts: Sequence[Rows], on_written: Callable[[int], None]
) -> None:
    """Add accounts, all of them or none; `on_written` is told how many more there are.

    Raises:
        sqlite3.IntegrityError: A name or id is taken; nothing was added.
        StoreFault: The file cannot be written; nothing was added.
    """
    book.write(lambda connection: _begin(connection, batch))
    for start in range(0, len(accounts), AT_ONCE):
        some = accounts[start : start + AT_ONCE]
        book.write(partial(rows.insert, new=some, batch=batch))
        on_written(len(some))
    book.write(lambda connection: _finish(connection, batch))


def drop_unfinished(book: Book) -> None:
    """Take away what imports left that did not come to their end; none may be under way.

    Raises:
        StoreFault: The file cannot be written; what is left is still seen by nobody.
        DirectoryUnavailable: The file cannot be read.
    """
    if not book.read(lambda connection: connection.execute("SELECT 1 FROM unfinished").fetchall()):
        return
    left = book.read(lambda connection: connection.execute(_UNFINISHED).fetchall())
    for start in range(0, len(left), AT_ONCE):
        book.write(partial(_remove, ids=left[start : start + AT_ONCE]))
    book.write(lambda connection: connection.execute("DELETE FROM unfinished"))


def _begin(connection: sqlite3.Connection, batch: str) -> None:
    connection.execute("INSERT INTO unfinished VALUES (?)", (batch,))


def _finish(connection: sqlite3.Connection, batch: str) -> None:
    connection.execute("DELETE FROM unfinished WHERE batch = ?", (batch,))


def _remove(connection: sqlite3.Connection, ids: Sequence[tuple[str]]) -> None:
    connection.executemany("DELETE FROM account WHERE id = ?", ids)
