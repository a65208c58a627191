"""Explains a decision: the facts behind it, the rule that decides, and what clears it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.decision import Decision
from loginward.core.facts import AccountFacts, Fact
from loginward.core.readings import Copy, Fresh, Reading
from loginward.core.reasons import Reason
from loginward.core.status import DueDate, ExpiryCause, LockCause, PasswordStatus, Status
from loginward.wire.admin.parts import FactPart

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.policy import Asker, Rules
    from loginward.runtime.events import DecisionEvent


@dataclass(frozen=True, slots=True)
class Rule:
    """What decided: one sentence, and the setting behind it (empty: none changes it)."""

    text: str
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """Why a login cannot be foretold, what decides it then, and what would let it be foretold."""

    why: str
    rule: Rule
    clears: tuple[str, ...]


def rule_of(decision: Decision, asker: Asker, rules: Rules) -> Rule:
    """Return the rule that a decision rests on."""
    if decision.allowed_by in _LET_ON:
        return _LET_ON[decision.allowed_by]
    if decision.allowed_by:
        return Rule(
            "this resource lets people in all the same",
            f"policy.resources[{asker.resource}].keep_while",
        )
    fixed = _RULES.get(decision.reason)
    if fixed is not None:
        return fixed
    if decision.reason is Reason.PASSWORD_EXPIRED:
        value = rules.when_expired.value
        if asker.proven or rules.when_expired.value == "change":
            return Rule(_EXPIRED[value], f"policy.expiry.when_expired: {value}")
        return Rule("expired is refused at every door", f"policy.expiry.when_expired: {value}")
    if decision.reason is Reason.OFFLINE_TOO_LONG:
        return Rule(
            "a copy lets nobody in for longer than allowed",
            f"policy.offline.allowed_s: {rules.offline_allowed_s}",
        )
    return Rule("nothing stands against it")


_LET_ON = {
    "key_logins:warn": Rule(
        "an expired key login is only warned", "policy.expiry.key_logins: warn"
    ),
    "session-manager": Rule("its login was judged already"),
    "change": Rule("let on to change the password, and no further"),
}

_EXPIRED = {
    "deny": "expired is refused at every door",
    "change": "expired must be changed inside the login",
}

_RULES = {
    Reason.WRONG_CREDENTIALS: Rule("a wrong password is refused, and counts"),
    Reason.USER_UNKNOWN: Rule("a name that the directory does not have is not ours"),
    Reason.USER_STAGED: Rule("who is not yet activated has no access, whatever the password"),
    Reason.USER_SUSPENDED: Rule("who is suspended has no access, whatever the password"),
    Reason.PASSWORD_PENDING: Rule("without a password of their own nobody is let in"),
    Reason.ACCOUNT_LOCKED: Rule("a locked account is refused before its password is checked"),
    Reason.CHANGE_REQUIRED: Rule("a temporary password is good for its own change alone"),
    Reason.NOT_PERMITTED: Rule("this service is not for this account", "doors.login.allow"),
    Reason.SOURCE_THROTTLED: Rule(
        "too many accounts failed from this source", "policy.throttle.per_source_per_min"
    ),
    Reason.OFFLINE_NEVER_SEEN: Rule("offline only people known to this host are let in"),
    Reason.DIRECTORY_UNAVAILABLE: Rule("what cannot be read is unknown, never fine"),
    Reason.MALFORMED: Rule("a request that cannot be judged is refused"),
    Reason.CODE_REQUIRED: Rule("a code is asked for after the password"),
    Reason.CODE_WRONG: Rule("a wrong code is refused, and counts"),
    Reason.ENROLMENT_OVERDUE: Rule("the time to enrol has run out"),
}


def clears(decision: Decision, name: str) -> tuple[str, ...]:
    """Return what ends a refusal, the most direct first; commands as typed."""
    status = decision.status
    match decision.reason:
        case Reason.ACCOUNT_LOCKED:
            own_end: tuple[str, ...] = ()
            if decision.until is not None:
                own_end = (f"by itself at {_moment(decision.until)}",)
            reset: tuple[str, ...] = ()
            if status is not None and PasswordStatus.EXPIRED in status.statuses:
                reset = (f"loginward reset-password {name} (unlocking leaves it expired)",)
            return (f"loginward unlock {name}", *reset, *own_end)
        case Reason.PASSWORD_EXPIRED:
            return (f"loginward reset-password {name}", "the person: passwd")
        case Reason.CHANGE_REQUIRED:
            return ("the person: passwd", f"loginward reset-password {name}")
        case Reason.PASSWORD_PENDING:
            return (f"loginward resend-activation {name}", f"loginward set-first-password {name}")
        case Reason.USER_STAGED | Reason.USER_SUSPENDED:
            if decision.detail == "removed":
                return (f"loginward cache forget {name}",)
            return (f"loginward activate {name}",)
        case Reason.WRONG_CREDENTIALS:
            return ("the person tries again", f"loginward reset-password {name}")
        case Reason.CODE_WRONG | Reason.CODE_REQUIRED:
            return ("the person types the next code",)
        case Reason.ENROLMENT_OVERDUE:
            return ("enrol with the person",)
        case Reason.MALFORMED:
            return ("look at the program that asked: it sent no usable name or password",)
        case Reason.USER_UNKNOWN:
            return ("look at the spelling: loginward users lists the names",)
        case Reason.NOT_PERMITTED:
            return ("a group that doors.login.allow names for this service",)
        case Reason.OFFLINE_TOO_LONG | Reason.OFFLINE_NEVER_SEEN | Reason.DIRECTORY_UNAVAILABLE:
            return ("reach the directory (loginward status says what fails)",)
        case Reason.SOURCE_THROTTLED:
            return () if decision.until is None else (f"by itself at {_moment(decision.until)}",)
    return ()


def unknown_of(decision: Decision, reading: Reading, *, served: bool) -> Unforeseen | None:
    """Return why a decision that lets somebody on foretells nothing; None: it does.

    Args:
        served: Whether there is a service account, which is then shown too little.
    """
    if not decision.lets_in or not isinstance(reading, Fresh | Copy):
        return None
    if not reading.facts.unreadable & _DECIDING:
        return None
    return _SHOWN_TOO_LITTLE if served else _NO_ACCOUNT


_DECIDING = frozenset({Fact.STATE, Fact.LOCK, Fact.EXPIRY})
_NO_ACCOUNT = Unforeseen(
    "status cannot be read: there is no service account",
    Rule("only the directory's answer to a login tells", "directory.service_account"),
    ("set directory.service_account, and the status can be read",),
)
_SHOWN_TOO_LITTLE = Unforeseen(
    "status cannot be read: the directory does not show it to the service account",
    Rule("only the directory's answer to a login tells", "directory.service_account"),
    ("let directory.service_account read status (loginward doctor says what it may not)",),
)


def decided_then(event: DecisionEvent) -> Decision:
    """Return the decision of an event, as far as the trail keeps it."""
    return Decision(
        verdict=event.verdict,
        reason=event.reason,
        until=event.until,
        allowed_by=event.allowed_by,
        detail=event.detail,
    )


def clears_since(then: Decision, today: Decision, name: str) -> tuple[str, ...]:
    """Return what ends a refusal of the past, seen from today.

    What the password brought about is not seen today, when the right one is taken for granted.
    """
    if then.lets_in or then.reason in _OF_THE_ATTEMPT:
        return clears(then, name)
    if today.reason is then.reason:
        return clears(today, name)
    if today.lets_in:
        return ("nothing any more: with the right password it would be let in now",)
    return clears(today, name)


_OF_THE_ATTEMPT = frozenset(
    {
        Reason.WRONG_CREDENTIALS,
        Reason.USER_UNKNOWN,
        Reason.CODE_WRONG,
        Reason.NOT_PERMITTED,
        Reason.SOURCE_THROTTLED,
        Reason.MALFORMED,
    }
)


def facts_of(
    reading: Reading, status: Status | None, source: str, now: datetime
) -> tuple[FactPart, ...]:
    """Return the facts of a reading, each with its source, its age and how it was spelt."""
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
        parts.append(_moment(status.state_date))
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
        parts.append(f"changed {_moment(facts.changed_at)}")
    if status.due is not None:
        parts.append(_due(facts, status.due, is_past=PasswordStatus.EXPIRED in status.statuses))
    if status.must_change:
        parts.append("temporary, must be changed")
    return value, ", ".join(parts)


def _due(facts: AccountFacts, due: DueDate, *, is_past: bool) -> str:
    """Return when a password falls or fell due, with the age that led there."""
    if due.cause is ExpiryCause.AGING and facts.changed_at is not None:
        text = f"max age {(due.at - facts.changed_at).days} d -> {_moment(due.at)}"
    else:
        text = f"{'expired' if is_past else 'falls due'} {_moment(due.at)}"
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
    parts += [f"since {_moment(lock.since)}"] if lock.since is not None else []
    ends = (
        "until an administrator unlocks" if lock.until is None else f"until {_moment(lock.until)}"
    )
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


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
