"""The tables of the embedded directory, one script a version.

Moments are whole microseconds since 1970 UTC, so that a backup gives back what it was made from.
"""

from __future__ import annotations

from typing import Final

VERSIONS: Final = (
    """
    CREATE TABLE account (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        name_index TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        mail TEXT NOT NULL,
        recovery TEXT NOT NULL,
        groups TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('staged', 'active', 'suspended')),
        state_since INTEGER,
        starts_at INTEGER,
        ends_at INTEGER,
        admin_lock_id TEXT,
        admin_lock_since INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX account_admin_lock ON account (id) WHERE admin_lock_id IS NOT NULL;
    CREATE TABLE password (
        account_id TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
        phc TEXT NOT NULL,
        changed_at INTEGER NOT NULL,
        set_by TEXT NOT NULL,
        must_change INTEGER NOT NULL,
        forced_at INTEGER,
        outdated INTEGER NOT NULL,
        history TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX password_changed ON password (changed_at);
    CREATE INDEX password_forced ON password (forced_at) WHERE forced_at IS NOT NULL;
    CREATE INDEX password_outdated ON password (account_id) WHERE outdated;
    CREATE TABLE token (
        account_id TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
        digest BLOB NOT NULL,
        expires_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE tally (
        account_id TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
        epoch INTEGER NOT NULL,
        failures TEXT NOT NULL,
        pending TEXT NOT NULL,
        lock_id TEXT,
        lock_since INTEGER,
        lock_until INTEGER,
        lock_source TEXT NOT NULL,
        lock_failures INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX tally_lock ON tally (lock_until) WHERE lock_id IS NOT NULL;
    CREATE TABLE demands (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        min_length INTEGER NOT NULL,
        update_by INTEGER,
        since INTEGER
    );
    """,
    """
    ALTER TABLE account ADD COLUMN batch TEXT;  -- of the import it came with; NULL: by itself
    CREATE TABLE unfinished (batch TEXT PRIMARY KEY) WITHOUT ROWID;  -- whose accounts nobody sees
    """,
    """
    CREATE TABLE journal (  -- what became of accounts and has not been told yet
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        account_id TEXT NOT NULL,
        at INTEGER NOT NULL,
        before BLOB NOT NULL,
        after BLOB NOT NULL
    );
    CREATE INDEX journal_account ON journal (account_id, seq);
    CREATE TABLE told (  -- up to when all has been told, and by which rules that was judged
        only INTEGER PRIMARY KEY CHECK (only = 1),
        until INTEGER NOT NULL,
        max_age_s INTEGER,
        update_by INTEGER,
        outdated_since INTEGER
    );
    CREATE INDEX account_starts ON account (starts_at) WHERE starts_at IS NOT NULL;
    CREATE INDEX account_ends ON account (ends_at) WHERE ends_at IS NOT NULL;
    """,
)
