"""Every condition of an account on a real OpenLDAP, as the agent reads it (R01, R14, R16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from loginward.core.facts import Fact, LockoutPolicy, status_at
from loginward.core.status import ExpiryCause, LockCause, PasswordStatus, StateCause, UserState
from loginward.directory.ldap.directory import LdapDirectory
from loginward.settings.directory import Account, Groups, Users
from tests.live import people as who
from tests.live.agent import CLOCK, NOWHERE, facts_of, reached, settings, soon, unread
from tests.live.slapd import Slapd, now

pytestmark = pytest.mark.live

ACTIVE, PENDING, EXPIRED, LOCKED = (
    frozenset({s})
    for s in (
        PasswordStatus.ACTIVE,
        PasswordStatus.PENDING,
        PasswordStatus.EXPIRED,
        PasswordStatus.LOCKED,
    )
)
CONDITIONS = {
    "active": (UserState.ACTIVE, None, ACTIVE, None),
    "pending": (UserState.ACTIVE, None, PENDING, None),
    "expired": (UserState.ACTIVE, None, EXPIRED, None),
    "mustchange": (UserState.ACTIVE, None, ACTIVE, None),
    "locked": (UserState.ACTIVE, None, LOCKED, LockCause.THRESHOLD),
    "lockedold": (UserState.ACTIVE, None, ACTIVE, None),
    "lockperm": (UserState.ACTIVE, None, LOCKED, LockCause.BY_ADMIN),
    "explock": (UserState.ACTIVE, None, EXPIRED | LOCKED, LockCause.BY_ADMIN),
    "forgood": (UserState.ACTIVE, None, LOCKED, LockCause.BY_DIRECTORY),
    "nolock": (UserState.ACTIVE, None, ACTIVE, None),
    "grace": (UserState.ACTIVE, None, EXPIRED, None),
    "graceless": (UserState.ACTIVE, None, EXPIRED, None),
    "warning": (UserState.ACTIVE, None, ACTIVE, None),
    "notyet": (UserState.STAGED, StateCause.NOT_STARTED, ACTIVE, None),
    "ended": (UserState.SUSPENDED, StateCause.ENDED, ACTIVE, None),
    "ending": (UserState.ACTIVE, None, ACTIVE, None),
    "backwards": (UserState.SUSPENDED, StateCause.ENDED, ACTIVE, None),
    "idle": (UserState.ACTIVE, None, LOCKED, LockCause.IDLE),
    "shadowexp": (UserState.SUSPENDED, StateCause.ENDED, ACTIVE, None),
    "shadowmax": (UserState.ACTIVE, None, EXPIRED, None),
    "resetfree": (UserState.ACTIVE, None, ACTIVE, None),
    "nochanged": (UserState.ACTIVE, None, ACTIVE, None),
    "young": (UserState.ACTIVE, None, ACTIVE, None),
}


@pytest.fixture(scope="module")
def directory(slapd_on: Slapd) -> Iterator[LdapDirectory]:
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as found:
        yield found


def test_the_table_names_every_condition():
    assert set(CONDITIONS) == {person.uid for person in who.matrix(now())}


@pytest.mark.parametrize("name", CONDITIONS)
def test_status_and_cause(directory, name):
    """R01, R14, R16: state, statuses and the cause of a lock, from the entry alone."""
    status = status_at(facts_of(directory, name), CLOCK.now())
    cause = status.lock and status.lock.cause
    assert (status.state, status.state_cause, status.statuses, cause) == CONDITIONS[name]


def test_the_list_says_the_same_as_each_account(directory):
    listing = directory.accounts(soon())
    assert listing.cut == ""
    said = {facts.name: status_at(facts, CLOCK.now()).statuses for facts in listing.accounts}
    for name, (_, _, statuses, _) in CONDITIONS.items():
        assert said[name] == statuses, name


def test_a_timed_lock_ends_when_the_policy_says(directory, slapd_on):
    facts = facts_of(directory, "locked")
    (lock,) = facts.locks
    assert lock.since is not None
    assert lock.until == lock.since + timedelta(seconds=who.LOCKOUT_S)
    assert lock.failures == len(facts.failures) == who.MAX_FAILURE


def test_the_lockout_policy_is_the_servers_own(directory):
    assert facts_of(directory, "active").lockout == LockoutPolicy(
        who.MAX_FAILURE, 600, who.LOCKOUT_S
    )
    assert facts_of(directory, "forgood").lockout == LockoutPolicy(2, None, None)
    none = facts_of(directory, "nolock")
    assert (none.counts, none.lockout) == (False, None)


def test_due_dates_and_warnings(directory):
    facts = facts_of(directory, "warning")
    (due,) = facts.due
    assert due.cause is ExpiryCause.AGING
    assert due.at == facts.changed_at + timedelta(seconds=7776000)
    assert facts.warn_s == 1209600
    assert facts_of(directory, "nochanged").due == ()


def test_must_change_holds_only_where_the_policy_asks(directory):
    assert facts_of(directory, "mustchange").must_change
    assert not facts_of(directory, "resetfree").must_change


def test_grace_is_what_is_left(directory):
    assert (g := facts_of(directory, "graceless")).grace_left == 0
    assert not g.can_change_expired


def test_groups_by_dn_and_by_name(directory, slapd_on):
    assert facts_of(directory, "active").groups == {"staff"}
    by_name = Groups(base_dn=who.GROUPS, member_attribute="memberUid")
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, groups=by_name)) as other:
        assert facts_of(other, "active").groups == {"vpn"}


def test_every_fact_has_its_evidence_and_no_secret(directory):
    said = " ".join(e.said for e in facts_of(directory, "locked").evidence)
    assert "pwdAccountLockedTime=" in said
    assert "pwdMaxFailure=3" in said
    assert "SSHA" not in said


@pytest.mark.parametrize(
    "name", ["*", "act*", "active)(uid=*", "active\0", "\\2a", "nobody", "(", ")", "active)(&", "ä"]
)
def test_a_name_cannot_widen_the_search(directory, name):
    """I5: what a person types is a value, never a filter."""
    assert directory.find(name, soon()) is None


def test_an_account_is_found_again_by_its_id_when_moved(directory, slapd_on):
    slapd_on.add(who.Person("tomove"))
    before = facts_of(directory, "tomove")
    with slapd_on.root() as root:
        root.modify_dn(slapd_on.dn("tomove"), "uid=hasmoved")
    after = directory.read(before, soon())
    assert after is not None
    assert (after.account_id, after.name) == (before.account_id, "hasmoved")
    slapd_on.remove("hasmoved")
    assert directory.read(before, soon()) is None


def test_what_is_not_shown_is_unreadable_and_never_fine(slapd_on):
    """A reader who may see no status must not make a locked account look active."""
    blind = Account(dn=who.SVC_BLIND, password_file=NOWHERE)
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, service_account=blind)) as other:
        facts = facts_of(other, "locked")
    assert facts.has_password is None
    assert facts.failures is None
    assert facts.counts is None, "its own pwdPolicySubentry may be hidden"
    assert {Fact.LOCK, Fact.FAILURES, Fact.EXPIRY, Fact.PASSWORD, Fact.STATE} <= facts.unreadable


def test_without_a_policy_it_is_not_said_who_counts(slapd_on):
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, ppolicy_dn=None)) as other:
        facts = facts_of(other, "locked")
        assert facts.counts is None
        assert facts.locks == ()
        assert {Fact.LOCK, Fact.LOCKOUT_POLICY, Fact.EXPIRY} <= facts.unreadable
        assert facts_of(other, "pending").has_password is None


def test_a_server_without_a_policy(slapd_plain):
    with reached(settings(slapd_plain.ca_file, slapd_plain.tls_url, ppolicy_dn=None)) as other:
        for name, state in (("active", UserState.ACTIVE), ("shadowexp", UserState.SUSPENDED)):
            facts = facts_of(other, name)
            assert status_at(facts, CLOCK.now()).state is state
            assert facts.counts is False
            assert not {Fact.LOCK, Fact.STATE, Fact.EXPIRY} & facts.unreadable
        expired = status_at(facts_of(other, "shadowmax"), CLOCK.now())
        assert expired.statuses == EXPIRED


def test_a_site_that_lets_nobody_read(slapd_on):
    with reached(unread(slapd_on.ca_file, slapd_on.tls_url)) as other:
        facts = facts_of(other, "active")
        assert facts.ref == slapd_on.dn("active")
        assert facts.unreadable == frozenset(Fact)
        assert other.find("active,ou=svc", soon()) is None
        assert other.accounts(soon()).cut


def test_the_flavour_is_told_once_it_has_been_found(slapd_on):
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as directory:
        assert directory.flavour() == ""
        directory.find("active", soon())
        assert directory.flavour() == "openldap"


def test_twelve_hundred_accounts_in_pages(tmp_path: Path):
    people = who.bulk(1200)
    with (
        Slapd(tmp_path / "many", people, size_limit=2000) as slapd,
        reached(settings(slapd.ca_file, slapd.tls_url)) as directory,
    ):
        listing = directory.accounts(soon(30))
        assert (len(listing.accounts), listing.cut) == (1200, "")
        assert all(facts.has_password for facts in listing.accounts)
        assert slapd.said(r"SEARCH RESULT tag=101 err=0 .*nentries=500") != []


def test_a_list_that_the_server_cuts_says_so(tmp_path: Path):
    with (
        Slapd(tmp_path / "cut", who.bulk(60), size_limit=50) as slapd,
        reached(settings(slapd.ca_file, slapd.tls_url)) as directory,
    ):
        listing = directory.accounts(soon())
        assert len(listing.accounts) == 50
        assert "size limit" in listing.cut


def test_two_entries_of_one_name_are_nobody(slapd_on):
    both = Users(base_dn=who.PEOPLE, login_attribute="sn")
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, users=both)) as other:
        assert other.find("Test", soon()) is None
