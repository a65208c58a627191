"""Entries and policies into facts, for what no single live server shows at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.facts import AccountFacts, Evidence, Fact, LockoutPolicy, Origin, status_at
from loginward.core.status import LockCause, PasswordStatus, UserState
from loginward.directory.ldap import generalized_time, openldap
from loginward.directory.ldap.entry import Entry
from loginward.directory.ldap.generic import Read, base_facts
from loginward.directory.ldap.policy import NO_POLICY, Policy, policy_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SAID = Evidence(Fact.PASSWORD, Origin.CONTROL, "present")
POLICY = policy_of(
    Entry(
        "cn=default",
        {
            "pwdmaxage": (b"7776000",),
            "pwdlockout": (b"TRUE",),
            "pwdmaxfailure": (b"5",),
            "pwdlockoutduration": (b"900",),
            "pwdgraceauthnlimit": (b"3",),
            "pwdgraceexpiry": (b"86400",),
            "pwdmustchange": (b"TRUE",),
        },
    )
)


def ago(**parts: float) -> str:
    return generalized_time.spell(NOW - timedelta(**parts))


def facts(
    values: dict[str, str | tuple[str, ...]],
    policy: Policy | None = POLICY,
    *,
    readable: bool = True,
    has_password: bool | None = True,
) -> AccountFacts:
    raw = {
        name.lower(): tuple(v.encode() for v in ((value,) if isinstance(value, str) else value))
        for name, value in {"uid": "ann", "entryUUID": "id-1", **values}.items()
    }
    read = Read(
        entry=Entry("uid=ann,dc=x", raw),
        at=NOW,
        login_attribute="uid",
        has_password=has_password,
        password_evidence=SAID,
        groups=frozenset({"staff"}),
    )
    return openldap.facts_of(read, policy, status_readable=readable)


def statuses(of: AccountFacts) -> set[PasswordStatus]:
    return set(status_at(of, NOW).statuses)


LOCKED, EXPIRED, ACTIVE = PasswordStatus.LOCKED, PasswordStatus.EXPIRED, PasswordStatus.ACTIVE


def test_names_and_ids() -> None:
    read = facts({})

    assert (read.account_id, read.name, read.ref) == ("id-1", "ann", "uid=ann,dc=x")
    assert (read.read_at, read.groups) == (NOW, {"staff"})


def test_an_entry_without_an_id_is_its_dn() -> None:
    assert facts({"entryUUID": ()}).account_id == "uid=ann,dc=x"


def test_a_temporary_lock_ends_by_itself() -> None:
    until = NOW + timedelta(seconds=20)
    read = facts({"pwdAccountTmpLockoutEnd": generalized_time.spell(until)})

    assert statuses(read) == {LOCKED}
    assert set(status_at(read, until).statuses) == {ACTIVE}


def test_a_lock_that_cannot_be_read_as_a_time_is_no_hole() -> None:
    """An attribute that says "locked" in a way nobody understands holds until it is removed."""
    lock = status_at(facts({"pwdAccountLockedTime": "whenever"}), NOW).lock

    assert lock is not None
    assert (lock.cause, lock.until) == (LockCause.BY_DIRECTORY, None)


@pytest.mark.parametrize("value", ["000001010000Z", "00000101000000Z", "00000101000000.0Z"])
def test_the_year_0_is_an_administrators_lock_however_it_is_spelt(value: str) -> None:
    lock = status_at(facts({"pwdAccountLockedTime": value}), NOW).lock

    assert lock is not None
    assert (lock.cause, lock.until) == (LockCause.BY_ADMIN, None)


def test_the_longer_of_two_locks_counts() -> None:
    read = facts({
        "pwdAccountLockedTime": ago(minutes=10),
        "pwdAccountTmpLockoutEnd": generalized_time.spell(NOW + timedelta(hours=2)),
    })  # fmt: skip
    lock = status_at(read, NOW).lock

    assert lock is not None
    assert lock.until == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("tries", "cause"), [(5, LockCause.THRESHOLD), (2, LockCause.BY_DIRECTORY)]
)
def test_who_locked(tries: int, cause: LockCause) -> None:
    read = facts({
        "pwdAccountLockedTime": ago(minutes=1),
        "pwdFailureTime": tuple(ago(minutes=n + 1) for n in range(tries)),
    })  # fmt: skip
    lock = status_at(read, NOW).lock

    assert lock is not None
    assert (lock.cause, lock.failures) == (cause, tries)


def test_grace_ends_with_its_time() -> None:
    long_ago = {"pwdChangedTime": ago(days=120)}
    lately = {"pwdChangedTime": ago(days=90, hours=1)}

    assert facts(long_ago).grace_left == 0
    assert facts(lately).grace_left == 3
    assert facts({**lately, "pwdGraceUseTime": (ago(minutes=1), ago(minutes=2))}).grace_left == 1


@pytest.mark.parametrize(
    ("start", "end", "state"),
    [
        (-2, -1, UserState.SUSPENDED),
        (1, 2, UserState.STAGED),
        (-1, 1, UserState.ACTIVE),
        (-1, -2, UserState.SUSPENDED),
    ],
)
def test_start_and_end(start: int, end: int, state: UserState) -> None:
    read = facts({"pwdStartTime": ago(days=-start), "pwdEndTime": ago(days=-end)})

    assert status_at(read, NOW).state is state


def test_an_earlier_day_of_shadow_ends_the_account_first() -> None:
    day = int(NOW.timestamp()) // 86400

    read = facts({"pwdEndTime": ago(days=-9), "shadowExpire": str(day - 1)})

    assert status_at(read, NOW).state is UserState.SUSPENDED


@pytest.mark.parametrize("value", ["0", "-1", "", "soon", "99999999999"])
def test_days_that_mean_never(value: str) -> None:
    assert facts({"shadowExpire": value}).ends_at is None


def test_what_may_not_be_read_is_unknown() -> None:
    read = facts({}, readable=False)

    assert {Fact.STATE, Fact.LOCK, Fact.EXPIRY, Fact.FAILURES} <= read.unreadable
    assert read.failures is None
    assert read.counts is True  # the policy was read


def test_a_policy_that_may_not_be_read_leaves_locks_unknown() -> None:
    read = facts({"pwdAccountLockedTime": ago(minutes=1)}, policy=None)

    assert {Fact.LOCK, Fact.EXPIRY, Fact.LOCKOUT_POLICY} <= read.unreadable
    assert (read.counts, read.lockout) == (None, None)


def test_a_server_without_policies_hides_nothing() -> None:
    read = facts({}, policy=NO_POLICY)

    assert read.unreadable == frozenset()
    assert (read.counts, read.lockout, read.locks) == (False, None, ())


def test_an_unreadable_password_is_neither_there_nor_absent() -> None:
    read = facts({}, has_password=None)

    assert Fact.PASSWORD in read.unreadable
    assert statuses(read) == {ACTIVE}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"pwdLockout": "TRUE", "pwdMaxFailure": "3"}, LockoutPolicy(3, None, None)),
        (
            {"pwdLockout": "TRUE", "pwdMaxFailure": "3", "pwdLockoutDuration": "0",
             "pwdFailureCountInterval": "60"},
            LockoutPolicy(3, 60, None),
        ),
        ({"pwdLockout": "FALSE", "pwdMaxFailure": "3"}, None),
        ({"pwdLockout": "TRUE", "pwdMaxFailure": "0"}, None),
        ({"pwdLockout": "TRUE"}, None),
    ],
)  # fmt: skip
def test_policies(values: dict[str, str], expected: LockoutPolicy | None) -> None:
    entry = Entry("cn=p", {name.lower(): (value.encode(),) for name, value in values.items()})

    assert policy_of(entry).lockout == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"pwdMinLength": "8", "pwdCheckQuality": "1"}, 8),
        ({"pwdMinLength": "8", "pwdCheckQuality": "0"}, None),
        ({"pwdMinLength": "8"}, None),
        ({"pwdMinLength": "0", "pwdCheckQuality": "2"}, None),
        ({}, None),
    ],
)
def test_a_length_is_demanded_only_where_quality_is_checked(
    values: dict[str, str], expected: int | None
) -> None:
    entry = Entry("cn=p", {name.lower(): (value.encode(),) for name, value in values.items()})

    assert facts({}, policy_of(entry)).min_length == expected
    assert facts({}, None).min_length is None


def test_other_servers_say_nothing_of_locks() -> None:
    read = Read(
        entry=Entry("uid=ann,dc=x", {"uid": (b"ann",)}),
        at=NOW,
        login_attribute="uid",
        has_password=True,
        password_evidence=SAID,
        groups=frozenset(),
    )

    assert {Fact.LOCK, Fact.FAILURES, Fact.LOCKOUT_POLICY} <= base_facts(read).unreadable


@pytest.mark.fuzz
@given(
    st.dictionaries(
        st.sampled_from([*openldap.STATUS, "shadowExpire", "shadowMax", "shadowLastChange"]),
        st.lists(st.binary(max_size=20) | st.sampled_from([b"000001010000Z", b"-1", b"1e9"])),
    ),
    st.booleans(),
)
def test_whatever_an_entry_holds_becomes_facts(
    values: dict[str, list[bytes]], readable: bool
) -> None:
    entry = Entry("uid=a", {name.lower(): tuple(v) for name, v in values.items()})
    read = Read(
        entry=entry,
        at=NOW,
        login_attribute="uid",
        has_password=True,
        password_evidence=SAID,
        groups=frozenset(),
    )

    assert status_at(openldap.facts_of(read, POLICY, status_readable=readable), NOW).statuses
