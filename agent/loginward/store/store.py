"""The local store as the rest of the program uses it: last known copies and what goes with them.

Source: design "Local store"; product invariants I9 and I12.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from loginward.core.facts import AccountFacts
from loginward.core.lockout import cleared
from loginward.errors import StoreFault
from loginward.store.faults import Noted, Tampered
from loginward.store.file import StoreFile
from loginward.store.ledger import Ledger, undoubted
from loginward.store.record import OFFLINE, RETIRED_FOR, Record, Retired

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from loginward.core.status import Lock
    from loginward.crypto.keys import Keys
    from loginward.store.timekeeping import TrustedTime

_OVERTAKEN: Final = timedelta(seconds=10)  # two reads in flight may arrive in the wrong order
_YOUNG: Final = timedelta(seconds=30)  # a copy no older needs not be renewed
_MOST_RETIRED: Final = 2


@dataclass(frozen=True, slots=True)
class Saved:
    """A copy was kept.

    Attributes:
        generation: Of the account now; compared before somebody is let in (R60).
        facts: The copy now; an older reading than the one kept does not replace it.
        previous: The copy before; None: this host did not know the account.
    """

    generation: int
    facts: AccountFacts
    previous: AccountFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One line of `cache list`.

    Attributes:
        guesses: Wrong passwords offline since the last one proven online.
        doubt: What was counted about it was lost; our own lock refuses until unlocked.
    """

    facts: AccountFacts
    generation: int
    has_verifier: bool
    locks: tuple[Lock, ...]
    guesses: int
    proven_online_at: datetime | None
    doubt: bool


