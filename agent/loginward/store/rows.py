"""The sealed rows: found by keyed account id or keyed name, believed only where all fits."""

from __future__ import annotations

import hmac
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from loginward.core.names import index_form
from loginward.crypto.sealing import Place, Sealer, Unsealable
from loginward.crypto.tags import keyed
from loginward.store.faults import Tampered, Unlisted
from loginward.store.header import Header, leaf, read_header, total_of, write_header
from loginward.store.record import Record, decode, encode
from loginward.store.schema import VERSIONS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from loginward.crypto.keys import Keys

_FIND: Final = """
    SELECT known.row_key, known.name_key, known.sequence, account.sequence, account.sealed
    FROM known LEFT JOIN account ON account.row_key = known.row_key
"""
_LISTED: Final = "SELECT row_key, name_key, sequence FROM known WHERE row_key = ? OR name_key = ?"
_SAME: Final = "SELECT sequence FROM known WHERE row_key = ? AND name_key = ?"
_UPDATE_KNOWN: Final = "UPDATE known SET sequence = ? WHERE row_key = ?"
_INSERT_KNOWN: Final = "INSERT INTO known VALUES (?, ?, ?)"
_PUT_ACCOUNT: Final = "INSERT OR REPLACE INTO account VALUES (?, ?, ?)"
_KEYS_KEPT: Final = 4096
_SEQUENCES: Final = 1 << 62
_Found = tuple[object, object, object, object, object]  # a damaged page may hold anything


