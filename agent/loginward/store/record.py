"""What is kept of one account, and its octets before they are sealed (MessagePack)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from loginward.core.facts import AccountFacts
from loginward.core.lockout import Tally
from loginward.store.timekeeping import stretch

if TYPE_CHECKING:
    from loginward.core.status import Lock
    from loginward.store.timekeeping import Gap

AGENT: Final = "agent"  # keeper of locks that are ours online
OFFLINE: Final = "offline"
_MOST_TALLIES: Final = 32
RETIRED_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Proves one password without the directory.

    Attributes:
        phc: Argon2id over the peppered password.
        changed_at: Change time of the entry when the directory proved the password.
        generation: Of the copy, then.
    """

    phc: str = field(repr=False)
    account_id: str
    changed_at: datetime | None
    generation: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Retired:
    """A verifier of a password that was changed since: a match is a wrong password."""

    verifier: Verifier
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything kept of one account. All datetimes are aware UTC.

    Attributes:
        facts: As last read from the directory; `facts.read_at` is when.
        generation: Moves whenever what a login depends on moved.
        tallies: By keeper: "agent", "offline", "screen 1000", "resource mail".
        proven_online_at: When the directory last proved a password of it.
        guesses: Wrong passwords offline since then, whatever the clocks did.
        missing_since: When the directory first answered that it has no such name.
        removed: It said so again, and answered for others meanwhile.
        doubt: The row was lost or put back: what was counted is unknown.
        aged_to: End of the last gap that the tallies were already shifted by.
    """

    facts: AccountFacts
    generation: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    verifier: Verifier | None = None
    retired: tuple[Retired, ...] = ()
    proven_online_at: datetime | None = None
    guesses: int = 0
    missing_since: datetime | None = None
    removed: bool = False
    doubt: bool = False
    aged_to: datetime | None = None

    def copy(self, gaps: tuple[Gap, ...]) -> AccountFacts:
        """Return the last known copy as it holds now: no timed lock has run down in a gap."""
        facts = self.facts
        if self.removed:
            facts = replace(facts, removed=True)
        if gaps and facts.locks:
            facts = replace(facts, locks=tuple(_stretched(lock, gaps) for lock in facts.locks))
        return facts

    def tally(self, keeper: str) -> Tally:
        """Return what a keeper counted."""
        return self.tallies.get(keeper, Tally())

    def with_tally(self, keeper: str, tally: Tally) -> Record:
        """Return the record with a tally of a keeper put in."""
        kept = {key: value for key, value in self.tallies.items() if value != Tally()}
        kept.pop(keeper, None)
        while len(kept) >= _MOST_TALLIES:  # screens of many uids: the one longest untouched
            kept.pop(next(key for key in kept if key not in {AGENT, OFFLINE}))
        return replace(self, tallies={**kept, keeper: tally})

    def aged(self, gaps: tuple[Gap, ...]) -> Record:
        """Return the record with its tallies shifted by gaps that nobody has vouched for."""
        if not gaps:
            return self
        fresh = tuple(g for g in gaps if self.aged_to is None or g.ended > self.aged_to)
        if not fresh:
            return self
        return replace(
            self,
            tallies={keeper: _shifted(tally, fresh) for keeper, tally in self.tallies.items()},
            aged_to=fresh[-1].ended,
        )


def _shifted(tally: Tally, gaps: tuple[Gap, ...]) -> Tally:
    return replace(
        tally,
        failures=tuple(replace(f, at=f.at + stretch(gaps, f.at)) for f in tally.failures),
        pending=tuple(replace(p, at=p.at + stretch(gaps, p.at)) for p in tally.pending),
        lock=None if tally.lock is None else _stretched(tally.lock, gaps),
    )


def _stretched(lock: Lock, gaps: tuple[Gap, ...]) -> Lock:
    if lock.until is None:
        return lock
    return replace(lock, until=lock.until + stretch(gaps, lock.since))


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Record)


def encode(record: Record) -> bytes:
    """Return the octets of a record."""
    return _encoder.encode(record)


def decode(octets: bytes) -> Record:
    """Return the record of octets.

    Raises:
        ValueError: They are no record of this schema version.
    """
    return _decoder.decode(octets)
