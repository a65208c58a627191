"""An administrator's verbs on a real OpenLDAP (R20, design "Command line")."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loginward.core.evidence import Proven
from loginward.core.facts import status_at
from loginward.core.secret import Secret
from loginward.core.status import LockCause, PasswordStatus, UserState
from loginward.directory.ldap.admin import PROTECTED
from loginward.directory.ldap.directory import LdapDirectory, Secrets
from loginward.directory.port import Act, Done, NotDone, Verb
from loginward.settings.directory import Account
from tests.live import people as who
from tests.live.agent import (
    CLOCK,
    NOWHERE,
    PASSWORD,
    WRONG,
    facts_of,
    reached,
    settings,
    soon,
    unread,
)
from tests.live.slapd import now

pytestmark = pytest.mark.live

CHANGED = f"pwdChangedTime: {who.gtime(now())}"
NEW = Secret(b"An0ther!word")


def act(directory: LdapDirectory, name: str, verb: Verb, password=None, *, force=False):
    return directory.act(
        facts_of(directory, name), Act(verb=verb, password=password, force=force), soon()
    )


def status(directory: LdapDirectory, name: str):
    return status_at(facts_of(directory, name), CLOCK.now())


def test_unlock_ends_a_lock_by_failures_and_forgets_them(directory, slapd_on, person):
    account = facts_of(directory, person)
    for _ in range(who.MAX_FAILURE):
        directory.check(account, WRONG, soon())
    assert PasswordStatus.LOCKED in status(directory, person).statuses
    assert act(directory, person, Verb.UNLOCK) == Done()
    assert slapd_on.failures(person) == 0
    assert isinstance(directory.check(account, PASSWORD, soon()), Proven)
    assert act(directory, person, Verb.UNLOCK) == Done(was_noop=True)


def test_unlock_leaves_expiry(directory, slapd_on, person):
    """R20: unlocking ends the lock and nothing else."""
    old = who.gtime(now() + who.OLD)
    slapd_on.change(person, {"pwdChangedTime": [old], "pwdAccountLockedTime": ["000001010000Z"]})
    assert act(directory, person, Verb.UNLOCK) == Done()
    assert status(directory, person).statuses == {PasswordStatus.EXPIRED}


def test_failures_short_of_a_lock_are_forgotten_too(directory, slapd_on, person):
    directory.check(facts_of(directory, person), WRONG, soon())
    assert act(directory, person, Verb.UNLOCK) == Done()
    assert slapd_on.failures(person) == 0
    assert slapd_on.values(person, "pwdAccountLockedTime") == []


def test_a_lock_by_idleness_is_nothing_that_can_be_written(directory):
    outcome = act(directory, "idle", Verb.UNLOCK)
    assert isinstance(outcome, NotDone)
    assert "pwdPolicySubentry" in outcome.why


def test_the_admin_account_does_nothing_to_protected_people(slapd_on):
    """security.md 16, also against a daemon that says nothing of groups (security.md 12)."""
    secrets = Secrets(service=PASSWORD, admin=PASSWORD)
    site = settings(slapd_on.ca_file, slapd_on.tls_url)
    directory = LdapDirectory(site, secrets, CLOCK, frozenset({"staff"}))
    told = replace(facts_of(directory, "active"), groups=frozenset())
    before = slapd_on.values("active", "userPassword")

    for verb in Verb:
        done = directory.act(told, Act(verb=verb, password=NEW, force=True), soon())
        assert done == NotDone(PROTECTED)

    assert slapd_on.values("active", "userPassword") == before
    assert act(directory, "warning", Verb.UNLOCK) == Done(was_noop=True)
    directory.close()


@pytest.mark.parametrize("dn", [who.SVC_RO, f"uid=active,{who.PEOPLE}"])
def test_the_admin_account_looks_the_account_up_by_itself(directory, person, dn):
    """security.md 12: a daemon in wrong hands names an entry outside of the people, or another's."""
    known = facts_of(directory, person)
    for forged in (
        replace(known, account_id=dn, ref=dn, name="svc-ro"),
        replace(known, account_id=facts_of(directory, "active").account_id, ref=dn),
    ):
        done = directory.act(forged, Act(verb=Verb.RESET_PASSWORD, password=NEW), soon())
        assert isinstance(done, NotDone)
    assert not isinstance(directory.check(replace(known, ref=dn), NEW, soon()), Proven)


