"""Accounts, policies and times for the tests of the law: a few by name, any at random."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from loginward.core.evidence import NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.core.facts import AccountFacts, Fact
from loginward.core.policy import Asker, KeyLogins, Rules, ServiceKind, WhenExpired
from loginward.core.readings import Copy, Fresh, NeverSeen, Unknown, Unusable
from loginward.core.requests import Door
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause, PasswordStatus, UserState

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
RIGHT = Proven(proof=Proof.BIND)


def alice(**known) -> AccountFacts:
    """Return an account in order, but for what is said."""
    return AccountFacts(
        **{"account_id": "id-1", "name": "alice", "read_at": NOW, "changed_at": NOW - DAY} | known
    )


def lock(lock_id: str = "lock-1", *, until: datetime | None = NOW + HOUR, **more) -> Lock:
    return Lock(**{"id": lock_id, "cause": LockCause.THRESHOLD, "until": until} | more)


def due(at: datetime, cause: ExpiryCause = ExpiryCause.AGING) -> tuple[DueDate, ...]:
    return (DueDate(at, cause),)


LOCKED = {"locks": (lock(),)}
EXPIRED = {"due": due(NOW - DAY)}
PENDING = {"has_password": False, "changed_at": None}
TEMPORARY = {"must_change": True}

# Around NOW, often exactly at it, a second beside it, or years away.
moments = st.one_of(
    st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(seconds=-1)]),
    st.integers(-10, 10).map(lambda n: timedelta(hours=n)),
    st.integers(-800, 800).map(lambda n: timedelta(days=n)),
).map(lambda delta: NOW + delta)

locks = st.builds(
    Lock,
    id=st.sampled_from(["a", "b", "c"]),
    cause=st.sampled_from(LockCause),
    since=st.none() | moments,
    until=st.none() | moments,
    failures=st.integers(0, 9),
)
due_dates = st.builds(DueDate, moments, st.sampled_from(ExpiryCause))
facts = st.builds(
    AccountFacts,
    account_id=st.just("id-1"),
    name=st.just("alice"),
    read_at=moments,
    state=st.sampled_from(UserState),
    state_since=st.none() | moments,
    starts_at=st.none() | moments,
    ends_at=st.none() | moments,
    removed=st.sampled_from([False, False, False, True]),
    has_password=st.sampled_from([True, True, True, False, None]),
    changed_at=st.none() | moments,
    due=st.lists(due_dates, max_size=3).map(tuple),
    must_change=st.booleans(),
    locks=st.lists(locks, max_size=3).map(tuple),
    grace_left=st.integers(0, 2),
    can_change_expired=st.booleans(),
    warn_s=st.none() | st.integers(0, 10**7),
    unreadable=st.frozensets(st.sampled_from(Fact), max_size=2),
)


def opened(known: AccountFacts, with_locks: tuple[Lock, ...]) -> AccountFacts:
    return alice(
        read_at=NOW,
        due=known.due,
        must_change=known.must_change,
        locks=with_locks,
        grace_left=known.grace_left,
        can_change_expired=known.can_change_expired,
        warn_s=known.warn_s,
        unreadable=known.unreadable,
    )


# Most random accounts would be closed before anything else is looked at.
open_facts = st.builds(opened, facts, st.lists(locks, max_size=1).map(tuple))
accounts = facts | open_facts
rules = st.builds(
    Rules,
    when_expired=st.sampled_from(WhenExpired),
    key_logins=st.sampled_from(KeyLogins),
    warn_s=st.none() | st.integers(0, 10**7),
    offline_allowed_s=st.integers(0, 10**7),
)
proven = st.builds(
    Proven,
    proof=st.sampled_from(Proof),
    expired=st.booleans(),
    must_change=st.booleans(),
    grace_left=st.none() | st.integers(0, 3),
    expires_in_s=st.none() | st.integers(0, 10**7),
)
checks = st.one_of(
    proven,
    st.just(RIGHT),
    st.builds(Wrong, st.booleans()),
    st.builds(Refused, st.sampled_from(Refusal)),
    st.just(NoVerdict("connect")),
)
askers = st.builds(
    Asker,
    door=st.sampled_from(Door),
    service=st.sampled_from(ServiceKind),
    keep_while=st.frozensets(st.sampled_from(PasswordStatus)),
    resource=st.just("mail"),
    permitted=st.sampled_from([True, True, True, False]),
    throttled_until=st.sampled_from([None, None, None, NOW + HOUR]),
    proven=st.booleans(),
    earlier=st.none() | proven,
    changing=st.booleans(),
    inline_change=st.booleans(),
)
plain_askers = st.builds(
    Asker, door=st.sampled_from(Door), service=st.sampled_from(ServiceKind), proven=st.booleans()
)
known_readings = st.builds(Fresh, accounts) | st.builds(Copy, accounts)
readings = st.one_of(
    known_readings,
    st.sampled_from([Unknown(), NeverSeen(), Unusable("store")]),
)
