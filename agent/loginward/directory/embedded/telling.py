"""What has become of the accounts since the last look: what was written, and what time brought.

Nothing is kept in memory for an account: what was written is in the journal, what falls due is
found by index, so a look at a hundred thousand idle accounts reads none of them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from loginward.core.passwords import PasswordRules, due_dates
from loginward.core.status import ExpiryCause, PasswordStatus
from loginward.core.transitions import Moved, over_time
from loginward.directory.embedded import journal, listing, rows
from loginward.directory.embedded.codec import moment, when
from loginward.directory.embedded.facts import facts_of
from loginward.directory.embedded.journal import DueRules, Line, due_rules

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from loginward.core.facts import AccountFacts
    from loginward.directory.embedded.book import Book

# (low, high]: from the moment of the last look, which was told, to now.
DUE: Final = """
    SELECT account_id FROM tally
        WHERE lock_id IS NOT NULL AND lock_until > :low AND lock_until <= :high
    UNION SELECT id FROM account WHERE starts_at > :low AND starts_at <= :high
    UNION SELECT id FROM account WHERE ends_at > :low AND ends_at <= :high
    UNION SELECT account_id FROM password WHERE forced_at > :low AND forced_at <= :high
    UNION SELECT account_id FROM password
        WHERE changed_at > :low - :age AND changed_at <= :high - :age
    UNION SELECT account_id FROM password WHERE outdated AND :by > :low AND :by <= :high
"""
NEXT: Final = """
    SELECT min(at) FROM (
        SELECT min(lock_until) AS at FROM tally WHERE lock_id IS NOT NULL AND lock_until > :now
        UNION ALL SELECT min(starts_at) FROM account WHERE starts_at > :now
        UNION ALL SELECT min(ends_at) FROM account WHERE ends_at > :now
        UNION ALL SELECT min(forced_at) FROM password WHERE forced_at > :now
        UNION ALL SELECT min(changed_at) + :age FROM password WHERE changed_at > :now - :age
        UNION ALL SELECT :by WHERE :by > :now
    )
"""
EXPIRED: Final = f"SELECT account.id FROM account WHERE {listing.STATUS[PasswordStatus.EXPIRED]}"  # noqa: S608
_KEEP_EVERY: Final = timedelta(minutes=10)  # how much of an idle time a crash may let us tell anew


class _Look(NamedTuple):
    """What a look found: until `now`, the journal's lines and whom time may have changed."""

    now: datetime
    lines: tuple[Line, ...]
    due: tuple[str, ...]
    rules: DueRules


