"""What an account went through lately: the lock that holds no more, and the last refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.reasons import Verdict
from loginward.core.transitions import Transition
from loginward.runtime.events import ActEvent, AnyEvent, DecisionEvent, TransitionEvent
from loginward.wire.admin.parts import EndedLockPart, RefusalPart

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from loginward.wire.admin.parts import LockPart, StatusPart


@dataclass(frozen=True, slots=True)
class Past:
    """What the trail knows of an account.

    Attributes:
        ended: The last lock; only to be shown where none holds.
        refusal: The last refusal.
    """

    ended: EndedLockPart | None = None
    refusal: RefusalPart | None = None


def past_of(newest_first: Iterable[AnyEvent], now: datetime) -> Past:
    """Return the past of one account from its events; reads no further back than it needs."""
    ended: EndedLockPart | None = None
    refusal: RefusalPart | None = None
    seen_ended: EndedLockPart | None = None  # by whom is in an event further back
    for event in newest_first:
        if refusal is None and isinstance(event, DecisionEvent):
            refusal = _refusal(event)
        if ended is None:
            told = _ended(event, now)
            if _is_seen(event) and told is not None:
                seen_ended = seen_ended or told
            elif told is not None:
                ended = _the_earlier(told, seen_ended)
        if ended is not None and refusal is not None:
            break
    return Past(ended or seen_ended, refusal)


def _refusal(event: DecisionEvent) -> RefusalPart | None:
    if event.verdict is not Verdict.REFUSE or not event.reference:
        return None
    return RefusalPart(
        reference=event.reference,
        at=event.at,
        reason=event.reason,
        service=event.service,
        source=event.source,
    )


def _ended(event: AnyEvent, now: datetime) -> EndedLockPart | None:
    """Return the lock that an event speaks of, with its end as far as this event knows it."""
    match event:
        case ActEvent(problem="", before=before, after=after):
            lock = _lock(before)
            if lock is not None and _lock(after) is None:
                return EndedLockPart(lock=lock, ended_at=event.at, by=event.by, verb=event.verb)
            return _by_itself(_lock(after), now, now)
        case TransitionEvent(transition=Transition.UNLOCKED, before=before):
            return _by_itself(_lock(before), event.at, now)
        case TransitionEvent(after=after):
            return _by_itself(_lock(after), now, now)
        case DecisionEvent(tripped=tripped, status=status):
            return _by_itself(tripped or _lock(status), now, now)
    return None


def _by_itself(lock: LockPart | None, seen_at: datetime, now: datetime) -> EndedLockPart | None:
    """Return a lock that ended at its own end, or by somebody elsewhere when that was seen."""
    if lock is None:
        return None
    at_its_end = lock.until is not None and lock.until <= now
    ended_at = lock.until if at_its_end and lock.until is not None else seen_at
    return EndedLockPart(lock=lock, ended_at=ended_at)


def _the_earlier(told: EndedLockPart, seen: EndedLockPart | None) -> EndedLockPart:
    """Return who ended a lock rather than that it was seen to have ended, if it is the same one."""
    if seen is None or (told.by and _is_same(told.lock, seen.lock)):
        return told
    return seen


def _is_seen(event: AnyEvent) -> bool:
    """Whether an end of a lock was seen from outside; an act just before may have been its cause."""
    return isinstance(event, TransitionEvent) and event.transition is Transition.UNLOCKED


def _is_same(one: LockPart, other: LockPart) -> bool:
    return (one.cause, one.since) == (other.cause, other.since)


def _lock(status: StatusPart | None) -> LockPart | None:
    return None if status is None else status.lock
