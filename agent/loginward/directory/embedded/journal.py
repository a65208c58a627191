"""What became of accounts and has not been told yet, in the file: a crash loses none of it.

A line is written in the transaction that changed the account, and only if a transition, now or
later, can follow from it; the attempts of a login write none unless they lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from loginward.core.facts import AccountFacts
from loginward.core.transitions import bare, is_alike
from loginward.directory.embedded.codec import maybe_moment, maybe_when, moment, when

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    from loginward.core.passwords import PasswordRules

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(AccountFacts).decode
_PUT: Final = "INSERT INTO journal (account_id, at, before, after) VALUES (?, ?, ?, ?)"
_AFTER: Final = "SELECT seq, at, before, after FROM journal WHERE seq > ? ORDER BY seq"
_NEXT: Final = "SELECT before FROM journal WHERE account_id = ? AND seq > ? ORDER BY seq LIMIT 1"


@dataclass(frozen=True, slots=True)
class Line:
    """One change of an account, with the moment at which it was made (aware UTC)."""

    seq: int
    at: datetime
    before: AccountFacts
    after: AccountFacts


@dataclass(frozen=True, slots=True)
class DueRules:
    """The rules that say when passwords fall due.

    Attributes:
        outdated_since: When the rules last asked for more; None: never.
    """

    max_age_s: int | None
    update_by: datetime | None
    outdated_since: datetime | None


def due_rules(rules: PasswordRules, outdated_since: datetime | None = None) -> DueRules:
    """Return what matters of the rules in force."""
    return DueRules(rules.max_age_s, rules.update_by, outdated_since)


def note(
    connection: sqlite3.Connection, before: AccountFacts, after: AccountFacts, at: datetime
) -> bool:
    """Write a line, if it can matter; return whether there is one."""
    if is_alike(before, after):
        return False
    row = (before.account_id, moment(at), _encode(bare(before)), _encode(bare(after)))
    connection.execute(_PUT, row)
    return True


def since(connection: sqlite3.Connection, seq: int) -> tuple[Line, ...]:
    """Return the lines after one, oldest first."""
    return tuple(
        Line(number, when(at), _decode(before), _decode(after))
        for number, at, before, after in connection.execute(_AFTER, (seq,))
    )


def as_of(connection: sqlite3.Connection, account_id: str, seq: int) -> AccountFacts | None:
    """Return what an account was before its first line after one; None: there is no such line."""
    row = connection.execute(_NEXT, (account_id, seq)).fetchone()
    return None if row is None else _decode(row[0])


def told(connection: sqlite3.Connection) -> tuple[datetime, DueRules] | None:
    """Return up to when all has been told and by which rules; None: nobody was ever told."""
    row = connection.execute(
        "SELECT until, max_age_s, update_by, outdated_since FROM told"
    ).fetchone()
    if row is None:
        return None
    until, max_age_s, update_by, outdated_since = row
    return when(until), DueRules(max_age_s, maybe_when(update_by), maybe_when(outdated_since))


def put_told(
    connection: sqlite3.Connection, until: datetime, rules: DueRules, lines: Sequence[Line] = ()
) -> None:
    """Remember up to when all has been told; the lines told by then are dropped."""
    connection.execute(
        "INSERT OR REPLACE INTO told VALUES (1, ?, ?, ?, ?)",
        (
            moment(until),
            rules.max_age_s,
            maybe_moment(rules.update_by),
            maybe_moment(rules.outdated_since),
        ),
    )
    if lines:
        connection.execute("DELETE FROM journal WHERE seq <= ?", (lines[-1].seq,))
