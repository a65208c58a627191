"""What any LDAP entry says about an account: its name, its ids, the dates of RFC 2307.

Source: RFC 4530 (entryUUID), RFC 2307.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.facts import AccountFacts, Evidence, Fact, Origin
from loginward.core.status import DueDate, ExpiryCause
from loginward.directory.ldap import shadow

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.directory.ldap.entry import Entry

IDS = ("entryUUID", "nsUniqueId")
_UNKNOWN = frozenset({Fact.LOCK, Fact.FAILURES, Fact.LOCKOUT_POLICY, Fact.MUST_CHANGE})
_SPEAKS_OF = {
    "shadowExpire": Fact.STATE,
    "shadowLastChange": Fact.EXPIRY,
    "shadowMax": Fact.EXPIRY,
    "shadowWarning": Fact.EXPIRY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An entry and what was read beside it.

    Attributes:
        at: When (aware UTC).
        has_password: None where that cannot be read.
        password_evidence: How it was learnt, for `why`.
    """

    entry: Entry
    at: datetime
    login_attribute: str
    has_password: bool | None
    password_evidence: Evidence
    groups: frozenset[str]


def id_of(entry: Entry) -> str:
    """Return the id that survives a change of name; its DN where the server keeps none."""
    return next(filter(None, map(entry.text, IDS)), entry.dn)


def base_facts(read: Read) -> AccountFacts:
    """Return the facts that need no password policy; locks and failures are unknown."""
    entry = read.entry
    due = shadow.due_at(entry)
    unreadable = _UNKNOWN if read.has_password is not None else _UNKNOWN | {Fact.PASSWORD}
    return AccountFacts(
        account_id=id_of(entry),
        name=entry.text(read.login_attribute),
        ref=entry.dn,
        read_at=read.at,
        ends_at=shadow.ends_at(entry),
        has_password=read.has_password,
        due=() if due is None else (DueDate(due, ExpiryCause.AGING),),
        must_change=shadow.must_change(entry),
        failures=None,
        warn_s=shadow.warn_s(entry),
        groups=read.groups,
        unreadable=unreadable,
        evidence=(read.password_evidence, *_dates(entry)),
    )


def unread_facts(name: str, dn: str, at: datetime) -> AccountFacts:
    """Return what is known of an account whose entry nobody may read: its name and DN."""
    return AccountFacts(
        account_id=dn,
        name=name,
        ref=dn,
        read_at=at,
        has_password=None,
        failures=None,
        unreadable=frozenset(Fact),
    )


def _dates(entry: Entry) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(fact, Origin.ATTRIBUTE, f"{name}={value}")
        for name, fact in _SPEAKS_OF.items()
        for value in entry.texts(name)
    )