def test_lock_holds_until_unlocked(directory, slapd_on, person):
    assert act(directory, person, Verb.LOCK) == Done()
    assert status(directory, person).lock.cause is LockCause.BY_ADMIN
    assert not slapd_on.accepts(person, who.PASSWORD)
    assert act(directory, person, Verb.LOCK) == Done(was_noop=True)
    assert act(directory, person, Verb.UNLOCK) == Done()
    assert slapd_on.accepts(person, who.PASSWORD)


def test_a_lock_that_would_not_hold_is_refused(directory):
    outcome = act(directory, "nolock", Verb.LOCK)
    assert isinstance(outcome, NotDone)
    assert "suspend" in outcome.why


def test_reset_gives_a_password_that_need_not_be_changed(directory, slapd_on, person):
    """R20: back to active from a lock and from expiry; the hash is the server's business."""
    old = who.gtime(now() + who.OLD)
    slapd_on.change(person, {"pwdChangedTime": [old], "pwdAccountLockedTime": ["000001010000Z"]})
    assert act(directory, person, Verb.RESET_PASSWORD, NEW) == Done()
    found = status(directory, person)
    assert (found.statuses, found.must_change) == ({PasswordStatus.ACTIVE}, False)
    assert slapd_on.accepts(person, "An0ther!word")
    assert slapd_on.values(person, "userPassword")[0].startswith(b"{SSHA}")


def test_a_temporary_password_must_be_changed(directory, slapd_on, person):
    assert act(directory, person, Verb.SET_TEMPORARY, NEW) == Done()
    assert status(directory, person).must_change
    proven = directory.check(facts_of(directory, person), NEW, soon())
    assert isinstance(proven, Proven)
    assert proven.must_change


def test_a_temporary_password_is_refused_where_it_would_last(directory):
    outcome = act(directory, "resetfree", Verb.SET_TEMPORARY, NEW)
    assert isinstance(outcome, NotDone)
    assert "pwdMustChange" in outcome.why


def test_the_first_password_of_a_pending_account(directory, slapd_on, person):
    slapd_on.remove(person)
    slapd_on.add(who.Person(person, (), password=None))
    assert status(directory, person).statuses == {PasswordStatus.PENDING}
    assert act(directory, person, Verb.SET_TEMPORARY, NEW) == Done()
    assert status(directory, person).statuses == {PasswordStatus.ACTIVE}


def test_expire(directory, slapd_on, person):
    assert act(directory, person, Verb.EXPIRE) == Done()
    assert status(directory, person).statuses == {PasswordStatus.EXPIRED}
    proven = directory.check(facts_of(directory, person), PASSWORD, soon())
    assert isinstance(proven, Proven)
    assert proven.expired
    assert act(directory, person, Verb.EXPIRE) == Done(was_noop=True)


def test_expire_without_the_right_names_the_substitute(slapd_on, person):
    writer = Account(dn=who.SVC_WRITE, password_file=NOWHERE)
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, admin_account=writer)) as directory:
        outcome = act(directory, person, Verb.EXPIRE)
        assert isinstance(outcome, NotDone)
        assert "set-temporary" in outcome.why
        assert act(directory, person, Verb.LOCK) == Done(), "an ordinary write right suffices"
        assert act(directory, person, Verb.UNLOCK) == Done()


