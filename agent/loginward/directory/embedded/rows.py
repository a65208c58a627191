"""The statements on the tables; those of the listing are in `listing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.core.lockout import Tally
from loginward.core.names import index_form
from loginward.core.passwords import Demands
from loginward.directory.embedded import codec
from loginward.directory.embedded.codec import RECORD_COLUMNS, TALLY_COLUMNS, Rows, moment, when

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from loginward.directory.embedded.record import Record

SELECT: Final = f"""
    SELECT {RECORD_COLUMNS}
    FROM account
    LEFT JOIN password ON password.account_id = account.id
    LEFT JOIN token ON token.account_id = account.id
    LEFT JOIN tally ON tally.account_id = account.id
    WHERE (batch IS NULL OR batch NOT IN (SELECT batch FROM unfinished))
"""  # noqa: S608  constants of ours
_PUT_ACCOUNT: Final = "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_REPLACE_ACCOUNT: Final = """
    UPDATE account SET name = ?2, name_index = ?3, display_name = ?4, mail = ?5, recovery = ?6,
        groups = ?7, created_at = ?8, state = ?9, state_since = ?10, starts_at = ?11,
        ends_at = ?12, admin_lock_id = ?13, admin_lock_since = ?14
    WHERE id = ?1
"""
_PUT_PASSWORD: Final = "INSERT OR REPLACE INTO password VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S105  a statement
_PUT_TOKEN: Final = "INSERT OR REPLACE INTO token VALUES (?, ?, ?)"  # noqa: S105  a statement
_PUT_TALLY: Final = "INSERT OR REPLACE INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_IN_FLIGHT: Final = f"SELECT account_id, {TALLY_COLUMNS} FROM tally WHERE pending <> '[]'"  # noqa: S608


def by_name(connection: sqlite3.Connection, name: str) -> Record | None:
    """Return the account of that login name, whatever its spelling."""
    return _one(connection, "AND name_index = ?", index_form(name))


def by_id(connection: sqlite3.Connection, account_id: str) -> Record | None:
    """Return the account of that id."""
    return _one(connection, "AND account.id = ?", account_id)


def in_order(
    connection: sqlite3.Connection, further: str = "", bound: Mapping[str, int | None] | None = None
) -> Iterator[Record]:
    """Yield the accounts that meet a further condition of ours, by name."""
    for row in connection.execute(f"{SELECT} {further} ORDER BY name_index", bound or {}):
        yield codec.record_of(row)


def names_and_ids(connection: sqlite3.Connection) -> tuple[set[str], set[str]]:
    """Return the index forms of the taken names, and the ids; of an unfinished import too."""
    found = connection.execute("SELECT name_index, id FROM account").fetchall()
    return {name for name, _ in found}, {account_id for _, account_id in found}


def insert(connection: sqlite3.Connection, new: Sequence[Rows], batch: str | None = None) -> None:
    """Add accounts, by themselves or with an import.

    Raises:
        sqlite3.IntegrityError: A name or id is taken.
    """
    connection.executemany(_PUT_ACCOUNT, [(*account, batch) for account, *_ in new])
    for put, at in ((_PUT_PASSWORD, 1), (_PUT_TOKEN, 2), (_PUT_TALLY, 3)):
        connection.executemany(put, [row for rows in new if (row := rows[at]) is not None])


def replace(connection: sqlite3.Connection, record: Record) -> None:
    """Write an account over what is kept of it."""
    connection.execute(_REPLACE_ACCOUNT, codec.account_row(record))
    for table, part in (("password", record.password), ("token", record.token)):
        if part is None:
            connection.execute(f"DELETE FROM {table} WHERE account_id = ?", (record.id,))  # noqa: S608
    if record.password is not None:
        connection.execute(_PUT_PASSWORD, codec.password_row(record.id, record.password))
    if record.token is not None:
        connection.execute(_PUT_TOKEN, codec.token_row(record.id, record.token))
    put_tally(connection, record.id, record.tally)


def remove(connection: sqlite3.Connection, account_id: str) -> bool:
    """Remove an account and all that belongs to it; return whether there was one."""
    found = connection.execute("DELETE FROM account WHERE id = ?", (account_id,))
    return found.rowcount == 1


def put_tally(connection: sqlite3.Connection, account_id: str, tally: Tally) -> None:
    """Write what has been counted about an account; nothing counted takes no row."""
    if tally == Tally():
        connection.execute("DELETE FROM tally WHERE account_id = ?", (account_id,))
    else:
        connection.execute(_PUT_TALLY, codec.tally_row(account_id, tally))


def in_flight(connection: sqlite3.Connection) -> tuple[tuple[str, Tally], ...]:
    """Return the accounts, by id, that have attempts which did not settle."""
    found = connection.execute(_IN_FLIGHT).fetchall()
    return tuple((row[0], codec.tally_of(row[1:])) for row in found)


def demands(connection: sqlite3.Connection) -> tuple[Demands, datetime | None] | None:
    """Return the rules known last and since when they ask for what they do; None: a new file."""
    row = connection.execute("SELECT min_length, update_by, since FROM demands").fetchone()
    if row is None:
        return None
    min_length, update_by, since = row
    known = Demands(min_length, None if update_by is None else when(update_by))
    return known, None if since is None else when(since)


def put_demands(connection: sqlite3.Connection, known: Demands, since: datetime | None) -> None:
    """Remember the rules now in force."""
    row = (
        known.min_length,
        None if known.update_by is None else moment(known.update_by),
        None if since is None else moment(since),
    )
    connection.execute("INSERT OR REPLACE INTO demands VALUES (1, ?, ?, ?)", row)


def outdate_passwords(connection: sqlite3.Connection) -> None:
    """Mark every password as set before the rules asked for more."""
    connection.execute("UPDATE password SET outdated = 1")


def _one(connection: sqlite3.Connection, where: str, value: str) -> Record | None:
    row = connection.execute(f"{SELECT} {where}", (value,)).fetchone()
    return None if row is None else codec.record_of(row)
