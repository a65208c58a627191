"""Passwords checked and changed on a real OpenLDAP: one bind each, and nothing concluded too much."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import NoVerdict, Proven, Refusal, Refused, Wrong
from loginward.core.secret import Secret
from loginward.directory.ldap.directory import LdapDirectory
from tests.live import people as who
from tests.live.agent import PASSWORD, WRONG, facts_of, reached, settings, soon, unread
from tests.live.slapd import Slapd, now

pytestmark = pytest.mark.live

LOCKED = Refused(Refusal.LOCKED, "result 49, account-locked")
WRONG_SAID = Wrong(said="result 49")
# name: (right password, wrong password) where the server tells a lock apart; None: not compared
TOLD = {
    "active": (Proven, Wrong),
    "pending": (Wrong, Wrong),
    "expired": (Proven, Wrong),
    "mustchange": (Proven, Wrong),
    "locked": (Refused, Refused),
    "lockperm": (Refused, Refused),
    "explock": (Refused, Refused),
    "notyet": (Refused, Refused),
    "ended": (Refused, Refused),
    "idle": (Refused, Refused),
    "shadowexp": (Proven, Wrong),
    "graceless": (Proven, Wrong),
    "warning": (Proven, Wrong),
}
CHANGED = f"pwdChangedTime: {who.gtime(now())}"


@pytest.fixture(params=["readable", "unread"])
def told(request, slapd_on: Slapd) -> Iterator[LdapDirectory]:
    """With a service account and without, where a lock is told apart."""
    site = settings if request.param == "readable" else unread
    with reached(site(slapd_on.ca_file, slapd_on.tls_url)) as directory:
        yield directory


@pytest.mark.parametrize("name", TOLD)
def test_the_verdict_on_each_condition(told, slapd_on, name):
    """I4: a right password of an expired account is proven; a locked one has no verdict."""
    account = facts_of(told, name)
    before = slapd_on.values(name, "pwdFailureTime")
    wrong = told.check(account, WRONG, soon())
    assert isinstance(wrong, TOLD[name][1]), wrong
    right = told.check(account, PASSWORD, soon())
    assert isinstance(right, TOLD[name][0]), right
    if name == "pending" or isinstance(wrong, Refused):
        assert slapd_on.values(name, "pwdFailureTime") == before


@pytest.mark.parametrize("name", ["locked", "lockperm", "notyet", "ended", "idle"])
def test_a_hidden_lock_is_no_more_than_a_wrong_password(slapd_off, name):
    """Without ppolicy_use_lockout the wire hides it; reading tells (tests of reading)."""
    with reached(settings(slapd_off.ca_file, slapd_off.tls_url)) as directory:
        assert directory.check(facts_of(directory, name), PASSWORD, soon()) == WRONG_SAID


def test_what_comes_with_a_right_password(directory):
    proven = {
        name: directory.check(facts_of(directory, name), PASSWORD, soon())
        for name in ("active", "expired", "mustchange", "warning")
    }
    assert (proven["active"].expired, proven["active"].must_change) == (False, False)
    assert (proven["expired"].expired, proven["expired"].grace_left) == (True, None)
    assert proven["mustchange"].must_change
    assert 0 < proven["warning"].expires_in_s < 6 * 86400


def test_a_grace_login_is_told_and_counted(directory, slapd_on):
    used = len(slapd_on.values("grace", "pwdGraceUseTime"))
    proven = directory.check(facts_of(directory, "grace"), PASSWORD, soon())
    assert (proven.expired, proven.grace_left) == (True, 2 - used)
    assert facts_of(directory, "grace").grace_left == 2 - used


def test_one_wrong_password_is_one_failure(told, slapd_on, person):
    """I3: one attempt is one bind and one counted failure."""
    binds = slapd_on.bound(person)
    assert told.check(facts_of(told, person), WRONG, soon()) == WRONG_SAID
    assert slapd_on.bound(person) == binds + 1
    assert slapd_on.failures(person) == 1


def test_the_lock_that_failures_trip_is_seen(directory, slapd_on, person):
    account = facts_of(directory, person)
    for _ in range(who.MAX_FAILURE):
        assert directory.check(account, WRONG, soon()) == WRONG_SAID
    assert directory.check(account, PASSWORD, soon()) == LOCKED
    assert len(facts_of(directory, person).locks) == 1


@pytest.mark.parametrize("password", [b"", b"a\0b", b"x" * 1025])
def test_a_password_that_cannot_be_is_never_sent(directory, slapd_on, password):
    """I5: an empty password would succeed as nobody."""
    account, binds = facts_of(directory, "active"), len(slapd_on.binds())
    assert isinstance(directory.check(account, Secret(password), soon()), NoVerdict)
    assert directory.change(account, Secret(password), PASSWORD, soon()) == NotChanged(
        ChangeProblem.WRONG_OLD
    )
    assert len(slapd_on.binds()) == binds


@pytest.mark.parametrize("ref", ["", "  "])
def test_an_empty_name_is_never_sent(directory, slapd_on, ref):
    account = replace(facts_of(directory, "active"), ref=ref)
    binds = len(slapd_on.binds())
    assert isinstance(directory.check(account, PASSWORD, soon()), NoVerdict)
    assert len(slapd_on.binds()) == binds


@pytest.mark.parametrize(
    "password",
    [
        "pa\u0308ssword1",
        "a\u00adbcdefgh",
        "x\u00a0yyyyyyy",
        "\u2168\u2168\u2168\u2168",
        "tab\tulator",
    ],
)
def test_passwords_travel_as_typed(directory, slapd_on, password):
    """No SASLprep: what the person typed is what is compared."""
    slapd_on.add(who.Person("typed", (CHANGED,), password=password))
    try:
        account = facts_of(directory, "typed")
        assert isinstance(directory.check(account, Secret(password.encode()), soon()), Proven)
        assert directory.check(account, Secret(b"\xff\xfe not text"), soon()) == WRONG_SAID
    finally:
        slapd_on.remove("typed")


def test_many_at_once_each_get_their_own_verdict(directory, slapd_on):
    """Answers are never exchanged between people who log in at the same time."""
    account, pending = facts_of(directory, "active"), facts_of(directory, "pending")
    verdicts: list[tuple[bool, bool]] = []

    def check(number: int) -> None:
        right = number % 2 == 0
        answer = directory.check(account if right else pending, PASSWORD, soon())
        verdicts.append((right, isinstance(answer, Proven)))

    threads = [threading.Thread(target=check, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(verdicts) == 40
    assert all(right == proven for right, proven in verdicts)


def test_connections_for_binds_are_kept(directory, slapd_on):
    account = facts_of(directory, "active")
    for _ in range(5):
        assert isinstance(directory.check(account, PASSWORD, soon()), Proven)
    binds = [b for b in slapd_on.binds() if b.dn == account.ref.lower()][-5:]
    assert len({b.connection for b in binds}) == 1
    readers = {b.connection for b in slapd_on.binds() if b.dn == who.SVC_RO.lower()}
    assert not readers & {b.connection for b in binds}, "a reader's connection carried a bind"


# Changing one's own password

NEW = Secret(b"An0ther!word")


def test_a_person_changes_their_password(told, slapd_on, person):
    """R41: proven by the old one, in force at once."""
    account = facts_of(told, person)
    before = slapd_on.values(person, "pwdChangedTime")
    outcome = told.change(account, PASSWORD, NEW, soon())
    assert isinstance(outcome, Changed)
    if account.changed_at is not None:
        assert outcome.changed_at >= account.changed_at
    assert before
    assert slapd_on.accepts(person, "An0ther!word")
    assert not slapd_on.accepts(person, who.PASSWORD)


def test_a_temporary_password_is_changed_and_the_mark_goes(directory, slapd_on, person):
    slapd_on.change(person, {"pwdReset": ["TRUE"]})
    assert isinstance(directory.change(facts_of(directory, person), PASSWORD, NEW, soon()), Changed)
    assert not facts_of(directory, person).must_change


@pytest.mark.parametrize(
    ("new", "problem"),
    [(b"short", ChangeProblem.TOO_SHORT), (who.PASSWORD.encode(), ChangeProblem.IN_HISTORY)],
)
def test_the_server_refuses_a_new_password(directory, slapd_on, person, new, problem):
    outcome = directory.change(facts_of(directory, person), PASSWORD, Secret(new), soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is problem
    assert slapd_on.accepts(person, who.PASSWORD)


def test_too_young_to_change(directory):
    outcome = directory.change(facts_of(directory, "young"), PASSWORD, NEW, soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is ChangeProblem.TOO_YOUNG


def test_a_wrong_old_password_changes_nothing_and_counts_once(directory, slapd_on, person):
    outcome = directory.change(facts_of(directory, person), WRONG, NEW, soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is ChangeProblem.WRONG_OLD
    assert slapd_on.failures(person) == 1


def test_an_expired_password_without_grace_cannot_be_changed(directory, slapd_on):
    outcome = directory.change(facts_of(directory, "expired"), PASSWORD, NEW, soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is ChangeProblem.NOT_ALLOWED
