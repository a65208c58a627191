"""The facts of a reading, for a person: each with its source, its age and how it was spelt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.facts import AccountFacts, Fact
from loginward.core.readings import Copy, Fresh, Reading
from loginward.core.status import DueDate, ExpiryCause, LockCause, PasswordStatus, Status
from loginward.wire.admin.parts import FactPart

if TYPE_CHECKING:
    from datetime import datetime


def facts_of(
    reading: Reading, status: Status | None, source: str, now: datetime
) -> tuple[FactPart, ...]:
    """Return the facts of a reading, or the one that the account is unknown.

    Args:
        status: At that moment; None only where the reading has no facts.
        source: Where a fresh reading comes from; a copy says so itself.
        now: Aware UTC; ages are counted from it.
    """
    if not isinstance(reading, Fresh | Copy) or status is None:
        return (FactPart(fact="account", value="unknown", source=source),)
    facts = reading.facts
    spoken = (
        (Fact.STATE, "state", *_state(status)),
        (Fact.PASSWORD, "password", *_password(facts, status)),
        (Fact.LOCK, "lock", *_lock(status)),
        (Fact.FAILURES, "failures", *_failures(facts)),
    )
    age_s = max(0.0, (now - facts.read_at).total_seconds())
    return tuple(
        FactPart(
            fact=word,
            value="unreadable" if fact in facts.unreadable else value,
            detail=detail,
            source="local copy" if isinstance(reading, Copy) else source,
            age_s=age_s,
            evidence=_evidence(facts, fact),
        )
        for fact, word, value, detail in spoken
    )


def _evidence(facts: AccountFacts, fact: Fact) -> str:
    return "; ".join(e.said for e in facts.evidence if _SPEAKS_OF.get(e.fact, e.fact) is fact)


_SPEAKS_OF = {Fact.EXPIRY: Fact.PASSWORD, Fact.MUST_CHANGE: Fact.PASSWORD}


def _state(status: Status) -> tuple[str, str]:
    parts = [] if status.state_cause is None else [status.state_cause.value.replace("-", " ")]
    if status.state_date is not None:
        parts.append(moment(status.state_date))
    return status.state.value, " ".join(parts)


def _password(facts: AccountFacts, status: Status) -> tuple[str, str]:
    if facts.has_password is None:
        return "unreadable", ""
    value = "active"
    for held in (PasswordStatus.PENDING, PasswordStatus.EXPIRED):
        if held in status.statuses:
            value = held.value
    parts = []
    if facts.changed_at is not None:
        parts.append(f"changed {moment(facts.changed_at)}")
    if status.due is not None:
        parts.append(_due(facts, status.due, is_past=PasswordStatus.EXPIRED in status.statuses))
    if status.must_change:
        parts.append("temporary, must be changed")
    return value, ", ".join(parts)


def _due(facts: AccountFacts, due: DueDate, *, is_past: bool) -> str:
    """Return when a password falls or fell due, with the age that led there."""
    if due.cause is ExpiryCause.AGING and facts.changed_at is not None:
        text = f"max age {(due.at - facts.changed_at).days} d -> {moment(due.at)}"
    else:
        text = f"{'expired' if is_past else 'falls due'} {moment(due.at)}"
    return f"{text}; cause {_CAUSES[due.cause]}" if is_past else text


_CAUSES = {
    ExpiryCause.AGING: "aging",
    ExpiryCause.POLICY_DEADLINE: "the policy's deadline",
    ExpiryCause.BY_ADMIN: "an administrator",
}


def _lock(status: Status) -> tuple[str, str]:
    lock = status.lock
    if lock is None:
        return "none", ""
    parts = [f"{lock.failures} failures"] if lock.failures else []
    parts += [lock.source] if lock.source else []
    parts += [f"since {moment(lock.since)}"] if lock.since is not None else []
    ends = "until an administrator unlocks" if lock.until is None else f"until {moment(lock.until)}"
    return _LOCKS[lock.cause], ", ".join([*parts, ends])


_LOCKS = {
    LockCause.THRESHOLD: "threshold",
    LockCause.BY_ADMIN: "by an administrator",
    LockCause.BY_DIRECTORY: "by the directory",
    LockCause.IDLE: "idle",
}


def _failures(facts: AccountFacts) -> tuple[str, str]:
    if facts.failures is None:
        return "unreadable", ""
    of = "" if facts.lockout is None else f"locks at {facts.lockout.threshold}"
    return str(len(facts.failures)), of


def moment(at: datetime) -> str:
    """Return an aware UTC moment as a text of a row holds it (RFC 3339), to be shown in the reader's zone."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
