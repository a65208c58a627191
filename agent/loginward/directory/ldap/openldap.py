"""What an OpenLDAP entry and its policy say about an account.

Source: slapo-ppolicy(5), slapd(8) 2.5; proven against a live server by tests/live.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from loginward.core.facts import AccountFacts, Evidence, Fact, Origin
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause
from loginward.directory.ldap.generic import Read, base_facts

if TYPE_CHECKING:
    from loginward.directory.ldap.entry import Entry
    from loginward.directory.ldap.policy import Policy

LAST_LOGIN = "pwdLastSuccess"
STATUS = (
    "pwdChangedTime",
    "pwdReset",
    "pwdAccountLockedTime",
    "pwdAccountTmpLockoutEnd",
    "pwdFailureTime",
    "pwdGraceUseTime",
    "pwdStartTime",
    "pwdEndTime",
    LAST_LOGIN,
    "pwdPolicySubentry",
)
YEAR_0 = "0000"
BY_ADMIN = f"{YEAR_0}01010000Z"  # slapo-ppolicy(5): locked until somebody removes it

_SPEAKS_OF = {
    "pwdChangedTime": Fact.EXPIRY,
    "pwdReset": Fact.MUST_CHANGE,
    "pwdAccountLockedTime": Fact.LOCK,
    "pwdAccountTmpLockoutEnd": Fact.LOCK,
    LAST_LOGIN: Fact.LOCK,
    "pwdFailureTime": Fact.FAILURES,
    "pwdGraceUseTime": Fact.EXPIRY,
    "pwdStartTime": Fact.STATE,
    "pwdEndTime": Fact.STATE,
    "pwdPolicySubentry": Fact.LOCKOUT_POLICY,
}
_OF_STATUS = frozenset({Fact.STATE, Fact.EXPIRY, Fact.MUST_CHANGE, Fact.LOCK, Fact.FAILURES})
_OF_POLICY = frozenset({Fact.EXPIRY, Fact.MUST_CHANGE, Fact.LOCK, Fact.LOCKOUT_POLICY})


def facts_of(read: Read, policy: Policy | None, *, status_readable: bool) -> AccountFacts:
    """Return the facts.

    Args:
        read: The entry, and what was read beside it.
        policy: The account's policy; None: it could not be read.
        status_readable: Whether the service account may read the attributes of STATUS.
    """
    entry, facts = read.entry, base_facts(read)
    unreadable = set(facts.unreadable)
    if not status_readable:
        unreadable |= _OF_STATUS
    if policy is None:
        unreadable |= _OF_POLICY
    else:
        unreadable.discard(Fact.LOCKOUT_POLICY)
    if status_readable and policy is not None:
        unreadable -= _OF_STATUS
    changed = entry.moment("pwdChangedTime")
    return AccountFacts(
        account_id=facts.account_id,
        name=facts.name,
        ref=facts.ref,
        read_at=facts.read_at,
        starts_at=entry.moment("pwdStartTime"),
        ends_at=_earliest(entry.moment("pwdEndTime"), facts.ends_at),
        has_password=facts.has_password,
        changed_at=changed,  # a day, as shadow(5) counts, would tell no two passwords apart
        due=_due(changed, policy) + facts.due,
        must_change=facts.must_change or _must_change(entry, policy),
        locks=() if policy is None else _locks(entry, policy, read.at),
        failures=entry.moments("pwdFailureTime") if status_readable else None,
        counts=None if policy is None else policy.lockout is not None,
        lockout=None if policy is None else policy.lockout,
        grace_left=(left := _grace_left(entry, changed, policy, read.at)),
        can_change_expired=left > 0,
        warn_s=(policy.warn_s if policy is not None else None) or facts.warn_s,
        min_length=None if policy is None else policy.min_length,
        groups=facts.groups,
        unreadable=frozenset(unreadable),
        evidence=facts.evidence + _evidence(entry, policy),
    )


def with_last_login(
    evidence: tuple[Evidence, ...], last_login: tuple[str, ...]
) -> tuple[Evidence, ...]:
    """Return evidence that names another last login (pwdLastSuccess) than before."""
    rest = tuple(one for one in evidence if not one.said.startswith(f"{LAST_LOGIN}="))
    return rest + tuple(
        Evidence(Fact.LOCK, Origin.ATTRIBUTE, f"{LAST_LOGIN}={value}") for value in last_login
    )


def _must_change(entry: Entry, policy: Policy | None) -> bool:
    return policy is not None and policy.must_change and entry.flag("pwdReset")


def _due(changed: datetime | None, policy: Policy | None) -> tuple[DueDate, ...]:
    """Return when the password ages out; without pwdChangedTime it never does."""
    if changed is None or policy is None or policy.max_age_s is None:
        return ()
    return (DueDate(changed + timedelta(seconds=policy.max_age_s), ExpiryCause.AGING),)


def _grace_left(
    entry: Entry, changed: datetime | None, policy: Policy | None, now: datetime
) -> int:
    if policy is None:
        return 0
    due = _due(changed, policy)
    if due and policy.grace_s and due[0].at + timedelta(seconds=policy.grace_s) <= now:
        return 0
    return max(0, policy.grace - len(entry.moments("pwdGraceUseTime")))


def _locks(entry: Entry, policy: Policy, now: datetime) -> tuple[Lock, ...]:
    """Return every lock; an outlived one stays in the entry until the next good bind."""
    if not policy.locks:
        return ()
    found = []
    said = entry.text("pwdAccountLockedTime")
    since = entry.moment("pwdAccountLockedTime")
    if since is not None:
        found.append(_timed(entry, policy, said, since))
    elif said:  # the year 0 of an administrator, or what nobody understands: no hole
        cause = LockCause.BY_ADMIN if said.startswith(YEAR_0) else LockCause.BY_DIRECTORY
        found.append(Lock(id=f"pwdAccountLockedTime:{said}", cause=cause))
    if (until := entry.moment("pwdAccountTmpLockoutEnd")) is not None:
        found.append(
            Lock(
                id=f"pwdAccountTmpLockoutEnd:{entry.text('pwdAccountTmpLockoutEnd')}",
                cause=LockCause.BY_DIRECTORY,
                until=until,
            )
        )
    last = entry.moment(LAST_LOGIN)
    if policy.max_idle_s is not None and last is not None:
        idle = last + timedelta(seconds=policy.max_idle_s)
        if idle <= now:
            found.append(Lock(id=f"pwdLastSuccess:{last}", cause=LockCause.IDLE, since=idle))
    return tuple(found)


def _timed(entry: Entry, policy: Policy, said: str, since: datetime) -> Lock:
    failures = len(entry.moments("pwdFailureTime"))
    tripped = policy.lockout is not None and failures >= policy.lockout.threshold
    return Lock(
        id=f"pwdAccountLockedTime:{said}",
        cause=LockCause.THRESHOLD if tripped else LockCause.BY_DIRECTORY,
        since=since,
        until=None if policy.lock_s is None else since + timedelta(seconds=policy.lock_s),
        failures=failures,
    )


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((m for m in moments if m is not None), default=None)


def _evidence(entry: Entry, policy: Policy | None) -> tuple[Evidence, ...]:
    found = [
        Evidence(fact, Origin.ATTRIBUTE, f"{name}={value}")
        for name, fact in _SPEAKS_OF.items()
        for value in entry.texts(name)
    ]
    if policy is not None:
        found.append(_spelt(policy))
    return tuple(found)


@lru_cache(maxsize=64)  # one for all accounts of a policy
def _spelt(policy: Policy) -> Evidence:
    lockout = "no lockout"
    if policy.lockout is not None:
        lockout = (
            f"pwdMaxFailure={policy.lockout.threshold}"
            f" pwdFailureCountInterval={policy.lockout.window_s or 0}"
            f" pwdLockoutDuration={policy.lockout.duration_s or 0}"
        )
    said = f"{policy.dn}: pwdMaxAge={policy.max_age_s or 0} {lockout}"
    return Evidence(Fact.LOCKOUT_POLICY, Origin.POLICY, said)
