"""An administrator's verbs as a table: one record in, another out, or the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from loginward.core.acts import Verb
from loginward.core.status import UserState
from loginward.directory.embedded import life
from loginward.directory.embedded.facts import SiteRules, status_of
from loginward.directory.embedded.record import Password, Record, SetBy, Token
from loginward.directory.port import Done, NotDone

if TYPE_CHECKING:
    from loginward.core.secret import Secret

NO_PASSWORD: Final = NotDone("It has no password yet; send it an activation first.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an act may need, made before the account is held.

    Attributes:
        lock_id: An id for a lock that the act may set.
        token: An activation token and what is kept of it.
        phc: The hash of the new password; empty where the verb sets none.
    """

    now: datetime
    site: SiteRules
    lock_id: str
    token: tuple[Secret, Token]
    phc: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """The account after the act, and what to say of it."""

    record: Record
    done: Done = field(default_factory=Done)


Acted = Written | NotDone
Step = Callable[[Record, Means], Acted]


def _unlock(record: Record, means: Means) -> Acted:
    status = status_of(record, means.site, means.now)
    if status.lock is not None:
        return Written(life.unlocked(record))
    failures = len(record.tally.failures)
    if not failures:
        return Written(record, Done(was_noop=True))
    note = f"it was not locked; counted failures forgotten: {failures}"
    return Written(life.unlocked(record), Done(notes=(note,)))


def _lock(record: Record, means: Means) -> Acted:
    if record.admin_lock is not None:
        return Written(record, Done(was_noop=True))
    return Written(life.locked_by_admin(record, means.lock_id, means.now))


def _reset(record: Record, means: Means) -> Acted:
    return _set(record, means, must_change=False)


def _set_temporary(record: Record, means: Means) -> Acted:
    return _set(record, means, must_change=True)


def _set_first(record: Record, means: Means) -> Acted:
    if record.password is not None:
        return NotDone("It has a password already; use reset-password or set-temporary.")
    return _set(record, means, must_change=False)


def _set(record: Record, means: Means, *, must_change: bool) -> Written:
    after = life.with_password(
        record,
        means.phc,
        set_by=SetBy.ADMIN,
        rules=means.site.passwords,
        now=means.now,
        must_change=must_change,
    )
    return Written(after)


def _expire(record: Record, means: Means) -> Acted:
    match record.password:
        case None:
            return NO_PASSWORD
        case Password(forced_at=datetime()):
            return Written(record, Done(was_noop=True))
        case password:
            return Written(life.expired_by_admin(record, password, means.now))


def _suspend(record: Record, means: Means) -> Acted:
    if record.state is UserState.SUSPENDED:
        return Written(record, Done(was_noop=True))
    return Written(life.suspended(record, means.now))


def _activate(record: Record, means: Means) -> Acted:
    status = status_of(record, means.site, means.now)
    if status.state is UserState.ACTIVE:
        return Written(record, Done(was_noop=True))
    after = life.activated(record, means.now)
    notes = () if after.ends_at is None else (f"it still ends on {after.ends_at}",)
    return Written(after, Done(notes=notes))


def _resend(record: Record, means: Means) -> Acted:
    if record.password is not None:
        return NotDone("It has a password already, so there is nothing to activate.")
    status = status_of(record, means.site, means.now)
    if status.state is not UserState.ACTIVE:
        return NotDone(f"It is {status.state.value}; activate it first.")
    secret, token = means.token
    return Written(life.with_token(record, token), Done(token=secret))


STEPS: Final[Mapping[Verb, Step]] = MappingProxyType(
    {
        Verb.UNLOCK: _unlock,
        Verb.LOCK: _lock,
        Verb.RESET_PASSWORD: _reset,
        Verb.SET_TEMPORARY: _set_temporary,
        Verb.SET_FIRST_PASSWORD: _set_first,
        Verb.EXPIRE: _expire,
        Verb.SUSPEND: _suspend,
        Verb.ACTIVATE: _activate,
        Verb.RESEND_ACTIVATION: _resend,
    }
)
