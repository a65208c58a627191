"""What is remembered of passwords: the last one proven, and those known to be wrong.

In memory alone, as tags keyed anew in each process. The wrong ones are kept only while the entry's
change time can be read and does not move, so that a phone with an old password locks nobody out.
"""

from __future__ import annotations

import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.crypto.tags import Tagger

ACCOUNTS = 20_000
WRONG_TAGS = 8  # an account
WRONG_FOR = timedelta(hours=24)
SETTLED_FOR = timedelta(seconds=2)  # a change time younger than this may still be moving


@dataclass(frozen=True, slots=True)
class _Proven:
    changed_at: datetime | None
    tag: bytes


class LastProven:
    """The last password that the directory proved, one an account, whole HMAC-SHA-256."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger
        self._lock = threading.Lock()
        self._proven: OrderedDict[str, _Proven] = OrderedDict()

    def matches(self, account: AccountFacts, password: Secret) -> bool:
        """Return whether this is the password last proven, at an unmoved change time."""
        with self._lock:
            last = self._proven.get(account.account_id)
        if last is None:
            return False
        tag = self._tag(account, password)
        return last.changed_at == account.changed_at and hmac.compare_digest(last.tag, tag)

    def remember(self, account: AccountFacts, password: Secret) -> None:
        """Take note of a proof."""
        proven = _Proven(account.changed_at, self._tag(account, password))
        with self._lock:
            self._proven[account.account_id] = proven
            self._proven.move_to_end(account.account_id)
            while len(self._proven) > ACCOUNTS:
                self._proven.popitem(last=False)

    def forget(self, account_id: str) -> None:
        """Forget the proof of an account, if there is one."""
        with self._lock:
            self._proven.pop(account_id, None)

    def _tag(self, account: AccountFacts, password: Secret) -> bytes:
        return self._tagger.full(b"proven", account.account_id.encode(), password.reveal())


@dataclass(slots=True)
class _Wrong:
    changed_at: datetime
    seen: OrderedDict[bytes, datetime]


class Repeats:
    """Passwords known to be wrong, as 64-bit tags."""

    def __init__(self, tagger: Tagger, clock: Clock) -> None:
        self._tagger = tagger
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()

    def is_known_wrong(self, account: AccountFacts, password: Secret) -> bool:
        """Return whether this password failed before at this change time; renews its window."""
        if account.account_id not in self._wrong or not _is_readable(account):
            return False
        now, tag = self._clock.now(), self._tag(account, password)
        with self._lock:
            wrong = self._wrong.get(account.account_id)
            if wrong is None or wrong.changed_at != account.changed_at:
                return False
            last = wrong.seen.get(tag)
            if last is None or now - last > WRONG_FOR:
                return False
            wrong.seen[tag] = now
            wrong.seen.move_to_end(tag)
            self._wrong.move_to_end(account.account_id)
            return True

    def remember(self, account: AccountFacts, password: Secret) -> None:
        """Take note of a wrong password, where its change time can be relied on."""
        if account.changed_at is None or not _is_readable(account):
            return
        now, tag = self._clock.now(), self._tag(account, password)
        with self._lock:
            wrong = self._wrong.get(account.account_id)
            if wrong is None or wrong.changed_at != account.changed_at:
                wrong = self._wrong[account.account_id] = _Wrong(account.changed_at, OrderedDict())
            wrong.seen[tag] = now
            wrong.seen.move_to_end(tag)
            while len(wrong.seen) > WRONG_TAGS:
                wrong.seen.popitem(last=False)
            self._wrong.move_to_end(account.account_id)
            while len(self._wrong) > ACCOUNTS:
                self._wrong.popitem(last=False)

    def forget(self, account_id: str) -> None:
        """Forget what was wrong for an account: it was unlocked or reset."""
        with self._lock:
            self._wrong.pop(account_id, None)

    def _tag(self, account: AccountFacts, password: Secret) -> bytes:
        return self._tagger.short(b"wrong", account.account_id.encode(), password.reveal())


def _is_readable(account: AccountFacts) -> bool:
    """Return whether the change time is settled, by the clock that read the entry."""
    changed_at = account.changed_at
    return (
        changed_at is not None
        and not account.pass_through
        and changed_at.timestamp() > 0
        and account.read_at - changed_at >= SETTLED_FOR
    )
