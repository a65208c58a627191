"""The file of accounts with the rules they are kept by: read, and written one at a time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from loginward.core.passwords import asks_for_more, demands_of
from loginward.directory.embedded import batches, journal, rows
from loginward.directory.embedded.attempts import Counter
from loginward.directory.embedded.facts import facts_of
from loginward.directory.embedded.locking import FileLock
from loginward.directory.embedded.schema import VERSIONS
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.sqlite.commits import GroupCommit
from loginward.sqlite.database import Database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from loginward.core.clock import Clock
    from loginward.core.facts import AccountFacts
    from loginward.core.lockout import Tally
    from loginward.directory.embedded.facts import SiteRules
    from loginward.directory.embedded.hashing import Hashing
    from loginward.directory.embedded.record import Record

_T = TypeVar("_T")


class Book:
    """The accounts, open to this process alone.

    Args:
        path: The file; made (0600) if it does not exist, in a folder that does.

    Attributes:
        clock: Where `now` comes from.
        hashing: What computes password hashes.
        site: The rules in force.
        counter: The keeper of attempts.
        importing: Held by the one import that is under way.
        on_moved: Called when a change has been written that must be told.

    Raises:
        StoreFault: Another process has the file, or it cannot be used.
    """

    def __init__(self, path: Path, site: SiteRules, clock: Clock, hashing: Hashing) -> None:
        self.clock = clock
        self.hashing = hashing
        self.site = site
        self._lock = FileLock(path)
        self._database = Database(path, VERSIONS)
        self._commits = GroupCommit(self._database)
        self.on_moved: Callable[[], None] = lambda: None
        self.counter = Counter(self._database, self._commits, self.note, self._tell)
        self.importing = threading.Lock()
        try:
            self._database.prepare()
            self.counter.recover()
            batches.drop_unfinished(self)
            self.begin(site)
        except StoreFault:
            self.close()
            raise

    def begin(self, site: SiteRules) -> None:
        """Take rules into force; passwords that no longer do are marked once, here (R13).

        Raises:
            StoreFault: The file cannot be written; the rules before stay in force.
        """
        rules, now = site.passwords, self.clock.now()

        def step(connection: sqlite3.Connection) -> None:
            known = rows.demands(connection)
            last, since = known if known is not None else (None, None)
            if last is not None and asks_for_more(last, rules, now):
                rows.outdate_passwords(connection)
                since = now
            if demands_of(last, rules) != last:
                rows.put_demands(connection, demands_of(last, rules), since)
            if journal.told(connection) is None:
                journal.put_told(connection, now, journal.due_rules(rules, since))

        self._commits.run(step)
        self.site = site
        self.on_moved()

    @property
    def turn(self) -> int | None:
        """Return the number of the commit that is under way; None: none is."""
        return self._commits.turn

    def by_name(self, name: str) -> Record | None:
        """Return the account of that name, whatever its spelling.

        Raises:
            DirectoryUnavailable: The file cannot be read.
        """
        return self._current(self.read(lambda connection: rows.by_name(connection, name)))

    def by_id(self, account_id: str) -> Record | None:
        """Return the account of that id.

        Raises:
            DirectoryUnavailable: The file cannot be read.
        """
        return self._current(self.read(lambda connection: rows.by_id(connection, account_id)))

    def read(self, step: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a step on one consistent view of the file.

        Raises:
            DirectoryUnavailable: The file cannot be read.
        """
        try:
            with self._database.reading() as connection:
                return step(connection)
        except StoreFault as fault:
            raise DirectoryUnavailable("embedded", str(fault)) from fault

    def write(self, step: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a step in one transaction.

        Raises:
            StoreFault: The file cannot be written; nothing was.
        """
        return self._commits.run(step)

    def update(
        self, account_id: str, step: Callable[[Record | None], tuple[Record | None, _T]]
    ) -> _T:
        """Write what a step makes of an account; the same record back writes nothing.

        Raises:
            DirectoryUnavailable: The file cannot be written; nothing was.
        """
        held: list[tuple[Tally, Tally | None]] = []

        def in_file(connection: sqlite3.Connection) -> tuple[bool, _T]:
            record = rows.by_id(connection, account_id)
            if record is None:
                return False, step(None)[1]
            after, result = self._made(record, step, held)
            if after is None:
                return False, result
            rows.replace(connection, after)
            return self.note(connection, record, after), result

        try:
            moved, result = self._commits.run(in_file)
        except BaseException as fault:
            for tally, before in held:
                self.counter.take_back(account_id, tally, before)
            if isinstance(fault, StoreFault):
                raise DirectoryUnavailable("embedded", str(fault)) from fault
            raise
        for tally, _ in held:
            self.counter.saved(account_id, tally)
        if moved:
            self.on_moved()
        return result

    def _made(
        self,
        record: Record,
        step: Callable[[Record | None], tuple[Record | None, _T]],
        held: list[tuple[Tally, Tally | None]],
    ) -> tuple[Record | None, _T]:
        """Return what a step makes of an account (None: nothing to write), its tally held."""
        while True:
            unsaved = self.counter.unsaved(record.id)
            before = record if unsaved is None else replace(record, tally=unsaved)
            after, result = step(before)
            if after is None or after is before:
                return None, result
            if self.counter.hold(record.id, after.tally, seen=unsaved):
                held.append((after.tally, unsaved))
                return after, result

    def remove(self, account_id: str) -> bool:
        """Remove an account and all that belongs to it; return whether there was one.

        Raises:
            StoreFault: The file cannot be written; nothing was removed.
        """

        def in_file(connection: sqlite3.Connection) -> bool:
            record = rows.by_id(connection, account_id)
            if record is None:
                return False
            facts, now = self._facts(record), self.clock.now()
            journal.note(connection, facts, replace(facts, removed=True), now)
            return rows.remove(connection, account_id)

        removed = self._commits.run(in_file)
        self.counter.forget(account_id)
        self.on_moved()
        return removed

    def note(self, connection: sqlite3.Connection, before: Record, after: Record) -> bool:
        """Write into the journal what is being made of an account; return whether it matters."""
        now = self.clock.now()
        return journal.note(connection, self._facts(before), self._facts(after), now)

    def outdates_before(self) -> datetime | None:
        """Return the moment before which a password no longer meets the rules; None: none."""
        known = self.read(rows.demands)
        return None if known is None else known[1]

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read one state of the file for as long as it takes, on a connection of its own.

        Raises:
            StoreFault: The file cannot be read.
        """
        connection = self._database.open_connection()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Close the file and let another process have it; idempotent."""
        self._commits.close()
        self._lock.release()

    def _tell(self) -> None:
        self.on_moved()

    def _facts(self, record: Record) -> AccountFacts:
        return facts_of(record, self.site, self.clock.now())

    def _current(self, record: Record | None) -> Record | None:
        return record if record is None else self.counter.with_unsaved(record)