class Telling:
    """Tells what became of the accounts of a book, each thing once. For one thread.

    Args:
        book: Its file remembers up to where the last process told.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._seq = 0
        self._told: tuple[datetime, DueRules] | None = None
        self._kept_at: datetime | None = None
        self._kept_rules: DueRules | None = None

    def moved(self) -> Iterator[Moved]:
        """Yield what became of the accounts since the last call, of each in its order.

        It counts as told once all of it has been taken; a crash before that tells it anew.

        Raises:
            DirectoryUnavailable: The file cannot be read.
            StoreFault: It cannot be written: this process tells nothing twice, the next may.
        """
        told = self._told or self._book.read(journal.told)
        look = self._book.read(lambda connection: self._look(connection, told))
        then, was = told or (look.now, look.rules)
        seq = look.lines[-1].seq if look.lines else self._seq
        lines_of: dict[str, list[Line]] = {}
        for line in look.lines:
            lines_of.setdefault(line.after.account_id, []).append(line)
        for account_id in (*lines_of, *(one for one in look.due if one not in lines_of)):
            lines = lines_of.get(account_id, ())
            current, is_outdated = self._current(account_id, seq, look.now)
            first = current
            if lines:
                first, is_outdated = lines[0].before, _is_outdated(lines[0].before)
            if first is not None and was != look.rules:
                first = _judged_by(was, look.rules, first, is_outdated=is_outdated)
            if first is not None:
                yield from _steps(first, then, lines, current, look.now)
        self._seq, self._told = seq, (look.now, look.rules)
        self._keep(look)

    def next_moment(self) -> datetime | None:
        """Return the first moment (aware UTC) since the last look at which time changes an account.

        It may have come already; None: none is known.

        Raises:
            DirectoryUnavailable: The file cannot be read.
        """
        passwords = self._book.site.passwords
        since = self._book.clock.now() if self._told is None else self._told[0]
        bound = listing.bound(passwords, since) | _bound(due_rules(passwords))
        (at,) = self._book.read(lambda connection: connection.execute(NEXT, bound).fetchone())
        return None if at is None else when(at)

    def _look(
        self, connection: sqlite3.Connection, told: tuple[datetime, DueRules] | None
    ) -> _Look:
        lines = journal.since(connection, self._seq)
        known = rows.demands(connection)
        passwords, now = self._book.site.passwords, self._book.clock.now()
        rules = due_rules(passwords, None if known is None else known[1])
        then, was = told or (now, rules)
        bound = listing.bound(passwords, now) | {
            "low": moment(min(then, now)),
            "high": moment(max(then, now)),
            **_bound(rules),
        }
        due = {one for (one,) in connection.execute(DUE, bound)}
        if was != rules:  # whom time expired by those before, and whoever is expired by these
            due |= {one for (one,) in connection.execute(DUE, bound | _bound(was))}
            due |= {one for (one,) in connection.execute(EXPIRED, bound)}
        return _Look(now, lines, tuple(due), rules)

    def _current(
        self, account_id: str, seq: int, now: datetime
    ) -> tuple[AccountFacts | None, bool]:
        """Return what an account was before the journal's next line; None: it is gone.

        With it whether its password is one that the rules have outdated.
        """

        def step(connection: sqlite3.Connection) -> tuple[AccountFacts | None, bool]:
            later = journal.as_of(connection, account_id, seq)
            if later is not None:
                return later, _is_outdated(later)
            record = rows.by_id(connection, account_id)
            if record is None:
                return None, False
            outdated = record.password is not None and record.password.outdated
            return facts_of(record, self._book.site, now), outdated

        return self._book.read(step)

    def _keep(self, look: _Look) -> None:
        told = look.lines or look.due or look.rules != self._kept_rules
        if told or self._kept_at is None or abs(look.now - self._kept_at) >= _KEEP_EVERY:
            self._kept_at, self._kept_rules = look.now, look.rules
            self._book.write(lambda c: journal.put_told(c, look.now, look.rules, look.lines))


def _steps(
    first: AccountFacts,
    then: datetime,
    lines: Sequence[Line],
    current: AccountFacts | None,
    now: datetime,
) -> Iterator[Moved]:
    """Yield the way of one account: time passes, a line changes it, time passes again."""
    state, at = first, then
    for line in lines:
        # A line may have been begun before the last look and committed after it.
        made_at = max(line.at, at) if then <= now else line.at
        yield from over_time(state, at, line.before, made_at)
        yield Moved(line.before, made_at, line.after, made_at)
        state, at = line.after, made_at
    yield from over_time(state, at, state, now)
    yield Moved(state, now, current or state, now)  # by other rules, if they have changed


def _is_outdated(facts: AccountFacts) -> bool:
    return any(due.cause is ExpiryCause.POLICY_DEADLINE for due in facts.due)


def _judged_by(
    was: DueRules, rules: DueRules, facts: AccountFacts, *, is_outdated: bool
) -> AccountFacts:
    """Return facts with the dates at which the password fell due by the rules before."""
    if facts.changed_at is None:
        return facts
    forced = next((due.at for due in facts.due if due.cause is ExpiryCause.BY_ADMIN), None)
    outdated = is_outdated
    if was.outdated_since != rules.outdated_since:
        outdated = was.outdated_since is not None and facts.changed_at < was.outdated_since
    before = PasswordRules(max_age_s=was.max_age_s, update_by=was.update_by)
    due = due_dates(facts.changed_at, before, forced_at=forced, outdated=outdated)
    return replace(facts, due=due)


def _bound(rules: DueRules) -> dict[str, int | None]:
    return {
        "age": None if rules.max_age_s is None else rules.max_age_s * 1_000_000,
        "by": None if rules.update_by is None else moment(rules.update_by),
    }