class Store:
    """What this host knows of the directory's accounts.

    Args:
        directory: state_dir.
        keys_directory: Where the generation counter lies, beside the key.
    """

    def __init__(
        self, directory: Path, keys_directory: Path, keys: Keys, time: TrustedTime
    ) -> None:
        self.file = StoreFile(directory, keys_directory, keys, time)
        self.ledger = Ledger(self.file)
        self.time = time

    def open(self) -> None:
        """Open the file; raises StoreFault if it cannot be used, see `StoreFile.open`."""
        self.file.open()

    def close(self) -> None:
        """Write what waits and close the file; idempotent."""
        if self.file.is_open:
            self.ledger.flush()
        self.file.close()

    def tick(self) -> None:
        """Write the time, what could not be written before, and the age of copies.

        To be called now and then, at least once a minute.
        """
        self.file.tick()
        self.ledger.flush()

    def watch_faults(self, tell: Callable[[Noted], None]) -> None:
        """Tell of each fault once, as soon as it is noted; `tell` must not wait."""
        self.file.faults.watch(tell)

    def faults(self) -> tuple[Noted, ...]:
        """Return what is wrong now, oldest first."""
        return self.file.faults.all()

    def copy_by_name(self, name: str) -> AccountFacts | None:
        """Return the last known copy of a name in any spelling; None: never known.

        Raises:
            Tampered: What is kept cannot be believed, or rows are missing: refuse.
            StoreFault: The file cannot be read.
        """
        record = self.ledger.record_by_name(name)
        return None if record is None else self._copy(record)

    def copy(self, account_id: str) -> AccountFacts | None:
        """Return the last known copy of an account; raises like `copy_by_name`."""
        record = self.ledger.record(account_id)
        return None if record is None else self._copy(record)

    def recent_copy(self, account_id: str) -> AccountFacts | None:
        """Return the copy of an account lately seen; None: it is not in memory. No I/O."""
        record = self.ledger.recent(account_id)
        return None if record is None else self._copy(record)

    def save(self, facts: AccountFacts) -> Saved:
        """Keep what the directory said; also where what was kept cannot be believed.

        A new id under a known name drops what was kept of the old one. A moved change time
        retires the verifier and clears what was counted offline.

        Raises:
            StoreFault: The file cannot be used; one that only cannot be written raises nothing.
        """
        if facts.removed:
            raise ValueError("that the directory no longer has an account is noted by Removals")
        record = self._believed(facts.account_id)
        while record is not None and _only_grew_younger(record, facts):
            if not self.ledger.renew(record, facts):  # another thread was here: on top of that
                record = self.ledger.recent(facts.account_id)
                continue
            return Saved(record.generation, facts, self._copy(record))
        now = self.time.now()

        def change(prior: Record | None) -> tuple[Record, tuple[Record, Record | None]]:
            after = _with_facts(prior, facts, now)
            return after, (after, prior)

        after, before = self.ledger.change(facts.account_id, change, heals=True)
        previous = None if before is None else self._copy(before)
        return Saved(after.generation, self._copy(after), previous)

    def unmoved_generation(self, facts: AccountFacts) -> int | None:
        """Return the generation of a copy that these facts change nothing in; no I/O.

        None: they change something, or the copy is to grow younger, or is not in memory.
        """
        record = self.ledger.recent(facts.account_id)
        if record is None or facts.read_at - record.facts.read_at > _YOUNG:
            return None
        return record.generation if _only_grew_younger(record, facts) else None

    def recent_generation(self, account_id: str) -> int | None:
        """Return the generation of an account lately seen; None: it is not in memory. No I/O."""
        record = self.ledger.recent(account_id)
        return None if record is None else record.generation

    def generation(self, account_id: str) -> int:
        """Return the generation of an account; 0: not kept. Raises like `copy`."""
        record = self.ledger.latest(account_id)
        return 0 if record is None else record.generation

    def bump(self, account_id: str) -> int:
        """Move the generation, so that logins under way look again; return the new one."""

        def change(prior: Record | None) -> tuple[Record | None, int]:
            if prior is None:
                return None, 0
            after = replace(prior, generation=prior.generation + 1)
            return after, after.generation

        return self.ledger.change(account_id, change)

    def clear_tallies(self, account_id: str, until: datetime | None = None) -> bool:
        """End every lock of ours after an unlock or reset, and forget what was counted.

        Attempts under way can no longer trip anything, and an account in doubt is so no longer.

        Args:
            until: When that was; what was counted since stays. None: now.

        Returns:
            Whether there was anything to clear.

        Raises:
            Tampered: Nothing kept of it can be believed; a fresh read has to come first.
        """

        def change(prior: Record | None) -> tuple[Record | None, bool]:
            if prior is None:
                return None, False
            tallies = {keeper: cleared(one, until) for keeper, one in prior.tallies.items()}
            had = prior.doubt or any(
                (one.lock, one.failures) != (tallies[keeper].lock, tallies[keeper].failures)
                for keeper, one in prior.tallies.items()
            )
            generation = prior.generation + 1
            return replace(prior, tallies=tallies, doubt=False, generation=generation), had

        had = self.ledger.change(account_id, change)
        self.file.faults.forget(account_id)
        return had

    def lock_of(self, account_id: str, keeper: str) -> Lock | None:
        """Return the lock in force that a keeper ("agent", "offline", ...) holds on an account.

        Raises:
            Doubtful: It may have been lost: refuse, as if there were one.
            StoreFault: What is kept cannot be believed or read.
        """
        record = self.ledger.latest(account_id)
        if record is None:
            return None
        lock = undoubted(record).aged(self.time.gaps).tally(keeper).lock
        return lock if lock is not None and lock.holds(self.time.now()) else None

    def forget(self, name: str) -> bool:
        """Forget whatever is kept under a name, believed or not; return whether anything was.

        Raises:
            StoreFault: Nothing was written.
        """
        account_id = self._id_under(name)
        rows = self.file.rows
        row_key = b"" if account_id is None else rows.row_key(account_id)
        name_key = rows.name_key(name)
        gone = self.file.write(lambda connection: rows.delete(connection, row_key, name_key))
        self.ledger.forget((*gone, row_key))
        for account in (name, account_id or name):
            self.file.faults.forget(account)
        self.file.purge()
        return bool(gone) or account_id is not None

    def clear(self) -> None:
        """Forget every account, every doubt and every fault.

        Raises:
            StoreFault: Nothing was written.
        """
        self.file.start_anew()
        self.ledger.forget()

    def list(self) -> tuple[tuple[Kept, ...], tuple[Tampered, ...]]:
        """Return what is kept, by name, and the faults of rows that cannot be believed.

        Raises:
            StoreFault: The file cannot be read.
        """
        rows = self.file.rows
        found = self.file.read(lambda connection: tuple(rows.all(connection)))
        kept = (self._kept(one) for one in found if isinstance(one, Record))
        broken = tuple(one for one in found if isinstance(one, Tampered))
        return tuple(sorted(kept, key=lambda one: one.facts.name)), broken

    def names(self) -> tuple[str, ...]:
        """Return the known names, those of removed accounts too: for the marker.

        Raises:
            StoreFault: The file cannot be read.
        """
        rows = self.file.rows
        return self.file.read(
            lambda connection: tuple(
                one.facts.name for one in rows.all(connection) if isinstance(one, Record)
            )
        )

    def count(self) -> int:
        """Return how many accounts are known. Raises like `names`."""
        return self.file.read(self.file.rows.count)

    def another(self, account_id: str) -> AccountFacts | None:
        """Return the copy of some other account that should be readable: a canary."""
        for record in self.ledger.recent_first():
            if record.facts.account_id != account_id and record.missing_since is None:
                return record.facts
        others = (kept.facts for kept in self.list()[0] if not kept.facts.removed)
        return next((facts for facts in others if facts.account_id != account_id), None)

    def _id_under(self, name: str) -> str | None:
        try:
            record = self.ledger.record_by_name(name)
        except Tampered:
            return None
        return None if record is None else record.facts.account_id

    def _believed(self, account_id: str) -> Record | None:
        """Return what is kept of an account, if it can be read and believed."""
        try:
            return self.ledger.latest(account_id)
        except StoreFault:
            return None

    def _copy(self, record: Record) -> AccountFacts:
        return record.copy(self.time.gaps)

    def _kept(self, record: Record) -> Kept:
        now = self.time.now()
        tallies = record.aged(self.time.gaps).tallies.values()
        return Kept(
            facts=self._copy(record),
            generation=record.generation,
            has_verifier=record.verifier is not None,
            locks=tuple(t.lock for t in tallies if t.lock is not None and t.lock.holds(now)),
            guesses=record.guesses,
            proven_online_at=record.proven_online_at,
            doubt=record.doubt,
        )


