"""Translates what SQLite raises into faults that name the file and the remedy.

Source: https://sqlite.org/rescode.html
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from loginward.errors import StoreFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BASE_CODE: Final = 0xFF  # an extended code holds its base code in the low octet


class NotWritable(StoreFault):
    """The file can be read, but nothing can be written now: full, read-only, or busy too long."""


class Damaged(StoreFault):
    """The file is not the database that it was."""


_DAMAGED: Final = "restore it from the backup, or move it away and restart"
_NOT_WRITABLE: Final = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space on its file system"),
    sqlite3.SQLITE_READONLY: ("it is read-only", "mount its file system writable"),
    sqlite3.SQLITE_IOERR: ("writing or reading failed", "look at the disk and the kernel's log"),
    sqlite3.SQLITE_BUSY: ("another process holds it", "let only one agent use it"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "check the folder and its permissions"),
    sqlite3.SQLITE_PERM: ("access is denied", "check the folder and its permissions"),
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise StoreFault for what SQLite raises inside.

    An IntegrityError passes: it is a value of the statement, not a state of the file.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise fault_of(error, path) from error


def fault_of(error: sqlite3.Error, path: Path) -> StoreFault:
    """Return the fault that an error of SQLite stands for."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _BASE_CODE
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return Damaged(f"{path}: the database is damaged", _DAMAGED)
    if code == sqlite3.SQLITE_CANTOPEN and _is_read_only(path):
        code = sqlite3.SQLITE_READONLY
    if code in _NOT_WRITABLE:
        problem, remedy = _NOT_WRITABLE[code]
        return NotWritable(f"{path}: {problem}", remedy)
    return StoreFault(f"{path}: {error}", "report this fault")


def _is_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except OSError:
        return False
