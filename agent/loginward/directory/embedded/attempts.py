"""Attempts on embedded accounts: counted by the core's rules, each in a transaction (I6).

Where the file cannot be written the counting goes on in memory, so that a full disk neither shuts
everybody out nor gives free guesses; the fault is the directory's to report. What is being written is
in memory too, so that one attempt kept there and another that is written see each other.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from loginward.core import lockout
from loginward.core.attempts import LockedNow
from loginward.directory.embedded import rows
from loginward.directory.embedded.values import MAX_TEXT
from loginward.errors import DirectoryUnavailable, StoreFault

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.attempts import Outcome, Reserved
    from loginward.core.facts import LockoutPolicy
    from loginward.core.lockout import Tally
    from loginward.core.status import Lock
    from loginward.directory.embedded.record import Record
    from loginward.sqlite.commits import GroupCommit
    from loginward.sqlite.database import Database

_T = TypeVar("_T")


@dataclass(slots=True)
class _Made(Generic[_T]):
    """What a transaction made of an attempt so far.

    Attributes:
        tally: In memory since; None: nothing was to be kept, or it has not come so far.
        before: What was in memory before.
        is_over: Whoever asked goes on without: nothing must be made of it any more.
    """

    tally: Tally | None = None
    before: Tally | None = None
    result: _T | None = None
    is_over: bool = False


class Counter:
    """Reserves and settles attempts, in the file or, while that fails, in memory.

    Args:
        note: Told, inside the transaction, of an account whose lock changes; before and after.
        on_moved: Called once such a change is written.

    Attributes:
        fault: Why the last write failed; None: it did not.
    """

    def __init__(
        self,
        database: Database,
        commits: GroupCommit,
        note: Callable[[sqlite3.Connection, Record, Record], bool],
        on_moved: Callable[[], None],
    ) -> None:
        self._database = database
        self._commits = commits
        self._note = note
        self._on_moved = on_moved
        self._guard = threading.Lock()
        self._unsaved: dict[str, Tally] = {}  # the latest, until the file holds it
        self._owed: set[str] = set()  # of those, what could not be written
        self.fault: StoreFault | None = None

    def recover(self) -> None:
        """Mark what the last process left in flight; call it once, before anything else."""

        def mark(connection: sqlite3.Connection) -> None:
            for account_id, tally in rows.in_flight(connection):
                rows.put_tally(connection, account_id, lockout.recovered(tally))

        self._commits.run(mark)

    def reserve(
        self,
        account_id: str,
        source: str,
        policy: LockoutPolicy,
        now: datetime,
        *,
        late: bool = False,
    ) -> Reserved:
        """Reserve one attempt, durably before this returns.

        Raises:
            DirectoryUnavailable: The account is gone, or the file cannot even be read.
        """
        reservation = secrets.token_hex(8)
        shown = _one_line(source)

        def step(record: Record) -> tuple[Tally, Reserved]:
            if record.admin_lock is not None:
                return record.tally, LockedNow(record.admin_lock)
            return lockout.reserve(
                record.tally,
                reservation=reservation,
                source=shown,
                policy=policy,
                now=now,
                late=late,
            )

        return self._apply(account_id, step)

    def settle(
        self,
        account_id: str,
        reservation: str,
        outcome: Outcome,
        policy: LockoutPolicy,
        now: datetime,
    ) -> Lock | None:
        """End a reservation; return the lock that this very failure tripped.

        Raises:
            DirectoryUnavailable: The account is gone, or the file cannot even be read.
        """
        lock_id = secrets.token_hex(8)

        def step(record: Record) -> tuple[Tally, Lock | None]:
            return lockout.settle(
                record.tally,
                reservation=reservation,
                outcome=outcome,
                lock_id=lock_id,
                policy=policy,
                now=now,
            )

        return self._apply(account_id, step)

    @property
    def has_unsaved(self) -> bool:
        """Whether the file does not say all that was counted."""
        with self._guard:
            return bool(self._owed)

    def with_unsaved(self, record: Record) -> Record:
        """Return the record with what was counted in memory while the file failed."""
        with self._guard:
            tally = self._unsaved.get(record.id)
        return record if tally is None else replace(record, tally=tally)

    def unsaved(self, account_id: str) -> Tally | None:
        """Return what the file does not say yet of an account; None: it says all."""
        with self._guard:
            return self._unsaved.get(account_id)

    def hold(self, account_id: str, tally: Tally, *, seen: Tally | None) -> bool:
        """Keep in memory what is about to be written; False: `seen` is no longer the latest."""
        with self._guard:
            if self._unsaved.get(account_id) is not seen:
                return False
            self._unsaved[account_id] = tally
            return True

    def saved(self, account_id: str, tally: Tally) -> None:
        """Let go of what the file says now, unless another attempt came on top."""
        with self._guard:
            if self._unsaved.get(account_id) is tally:
                self._let_go(account_id)

    def take_back(self, account_id: str, tally: Tally, before: Tally | None) -> None:
        """Undo `hold`, unless another attempt came on top."""
        with self._guard:
            if self._unsaved.get(account_id) is not tally:
                return
            if before is None:
                self._let_go(account_id)
                return
            self._unsaved[account_id] = before
            self._owed.add(account_id)  # the file may say it by now, and nobody would tell

    def forget(self, account_id: str) -> None:
        """Let go of whatever is kept of an account that is gone."""
        with self._guard:
            self._let_go(account_id)

    def _let_go(self, account_id: str) -> None:
        self._unsaved.pop(account_id, None)
        self._owed.discard(account_id)

    def _apply(self, account_id: str, step: Callable[[Record], tuple[Tally, _T]]) -> _T:
        made = _Made[_T]()

        def in_file(connection: sqlite3.Connection) -> tuple[bool, _T]:
            filed = self._filed(connection, account_id)
            with self._guard:
                if made.is_over:
                    raise StoreFault("nobody waits for this attempt any more")
                before = self._unsaved.get(account_id)
                record = self._current(filed)
                tally, result = step(record)
                if tally == record.tally and before is None:
                    return False, result
                made.tally, made.before, made.result = tally, before, result
                self._unsaved[account_id] = tally
            return self._put(connection, filed, tally), result

        try:
            moved, result = self._commits.run(in_file)
        except StoreFault as fault:
            self.fault = fault
            with self._guard:
                made.is_over = True
                if made.tally is not None:
                    if account_id in self._unsaved:  # else the file has it after all
                        self._owed.add(account_id)
                    return cast("_T", made.result)
            return self._apply_in_memory(account_id, step)
        except BaseException:
            if made.tally is not None:
                self.take_back(account_id, made.tally, made.before)
            raise
        self.fault = None
        if made.tally is not None:
            self.saved(account_id, made.tally)
        if moved:
            self._on_moved()
        if self.has_unsaved:
            self._write_unsaved()
        return result

    def _write_unsaved(self) -> None:
        """Write what was counted in memory, now that the file takes writes again."""

        def step(connection: sqlite3.Connection) -> dict[str, Tally]:
            with self._guard:
                unsaved = {one: self._unsaved[one] for one in self._owed}
            for account_id, tally in unsaved.items():
                filed = rows.by_id(connection, account_id)
                if filed is not None:
                    self._put(connection, filed, tally)
            return unsaved

        try:
            written = self._commits.run(step)
        except StoreFault as fault:
            self.fault = fault
            return
        for account_id, tally in written.items():
            self.saved(account_id, tally)
        self._on_moved()

    def _apply_in_memory(self, account_id: str, step: Callable[[Record], tuple[Tally, _T]]) -> _T:
        try:
            with self._guard:
                with self._database.reading() as connection:
                    record = self._current(self._filed(connection, account_id))
                self._unsaved[account_id], result = step(record)
                self._owed.add(account_id)
        except StoreFault as fault:
            raise DirectoryUnavailable("embedded", str(fault)) from fault
        return result

    def _put(self, connection: sqlite3.Connection, filed: Record, tally: Tally) -> bool:
        """Write a tally; return whether the lock that the file holds has changed."""
        rows.put_tally(connection, filed.id, tally)
        changed = tally.lock != filed.tally.lock
        return changed and self._note(connection, filed, replace(filed, tally=tally))

    def _filed(self, connection: sqlite3.Connection, account_id: str) -> Record:
        record = rows.by_id(connection, account_id)
        if record is None:
            raise DirectoryUnavailable("embedded", "the account is gone")
        return record

    def _current(self, filed: Record) -> Record:
        tally = self._unsaved.get(filed.id)
        return filed if tally is None else replace(filed, tally=tally)


def _one_line(source: str) -> str:
    """Return a source as it may be kept and shown: short, without control characters."""
    plain = (c if unicodedata.category(c)[0] != "C" else "?" for c in source[:MAX_TEXT])
    return "".join("?" if unicodedata.category(c) in {"Zl", "Zp"} else c for c in plain)
