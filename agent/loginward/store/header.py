"""The sealed header: what the whole table of known rows adds up to, and how old it is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from loginward.crypto.sealing import Place, Sealer, Unsealable
from loginward.crypto.tags import keyed
from loginward.store.schema import VERSIONS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_MODULUS: Final = 1 << 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header.

    Attributes:
        sequence: How many writes there were; no two rows ever have the same.
        counter: The generation counter, which the file beside the key repeats.
        incarnation: Drawn for each new or cleared database: rows of another never open.
        total: Sum over all known rows; tells that one was removed or put back.
        suspect_below: Rows written up to this sequence are not believed; 0: all are.
    """

    sequence: int = 0
    counter: int = 0
    incarnation: bytes = field(default_factory=lambda: os.urandom(8))
    total: bytes = bytes(32)
    suspect_below: int = 0

    def advanced(self, total: bytes, *, counter: int | None = None) -> Header:
        """Return the header after one more write."""
        return Header(
            sequence=self.sequence + 1,
            counter=self.counter if counter is None else counter,
            incarnation=self.incarnation,
            total=total,
            suspect_below=self.suspect_below,
        )

    def replaced(self, removed: int, added: int) -> bytes:
        """Return the total after some leaves were taken away and others added."""
        total = int.from_bytes(self.total, "big") - removed + added
        return (total % _MODULUS).to_bytes(32, "big")


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Header)


def _place(sequence: int) -> Place:
    return Place(len(VERSIONS), "header", b"", sequence)


def read_header(connection: sqlite3.Connection, sealer: Sealer) -> Header:
    """Return the header.

    Raises:
        Unsealable: It is missing, was changed, or was put back alone.
    """
    row = connection.execute("SELECT sequence, sealed FROM header").fetchone()
    if row is None:
        raise Unsealable("header")
    sequence, sealed = row
    try:
        header = _decoder.decode(sealer.unseal(_place(sequence), sealed))
    except (TypeError, ValueError, OverflowError) as error:
        raise Unsealable("header") from error
    if header.sequence != sequence:
        raise Unsealable("header")
    return header


def write_header(connection: sqlite3.Connection, sealer: Sealer, header: Header) -> None:
    """Write the header over the last one."""
    sealed = sealer.seal(_place(header.sequence), _encoder.encode(header))
    connection.execute("INSERT OR REPLACE INTO header VALUES (1, ?, ?)", (header.sequence, sealed))


def leaf(key: bytes, row_key: bytes, name_key: bytes, sequence: int) -> int:
    """Return what one known row adds to the total."""
    tag = keyed(key, b"known", row_key, name_key, sequence.to_bytes(8, "big"))
    return int.from_bytes(tag, "big")


def total_of(key: bytes, rows: Iterable[tuple[bytes, bytes, int]]) -> bytes:
    """Return what known rows add up to."""
    return Header().replaced(0, sum(leaf(key, *row) for row in rows))