class SealedRows:
    """Statements on sealed rows; every call runs in a transaction of its caller's."""

    def __init__(self, keys: Keys) -> None:
        self._index = keys.index
        self._sealer = Sealer(keys.sealing)
        self.row_key = lru_cache(_KEYS_KEPT)(self._row_key)
        self.name_key = lru_cache(_KEYS_KEPT)(self._name_key)

    def _row_key(self, account_id: str) -> bytes:
        """Return under what an account is kept."""
        return keyed(self._index, b"account", account_id.encode())

    def _name_key(self, name: str) -> bytes:
        """Return under what a name is kept, whatever its spelling."""
        return keyed(self._index, b"name", index_form(name).encode("utf-8", "surrogatepass"))

    def header(self, connection: sqlite3.Connection) -> Header:
        """Return the header; raises Unsealable if it cannot be believed."""
        return read_header(connection, self._sealer)

    def has_header(self, connection: sqlite3.Connection) -> bool:
        """Return whether there is a header, believed or not: a database without one is new."""
        return connection.execute("SELECT 1 FROM header").fetchone() is not None

    def put_header(self, connection: sqlite3.Connection, header: Header) -> None:
        """Write the header."""
        write_header(connection, self._sealer, header)

    def adds_up(self, connection: sqlite3.Connection, header: Header) -> bool:
        """Return whether the known rows are those that the header vouches for."""
        return hmac.compare_digest(total_of(self._index, _known(connection)), header.total)

    def mended(self, connection: sqlite3.Connection, header: Header) -> bool:
        """Restore the known rows from the sealed ones, if the header vouches for those."""
        restored = []
        for row_key, sequence, sealed in connection.execute("SELECT * FROM account"):
            try:
                plain = self._sealer.unseal(_place(header, row_key, sequence), sealed)
                restored.append((row_key, self.name_key(decode(plain).facts.name), sequence))
            except (Unsealable, ValueError, TypeError, AttributeError, OverflowError):
                return False
        total = total_of(self._index, restored)
        if not hmac.compare_digest(total, header.total):
            return False
        connection.execute("DELETE FROM known")
        connection.executemany("INSERT INTO known VALUES (?, ?, ?)", restored)
        return True

    def distrust(self, connection: sqlite3.Connection, header: Header) -> Header:
        """Return a header for the rows as found, none of which is believed from now on."""
        rows = _known(connection)
        sequence = max([header.sequence, *(row[2] for row in rows)]) + 1
        total = total_of(self._index, rows)
        return replace(header, sequence=sequence, total=total, suspect_below=sequence)

    def by_id(
        self, connection: sqlite3.Connection, account_id: str, header: Header | None = None
    ) -> Record | None:
        """Return the record of an account.

        Args:
            connection: In a transaction.
            account_id: Stable id of the directory's entry.
            header: If it was read in this transaction already.

        Raises:
            Tampered: There should be one, and it cannot be believed.
        """
        row_key = self.row_key(account_id)
        found = connection.execute(f"{_FIND} WHERE known.row_key = ?", (row_key,)).fetchone()
        return self._believed(connection, found, header)

    def by_name(self, connection: sqlite3.Connection, name: str) -> Record | None:
        """Return the record of a name.

        Raises:
            Tampered: There should be one, and it cannot be believed.
        """
        name_key = self.name_key(name)
        found = connection.execute(f"{_FIND} WHERE known.name_key = ?", (name_key,)).fetchone()
        return self._believed(connection, found)

    def all(self, connection: sqlite3.Connection) -> Iterator[Record | Tampered]:
        """Yield every record, and for one that cannot be believed its fault."""
        header = self.header(connection)
        for found in connection.execute(_FIND):
            try:
                yield self._record(header, found)
            except Tampered as fault:
                yield fault

    def count(self, connection: sqlite3.Connection) -> int:
        """Return how many accounts are known."""
        (count,) = connection.execute("SELECT count(*) FROM known").fetchone()
        return int(count)

    def put(
        self, connection: sqlite3.Connection, record: Record, header: Header | None = None
    ) -> tuple[bytes, ...]:
        """Write a record; whatever else was kept of its id or its name is gone.

        Args:
            connection: In a transaction.
            record: What to keep.
            header: If it was read in this transaction already.

        Returns:
            The row keys whose rows are no longer as they were.
        """
        row_key = self.row_key(record.facts.account_id)
        name_key = self.name_key(record.facts.name)
        header = header or self.header(connection)
        sequence = header.sequence + 1
        sealed = self._sealer.seal(_place(header, row_key, sequence), encode(record))
        same = connection.execute(_SAME, (row_key, name_key)).fetchone()
        if same is not None:  # the usual case touches least
            rows = [(row_key, name_key, same[0])]
            connection.execute(_UPDATE_KNOWN, (sequence, row_key))
        else:
            rows = _listed(connection, row_key, name_key)
            _remove(connection, rows)
            connection.execute(_INSERT_KNOWN, (row_key, name_key, sequence))
        connection.execute(_PUT_ACCOUNT, (row_key, sequence, sealed))
        removed = sum(leaf(self._index, *row) for row in rows)
        total = header.replaced(removed, leaf(self._index, row_key, name_key, sequence))
        self.put_header(connection, header.advanced(total))
        return tuple(row[0] for row in rows)

    def delete(
        self, connection: sqlite3.Connection, row_key: bytes, name_key: bytes
    ) -> tuple[bytes, ...]:
        """Remove what is kept of an id or a name; return the row keys that are gone."""
        rows = _listed(connection, row_key, name_key)
        if not rows:
            return ()
        header = self.header(connection)
        _remove(connection, rows)
        total = header.replaced(sum(leaf(self._index, *row) for row in rows), 0)
        self.put_header(connection, header.advanced(total))
        return tuple(row[0] for row in rows)

    def aside(self, connection: sqlite3.Connection, name: str) -> bytes | None:
        """Return a sealed value that belongs to no account; None: never written.

        Raises:
            Tampered: It cannot be believed.
        """
        row = connection.execute(
            "SELECT sequence, sealed FROM aside WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            return None
        incarnation = self.header(connection).incarnation
        place = Place(len(VERSIONS), "aside", incarnation + name.encode(), row[0])
        try:
            return self._sealer.unseal(place, row[1])
        except Unsealable as error:
            raise Tampered(error.problem) from error

    def put_aside(self, connection: sqlite3.Connection, name: str, octets: bytes) -> None:
        """Keep a value that belongs to no account."""
        header = self.header(connection)
        header = header.advanced(header.total)
        place = Place(len(VERSIONS), "aside", header.incarnation + name.encode(), header.sequence)
        sealed = self._sealer.seal(place, octets)
        row = (name, header.sequence, sealed)
        connection.execute("INSERT OR REPLACE INTO aside VALUES (?, ?, ?)", row)
        self.put_header(connection, header)

    def _believed(
        self, connection: sqlite3.Connection, found: _Found | None, header: Header | None = None
    ) -> Record | None:
        try:
            header = header or self.header(connection)
        except Unsealable as error:
            raise Tampered(error.problem) from error
        if found is not None:
            return self._record(header, found)
        if header.suspect_below:
            raise Unlisted
        return None

    def _record(self, header: Header, found: _Found) -> Record:
        row_key, name_key, known, written, sealed = found
        if written is None or sealed is None:
            raise Tampered("the row of a known account is missing")
        if not isinstance(row_key, bytes) or not isinstance(sealed, bytes):
            raise Tampered("the row is damaged")
        if not isinstance(known, int) or known <= header.suspect_below:
            raise Tampered("the row is of a database that was changed or put back")
        if known != written:
            raise Tampered("the row is older than what is known of it")
        try:
            record = decode(self._sealer.unseal(_place(header, row_key, known), sealed))
        except Unsealable as error:
            raise Tampered(error.problem) from error
        except ValueError as error:
            raise Tampered("the row cannot be read by this program") from error
        facts = record.facts
        if (self.row_key(facts.account_id), self.name_key(facts.name)) != (row_key, name_key):
            raise Tampered("the row is another account's")
        return record


def _listed(
    connection: sqlite3.Connection, row_key: bytes, name_key: bytes
) -> list[tuple[bytes, bytes, int]]:
    """Return the known rows of an id or a name."""
    return connection.execute(_LISTED, (row_key, name_key)).fetchall()


def _remove(connection: sqlite3.Connection, rows: list[tuple[bytes, bytes, int]]) -> None:
    keys = [row[:1] for row in rows]
    connection.executemany("DELETE FROM known WHERE row_key = ?", keys)
    connection.executemany("DELETE FROM account WHERE row_key = ?", keys)


def _known(connection: sqlite3.Connection) -> list[tuple[bytes, bytes, int]]:
    """Return the known rows that are rows at all; what damage made of others is left out."""
    found = connection.execute("SELECT row_key, name_key, sequence FROM known").fetchall()
    shape = (bytes, bytes, int)
    return [row for row in found if all(map(isinstance, row, shape)) and 0 <= row[2] < _SEQUENCES]


def _place(header: Header, row_key: bytes, sequence: int) -> Place:
    return Place(len(VERSIONS), "account", header.incarnation + row_key, sequence)
