"""The accounts of a directory elsewhere that this host knows, as the watcher sees them.

They are read again every `poll_s`, one after the other and spread over half of it: a thousand
accounts take one connection of the service account, and never for long. Between two readings time
is watched, and what logins, administrators and a directory that tells of changes have to say is
taken from the news.
"""

from __future__ import annotations

import heapq
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.core.transitions import Moved, bare, is_alike, moments_of, over_time
from loginward.errors import DirectoryUnavailable
from loginward.runtime.news import Stirred

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loginward.core.facts import AccountFacts
    from loginward.runtime.agent import Parts

_log = logging.getLogger(__name__)
_READ_S: Final = 2.5
_FEW: Final = 50  # so many are read without a pause
# A directory that is away is asked again soon, so that it is seldom a login that waits for it.
_PROBE_EVERY_S: Final = 0.25
_PROBE_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was judged last, and for which moment."""

    facts: AccountFacts
    at: datetime


class KnownAccounts:
    """Keeps of each known account what transitions follow from; for one thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._seen: dict[str, _Seen] = {}
        self._met_as: dict[str, AccountFacts] = {}  # how who was met since the last round was found
        self._moments: list[tuple[datetime, str]] = []  # a heap; a moment may have been put off
        self._judged_at: datetime | None = None
        self._round = deque[str]()
        self._pause_s = 0.0
        self._round_at = 0.0
        self._read_at = 0.0
        self._away = False
        self.looked_at: datetime | None = None
        self.looks = 0

    def moved(self, *, everything: bool) -> Iterator[Moved]:
        """Yield what became of the accounts; with `everything` each is read now, unpaced."""
        yield from self._of_news()
        yield from self._of_time()
        if everything or (not self._round and self._parts.clock.monotonic() >= self._round_at):
            yield from self._begin_round()
        yield from self._of_round(everything=everything)

    def next_in_s(self) -> float:
        """Return how long nothing is to be expected, seconds."""
        clock = self._parts.clock
        now = clock.now()
        if self._judged_at is None or now < self._judged_at:  # a clock set back
            return 0.0
        next_s = (self._read_at if self._round else self._round_at) - clock.monotonic()
        if not self._moments:
            return next_s
        return min(next_s, (self._moments[0][0] - now).total_seconds())

    def _is_wanted(self) -> bool:
        """Return whether there is something that must not wait for the rest of a round."""
        due = self._moments and self._moments[0][0] <= self._parts.clock.now()
        return bool(due) or self._parts.news.is_waiting

    def _begin_round(self) -> Iterator[Moved]:
        """Take in who is known by now, let go of who is not, and read each again."""
        parts, poll_s = self._parts, self._parts.settings.directory.watch.poll_s
        known = set[str]()
        self._met_as.clear()
        for copy in parts.knowledge.accounts():
            known.add(copy.account_id)
            if copy.account_id not in self._seen:
                self._keep(parts.keepers.with_own_lock(copy), copy.read_at)
                yield from self._judge(copy.account_id, None)
        for gone in self._seen.keys() - known:
            del self._seen[gone]
        self._round = deque(known)
        if not known:
            self.looked_at = parts.clock.now()
        self._pause_s = 0.0 if len(known) < _FEW else poll_s / 2 / len(known)
        self._round_at = parts.clock.monotonic() + poll_s

    def _of_round(self, *, everything: bool) -> Iterator[Moved]:
        """Read on in the round under way; it is left where something must not wait for it."""
        clock = self._parts.clock
        while self._round and (everything or clock.monotonic() >= self._read_at):
            if not everything and self._is_wanted():
                return
            account_id = self._round.popleft()
            yield from self._look_at(account_id)
            if self._away:
                self._round.append(account_id)  # another one is asked the next time
                self._read_at = clock.monotonic() + _PROBE_EVERY_S
                return
            self._read_at = clock.monotonic() + self._pause_s
            if not self._round:
                self.looked_at = clock.now()

    def _of_news(self) -> Iterator[Moved]:
        """Judge what others have read first: a reading made now would overtake it."""
        stirred = dict[str, None]()
        for news in self._parts.news.take():
            if isinstance(news, Stirred):
                stirred[news.account_id] = None
                continue
            account_id = news.after.account_id
            seen = self._seen.get(account_id)
            if seen is None:
                self._keep(news.before, news.before.read_at)
            else:
                yield from self._before_met(news.before)
                if news.after.read_at < seen.facts.read_at:
                    continue  # a later reading has been judged already
            yield from self._judge(account_id, self._parts.keepers.with_own_lock(news.after))
        for account_id in stirred:
            if account_id:
                yield from self._look_at(account_id)
            else:
                self._round_at = 0.0

    def _of_time(self) -> Iterator[Moved]:
        now = self._parts.clock.now()
        if self._judged_at is not None and now < self._judged_at:
            self._moments = [(at, one) for one in self._seen for at in self._ahead(one, now)]
            heapq.heapify(self._moments)
            due = list(self._seen)
        else:
            due = []
        self._judged_at = now
        while self._moments and self._moments[0][0] <= now:
            due.append(heapq.heappop(self._moments)[1])
        for account_id in due:
            yield from self._judge(account_id, None)

    def _look_at(self, account_id: str) -> Iterator[Moved]:
        """Read an account again and judge it; where no server answers, what was known stays."""
        self.looks += 1
        parts = self._parts
        seen = self._seen.get(account_id) or self._met(account_id)
        if seen is None:
            return
        deadline = Deadline.after(_PROBE_S if self._away else _READ_S, parts.clock)
        try:
            facts = parts.directory.read(seen.facts, deadline)
        except DirectoryUnavailable as error:
            self._unanswered(error)
            return
        self._answered()
        if facts is None:
            yield from self._judge(account_id, parts.knowledge.gone(seen.facts, deadline))
            return
        parts.keepers.notice(facts)
        yield from self._judge(
            account_id, parts.keepers.with_own_lock(parts.knowledge.learn(facts))
        )

    def _met(self, account_id: str) -> _Seen | None:
        """Take in who has come to be known since the last round; None: nobody known here."""
        copy = self._parts.store.recent_copy(account_id)
        if copy is None:
            return None
        self._keep(self._parts.keepers.with_own_lock(copy), copy.read_at)
        self._met_as[account_id] = self._seen[account_id].facts
        return self._seen[account_id]

    def _before_met(self, before: AccountFacts) -> tuple[Moved, ...]:
        """Return what became of an account before it was met: the copy met knew of it already."""
        met = self._met_as.pop(before.account_id, None)
        if met is None or before.read_at >= met.read_at or is_alike(bare(before), met):
            return ()
        return (Moved(bare(before), before.read_at, met, met.read_at),)

    def _judge(self, account_id: str, read: AccountFacts | None) -> tuple[Moved, ...]:
        """Return what became of an account since it was judged last; None: only time passed."""
        self.looks += 1
        seen, now = self._seen.get(account_id), self._parts.clock.now()
        if seen is None:
            return ()
        after = seen.facts if read is None else read
        self._keep(after, now)
        if is_alike(seen.facts, after):
            return over_time(seen.facts, seen.at, after, now)
        return (Moved(seen.facts, seen.at, after, now),)

    def _keep(self, facts: AccountFacts, at: datetime) -> None:
        account_id = facts.account_id
        seen = self._seen.get(account_id)
        self._seen[account_id] = _Seen(bare(facts), at)
        if seen is None or not is_alike(seen.facts, facts):
            for moment in self._ahead(account_id, at):
                heapq.heappush(self._moments, (moment, account_id))

    def _ahead(self, account_id: str, now: datetime) -> Iterator[datetime]:
        return (at for at in moments_of(self._seen[account_id].facts) if at > now)

    def _unanswered(self, error: DirectoryUnavailable) -> None:
        """Say once in an outage that there is one; a single account that cannot be read is none."""
        if self._away or any(server.usable for server in self._parts.directory.health()):
            return
        self._away = True
        _log.warning(
            "watch: the directory does not answer (%s): what was known of %d accounts stays",
            error.stage,
            len(self._seen),
        )

    def _answered(self) -> None:
        if self._away:
            self._away = False
            self._round_at = 0.0  # whatever happened meanwhile is looked for at once
            _log.info("watch: the directory answers again")