_BUT_ITS_AGE: Final = attrgetter(
    *(field.name for field in fields(AccountFacts) if field.name != "read_at")
)


def _only_grew_younger(record: Record, facts: AccountFacts) -> bool:
    if record.missing_since is not None or record.doubt:
        return False
    younger = facts.read_at >= record.facts.read_at
    return younger and _BUT_ITS_AGE(record.facts) == _BUT_ITS_AGE(facts)


def _with_facts(prior: Record | None, facts: AccountFacts, now: datetime) -> Record:
    if prior is None:
        return Record(facts=facts, generation=1)
    if timedelta(0) < prior.facts.read_at - facts.read_at < _OVERTAKEN:
        return prior  # a slower reading of before
    moved = prior.removed or _differ(prior.facts, facts)
    after = replace(
        prior,
        facts=facts,
        generation=prior.generation + moved,
        missing_since=None,
        removed=False,
    )
    return _after_change(after, prior.facts.changed_at, now)


def _after_change(record: Record, known: datetime | None, now: datetime) -> Record:
    """Return the record as it is if the password was changed: what proved it proves nothing."""
    changed_at = record.facts.changed_at
    if changed_at is None:
        return record  # unreadable this time
    if known is not None and changed_at > known:
        record = record.with_tally(OFFLINE, cleared(record.tally(OFFLINE)))
    retired = tuple(old for old in record.retired if now - old.at < RETIRED_FOR)
    verifier = record.verifier
    if verifier is not None and verifier.changed_at != changed_at:
        retired = (*retired, Retired(verifier, now))[-_MOST_RETIRED:]
        verifier = None
    return replace(record, verifier=verifier, retired=retired)


def _differ(one: AccountFacts, other: AccountFacts) -> bool:
    """Return whether facts differ in more than what moves at every read and decides nothing."""
    alike = replace(one, read_at=other.read_at, evidence=other.evidence, failures=other.failures)
    return alike != other
