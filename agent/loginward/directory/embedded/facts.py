"""What the law may know of an embedded account, with the evidence `why` prints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loginward.core.facts import AccountFacts, Evidence, Fact, LockoutPolicy, Origin, status_at
from loginward.core.passwords import PasswordRules, due_dates

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.status import DueDate, Lock, Status
    from loginward.directory.embedded.record import Record


@dataclass(frozen=True, slots=True)
class SiteRules:
    """What the site decided about passwords and about locking."""

    passwords: PasswordRules
    lockout: LockoutPolicy


def facts_of(record: Record, site: SiteRules, read_at: datetime) -> AccountFacts:
    """Return the facts of one account, read at that moment (aware UTC), without evidence."""
    password = record.password
    due: tuple[DueDate, ...] = ()
    if password is not None:
        due = due_dates(
            password.changed_at,
            site.passwords,
            forced_at=password.forced_at,
            outdated=password.outdated,
        )
    return AccountFacts(
        account_id=record.id,
        name=record.name,
        ref=record.id,
        read_at=read_at,
        state=record.state,
        state_since=record.state_since,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        has_password=password is not None,
        changed_at=None if password is None else password.changed_at,
        due=due,
        must_change=password is not None and password.must_change,
        locks=locks_of(record),
        failures=tuple(failure.at for failure in record.tally.failures),
        counts=True,
        lockout=site.lockout,
        can_change_expired=True,
        min_length=site.passwords.min_length,
        groups=record.groups,
    )


def explained(record: Record, facts: AccountFacts) -> AccountFacts:
    """Return the facts with the evidence that `why` prints."""
    return replace(facts, evidence=_evidence(record, facts))


def status_of(record: Record, site: SiteRules, now: datetime) -> Status:
    """Return what the account is at `now`."""
    return status_at(facts_of(record, site, now), now)


def locks_of(record: Record) -> tuple[Lock, ...]:
    """Return the locks kept, in force or outlived."""
    return tuple(lock for lock in (record.admin_lock, record.tally.lock) if lock is not None)


def _evidence(record: Record, facts: AccountFacts) -> tuple[Evidence, ...]:
    said: list[tuple[Fact, str]] = [(Fact.STATE, _state_said(record))]
    password = record.password
    if password is None:
        said.append((Fact.PASSWORD, "none set"))
    else:
        said.append(
            (Fact.PASSWORD, f"set_by={password.set_by.value} changed_at={password.changed_at}")
        )
        if password.must_change:
            said.append((Fact.MUST_CHANGE, "must_change=true"))
    said.extend((Fact.EXPIRY, f"{due.cause.value} at {due.at}") for due in facts.due)
    said.extend(
        (Fact.LOCK, f"{lock.cause.value} id={lock.id} since={lock.since} until={lock.until}")
        for lock in facts.locks
    )
    if record.tally.failures:
        sources = ", ".join(sorted({failure.source for failure in record.tally.failures}))
        said.append((Fact.FAILURES, f"{len(record.tally.failures)} from {sources}"))
    if record.groups:
        said.append((Fact.GROUPS, ", ".join(sorted(record.groups))))
    return tuple(Evidence(fact, Origin.EMBEDDED, text) for fact, text in said)


def _state_said(record: Record) -> str:
    dates = (
        ("since", record.state_since),
        ("starts_at", record.starts_at),
        ("ends_at", record.ends_at),
    )
    parts = [f"state={record.state.value}", *(f"{k}={v}" for k, v in dates if v is not None)]
    return " ".join(parts)