def test_suspend_and_activate_again(directory, slapd_on, person):
    assert act(directory, person, Verb.SUSPEND) == Done()
    assert status(directory, person).state is UserState.SUSPENDED
    assert not slapd_on.accepts(person, who.PASSWORD)
    assert act(directory, person, Verb.SUSPEND) == Done(was_noop=True)
    assert act(directory, person, Verb.ACTIVATE) == Done()
    assert status(directory, person).state is UserState.ACTIVE
    assert slapd_on.accepts(person, who.PASSWORD)
    assert act(directory, person, Verb.ACTIVATE) == Done(was_noop=True)


@pytest.mark.parametrize(
    ("attribute", "days", "state"),
    [
        ("pwdEndTime", -3, UserState.SUSPENDED),
        ("pwdStartTime", 3, UserState.STAGED),
    ],
)
def test_a_date_of_somebody_else_needs_force(directory, slapd_on, person, attribute, days, state):
    date = who.gtime(now() + days * -who.OLD / 100)
    slapd_on.change(person, {attribute: [date]})
    assert status(directory, person).state is state
    outcome = act(directory, person, Verb.ACTIVATE)
    assert isinstance(outcome, NotDone)
    assert date in outcome.why
    assert act(directory, person, Verb.ACTIVATE, force=True) == Done()
    assert status(directory, person).state is UserState.ACTIVE


def test_a_past_day_of_shadow_needs_force(directory, slapd_on, person):
    slapd_on.change(person, {"shadowExpire": [str(who.days(now()) - 2)]})
    assert isinstance(act(directory, person, Verb.ACTIVATE), NotDone)
    assert act(directory, person, Verb.ACTIVATE, force=True) == Done()
    assert status(directory, person).state is UserState.ACTIVE


@pytest.mark.parametrize("verb", [Verb.SET_FIRST_PASSWORD, Verb.RESEND_ACTIVATION])
def test_verbs_of_the_embedded_directory_are_refused_in_one_sentence(directory, verb):
    outcome = act(directory, "active", verb, NEW)
    assert isinstance(outcome, NotDone)
    assert "set-temporary" in outcome.why


@pytest.mark.parametrize("verb", Verb)
def test_without_an_admin_account_nothing_is_changed(slapd_on, verb):
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, admin_account=None)) as directory:
        outcome = act(directory, "active", verb, NEW)
    assert isinstance(outcome, NotDone)
    assert "directory.admin_account" in outcome.why


def test_an_account_that_may_not_write_is_named(slapd_on, person):
    reader = Account(dn=who.SVC_RO, password_file=NOWHERE)
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, admin_account=reader)) as directory:
        outcome = act(directory, person, Verb.LOCK)
    assert isinstance(outcome, NotDone)
    assert "admin_account lacks the right" in outcome.why


def test_acting_without_a_service_account(slapd_on, person):
    writer = Account(dn=who.SVC_RW, password_file=NOWHERE)
    site = unread(slapd_on.ca_file, slapd_on.tls_url, admin_account=writer)
    with reached(site) as directory:
        assert act(directory, person, Verb.LOCK) == Done()
    assert slapd_on.values(person, "pwdAccountLockedTime") == [b"000001010000Z"]


def test_somebody_who_is_gone(directory, slapd_on, person):
    account = facts_of(directory, person)
    slapd_on.remove(person)
    outcome = directory.act(account, Act(verb=Verb.LOCK), soon())
    assert isinstance(outcome, NotDone)
    assert "no longer" in outcome.why


def test_no_password_is_ever_logged(directory, person, caplog):
    """R60: neither the person's nor the new one, at any level, nor in what things look like."""
    caplog.set_level("DEBUG")
    account = facts_of(directory, person)
    directory.check(account, PASSWORD, soon())
    act(directory, person, Verb.SET_TEMPORARY, NEW)
    directory.change(account, NEW, Secret(b"Y3t!another"), soon())
    shown = caplog.text + repr(vars(directory)) + repr(account)
    for password in (PASSWORD, NEW, Secret(b"Y3t!another")):
        assert password.reveal().decode() not in shown
