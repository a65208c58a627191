"""Who is connected where: from an Accept's Class to the accounting of its session, in memory.

Source: RFC 2865 section 5.25, RFC 2866 sections 4 and 5. A session is ours if its accounting carries
the Class of an Accept; names decide nothing (security.md 20).
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.core.transitions import Bar
    from loginward.doors.radius.port import ResultTurn

MOST: Final = 50_000
MOST_OF_A_CLIENT: Final = 10_000
PENDING_S: Final = 600.0  # from the Accept to the first accounting
SILENT_S: Final = 2 * 86400.0  # a session that says nothing for so long has ended unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session, or the Accept that it may begin with.

    Attributes:
        account_id: Stable id of the account; empty: the accounting carries no Class of ours.
        name: As the directory spells it; of a foreign session, as the client says.
        source: Address that its accounting comes from; empty: none has come yet.
        by_tls: Whether its accounting came by TLS.
        session_id: Acct-Session-Id, as the client spells it.
        named: What names it to its NAS, as its accounting said: encoded attributes.
        is_left: Its NAS did not answer when it was to be ended.
        since: When it was accepted or first heard of, aware UTC.
        heard_at: Seconds of CLOCK_MONOTONIC.
    """

    client: str
    account_id: str = ""
    name: str
    station: str = ""
    source: str = ""
    by_tls: bool = False
    session_id: bytes = b""
    class_: bytes = b""
    named: bytes = b""
    is_left: bool = False
    since: datetime
    heard_at: float

    @property
    def is_ours(self) -> bool:
        """Whether an Accept of ours began it."""
        return bool(self.account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What an Accounting-Request says of one session.

    Attributes:
        named: As of `Session`.
        by_tls: As of `Session`.
    """

    client: str
    source: str
    session_id: bytes
    classes: tuple[bytes, ...]
    name: str
    station: str
    named: bytes = b""
    by_tls: bool = False


_Key = tuple[str, str, bytes]  # client, source, Acct-Session-Id


class Sessions:
    """The sessions of all clients; safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: OrderedDict[bytes, Session] = OrderedDict()  # by Class
        self._running: OrderedDict[_Key, Session] = OrderedDict()
        self._of_client: Counter[str] = Counter()
        self._barred: OrderedDict[str, Bar] = OrderedDict()  # accounts, since their last Accept

    def accepted(self, class_: bytes, client: str, result: ResultTurn, station: str) -> None:
        """Note an Accept: accounting with its Class is that account's."""
        now = self._clock.monotonic()
        session = Session(
            client=client,
            account_id=result.account_id,
            name=result.name,
            station=station,
            class_=class_,
            since=self._clock.now(),
            heard_at=now,
        )
        with self._lock:
            self._barred.pop(result.account_id, None)
            self._pending[class_] = session
            while len(self._pending) > MOST or self._oldest_waited(now) > PENDING_S:
                self._pending.popitem(last=False)

    def heard(self, said: Heard) -> tuple[Session, Bar] | None:
        """Note that a session runs: a start, or an interim update of one.

        Returns:
            The session and what bars its account, if it begins only now, or if its NAS did not
            answer when it was to be ended; told once.
        """
        key = (said.client, said.source, said.session_id)
        now = self._clock.monotonic()
        with self._lock:
            self._end_the_silent(now)
            known = self._running.pop(key, None)
            to_end = known is None or known.is_left
            if known is None:
                known = self._new(said, now)
                if known is None:
                    return None
                self._of_client[said.client] += 1
            running = replace(known, heard_at=now, is_left=False, by_tls=said.by_tls)
            self._running[key] = running
            bar = self._barred.get(running.account_id) if running.is_ours else None
        return (running, bar) if to_end and bar is not None else None

    def ended(self, client: str, source: str, session_id: bytes) -> None:
        """Note that a session has ended."""
        with self._lock:
            self._drop((client, source, session_id))

    def restarted(self, client: str, source: str) -> None:
        """Note that a NAS begins or ends accounting: no session of that sender is left."""
        with self._lock:
            for key in [key for key in self._running if key[:2] == (client, source)]:
                self._drop(key)

    def all(self) -> tuple[Session, ...]:
        """Return the sessions whose accounting has begun, the longest unheard first."""
        with self._lock:
            return tuple(self._running.values())

    def of_account(self, account_id: str) -> tuple[Session, ...]:
        """Return the running sessions that began with an Accept for an account."""
        return tuple(one for one in self.all() if account_id and one.account_id == account_id)

    def barred(self, account_id: str, bar: Bar) -> tuple[Session, ...]:
        """Return the running sessions of an account that is barred now.

        What of it begins later is told by `heard`, until the account is accepted again.
        """
        with self._lock:
            self._barred[account_id] = bar
            if len(self._barred) > MOST:
                self._barred.popitem(last=False)
        return self.of_account(account_id)

    def left(self, session: Session) -> None:
        """Note that the NAS of a session did not answer: `heard` tells when it is there again."""
        key = (session.client, session.source, session.session_id)
        with self._lock:
            running = self._running.get(key)
            if running is not None:
                self._running[key] = replace(running, is_left=True)

    def _new(self, said: Heard, now: float) -> Session | None:
        """Return a session heard of for the first time; None: there are too many."""
        if len(self._running) >= MOST or self._of_client[said.client] >= MOST_OF_A_CLIENT:
            return None
        pending = (self._pending.get(class_) for class_ in said.classes)
        accepted = next((one for one in pending if one and one.client == said.client), None)
        if accepted is not None:
            del self._pending[accepted.class_]
            return replace(
                accepted, source=said.source, session_id=said.session_id, named=said.named
            )
        return Session(
            client=said.client,
            name=said.name,
            station=said.station,
            source=said.source,
            session_id=said.session_id,
            since=self._clock.now(),
            heard_at=now,
        )

    def _drop(self, key: _Key) -> None:
        if self._running.pop(key, None) is not None:
            self._of_client[key[0]] -= 1

    def _end_the_silent(self, now: float) -> None:
        while self._running:
            key, oldest = next(iter(self._running.items()))
            if now - oldest.heard_at <= SILENT_S:
                return
            self._drop(key)

    def _oldest_waited(self, now: float) -> float:
        oldest = next(iter(self._pending.values()), None)
        return 0.0 if oldest is None else now - oldest.heard_at
