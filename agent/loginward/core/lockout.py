"""Counting wrong passwords and locking: pure rules over one account's tally.

An attempt is reserved before its password is checked, so that parallel guesses never test more
passwords than are left (I6). A failure that settles may lock; a reservation alone never does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome, Reserved
from loginward.core.facts import LockoutPolicy
from loginward.core.status import Lock, LockCause

RECOVERED_FOR_S = 900  # how long a reservation found after a crash counts, if there is no window


@dataclass(frozen=True, slots=True)
class Failure:
    """One counted failure; `at` is aware UTC, `source` names door and device."""

    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Pending:
    """One attempt in flight; `recovered` if its process died before it settled."""

    reservation: str
    at: datetime
    source: str
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """Everything counted about one account.

    Attributes:
        epoch: Raised whenever the tally is cleared; older counters elsewhere are void.
    """

    failures: tuple[Failure, ...] = ()
    pending: tuple[Pending, ...] = ()
    lock: Lock | None = None
    epoch: int = 0


def reserve(
    tally: Tally,
    *,
    reservation: str,
    source: str,
    policy: LockoutPolicy,
    now: datetime,
    late: bool = False,
) -> tuple[Tally, Reserved]:
    """Reserve one attempt, or say why not; one that was made already, `late`, has its place.

    Returns:
        The tally to keep, without what is outlived, and Granted, AtLimit or LockedNow.
    """
    tally = _without_outlived(tally, policy, now)
    if tally.lock is not None:
        return tally, LockedNow(tally.lock)
    spent = len(tally.failures) + len(tally.pending)
    if tally.pending and spent >= policy.threshold and not late:
        return tally, AtLimit(in_flight=len(tally.pending))
    mine = Pending(reservation, now, source)
    return replace(tally, pending=(*tally.pending, mine)), Granted(reservation)


def settle(
    tally: Tally,
    *,
    reservation: str,
    outcome: Outcome,
    lock_id: str,
    policy: LockoutPolicy,
    now: datetime,
) -> tuple[Tally, Lock | None]:
    """End a reservation; one that is not pending (settled, cleared, outlived) changes nothing.

    Nor does one that was recovered: its process is gone, so its verdict is nobody's (R15).

    Returns:
        The tally to keep, and the lock if this very failure tripped it.
    """
    mine = next((p for p in tally.pending if p.reservation == reservation), None)
    if mine is None or mine.recovered:
        return tally, None
    rest = tuple(p for p in tally.pending if p is not mine)
    tally = _without_outlived(replace(tally, pending=rest), policy, now)
    if outcome is Outcome.ALLOWED:
        return replace(tally, failures=()), None
    if outcome is not Outcome.WRONG or tally.lock is not None:
        return tally, None
    failures = (*tally.failures, Failure(now, mine.source))
    if len(failures) < policy.threshold:
        return replace(tally, failures=failures), None
    lock = Lock(
        id=lock_id,
        cause=LockCause.THRESHOLD,
        since=now,
        until=_later(now, policy.duration_s),
        source=mine.source,
        failures=len(failures),
    )
    return replace(tally, failures=(), lock=lock), lock


def cleared(tally: Tally, until: datetime | None = None) -> Tally:
    """Return the tally after an unlock or a reset: attempts in flight can no longer trip it.

    Args:
        until: When it was (aware UTC), where that comes to be known later: what was counted since
            has nothing to do with it and stays. None: now.
    """
    if until is None:
        return Tally(epoch=tally.epoch + 1)
    lock = tally.lock
    is_newer = lock is not None and lock.since is not None and lock.since > until
    return Tally(
        failures=tuple(f for f in tally.failures if f.at > until),
        pending=tuple(p for p in tally.pending if p.at > until),
        lock=lock if is_newer else None,
        epoch=tally.epoch + 1,
    )


def recovered(tally: Tally) -> Tally:
    """Return the tally as a new process finds it: what was pending has no verdict any more."""
    return replace(tally, pending=tuple(replace(p, recovered=True) for p in tally.pending))


def _without_outlived(tally: Tally, policy: LockoutPolicy, now: datetime) -> Tally:
    lock = tally.lock if tally.lock is not None and tally.lock.holds(now) else None
    return replace(
        tally,
        lock=lock,
        failures=tuple(f for f in tally.failures if _is_recent(f.at, policy.window_s, now)),
        pending=tuple(
            p
            for p in tally.pending
            if not p.recovered or _is_recent(p.at, policy.window_s or RECOVERED_FOR_S, now)
        ),
    )


def _is_recent(at: datetime, window_s: int | None, now: datetime) -> bool:
    return window_s is None or now - at < timedelta(seconds=window_s)


def _later(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
