"""The tables of the local store, one script a version.

`known` says which rows there must be and how often each was written; the sealed header vouches
for `known` as a whole; a counter beside the key vouches for the header.
"""

from __future__ import annotations

from typing import Final

VERSIONS: Final = (
    """
    CREATE TABLE header (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        sequence INTEGER NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE TABLE known (
        row_key BLOB PRIMARY KEY,
        name_key BLOB NOT NULL UNIQUE,
        sequence INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE account (
        row_key BLOB PRIMARY KEY,
        sequence INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE aside (
        name TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) WITHOUT ROWID;
    """,
)
