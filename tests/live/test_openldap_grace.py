"""Grace logins of a real OpenLDAP: the one that proves the old password is the one that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import Proven
from loginward.core.secret import Secret
from loginward.directory.ldap import held
from loginward.directory.ldap.directory import LdapDirectory
from tests.doubles.waiting import eventually
from tests.live import people as who
from tests.live.agent import PASSWORD, WRONG, facts_of, reached, settings, soon
from tests.live.slapd import Slapd, now

pytestmark = pytest.mark.live

NEW = Secret(b"An0ther!word")
GRACE = f"pwdPolicySubentry: cn=grace,{who.POLICIES}"


@pytest.fixture
def late(slapd_on: Slapd) -> Iterator[str]:
    """Somebody with an expired password and three grace logins."""
    name = f"late{now():%H%M%S%f}"
    slapd_on.add(who.Person(name, (f"pwdChangedTime: {who.gtime(now() + who.OLD)}", GRACE)))
    yield name
    slapd_on.remove(name)


def spent(slapd: Slapd, name: str) -> int:
    return len(slapd.values(name, "pwdGraceUseTime"))


def test_a_change_costs_the_grace_login_of_its_proof_alone(directory, slapd_on, late):
    account = facts_of(directory, late)
    assert directory.check(account, PASSWORD, soon()).grace_left == 2
    assert spent(slapd_on, late) == 1
    # read again, as between the phases: the use of a grace login moves nothing that counts
    outcome = directory.change(facts_of(directory, late), PASSWORD, NEW, soon())
    assert isinstance(outcome, Changed)
    assert slapd_on.bound(late) == 1
    assert slapd_on.accepts(late, "An0ther!word")
    assert not slapd_on.accepts(late, who.PASSWORD)
    assert facts_of(directory, late).grace_left == 3


def test_the_last_one_is_enough(directory, slapd_on, late):
    slapd_on.change(
        late, {"pwdGraceUseTime": [who.gtime(now() - timedelta(hours=n)) for n in (1, 2)]}
    )
    account = facts_of(directory, late)
    assert directory.check(account, PASSWORD, soon()).grace_left == 0
    assert isinstance(directory.change(facts_of(directory, late), PASSWORD, NEW, soon()), Changed)


@pytest.mark.parametrize("proven_before", [True, False])
def test_a_second_try_at_the_new_password_costs_none(directory, slapd_on, late, proven_before):
    account = facts_of(directory, late)
    if proven_before:
        assert isinstance(directory.check(account, PASSWORD, soon()), Proven)
    short = directory.change(account, PASSWORD, Secret(b"short"), soon())
    assert isinstance(short, NotChanged)
    assert short.problem is ChangeProblem.TOO_SHORT
    assert isinstance(directory.change(account, PASSWORD, NEW, soon()), Changed)
    assert slapd_on.bound(late) == 1


def test_nobody_else_binds_on_their_connection(directory, slapd_on, late):
    """The connection stays theirs: it is not given to the next who signs in."""
    assert isinstance(directory.check(facts_of(directory, late), PASSWORD, soon()), Proven)
    assert isinstance(directory.check(facts_of(directory, "active"), PASSWORD, soon()), Proven)
    theirs, others = slapd_on.binds()[-2:]
    assert theirs.dn == slapd_on.dn(late).lower()
    assert theirs.connection != others.connection


def test_the_wrong_old_password_gets_no_hold_of_it(directory, slapd_on, late):
    account = facts_of(directory, late)
    assert isinstance(directory.check(account, PASSWORD, soon()), Proven)
    outcome = directory.change(account, WRONG, NEW, soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is ChangeProblem.WRONG_OLD
    assert slapd_on.failures(late) == 1
    assert slapd_on.accepts(late, who.PASSWORD)


def test_a_reset_in_between_ends_it(directory, slapd_on, late):
    """The proof was of another password: a bind by the old one is asked, and fails."""
    assert isinstance(directory.check(facts_of(directory, late), PASSWORD, soon()), Proven)
    slapd_on.change(late, {"userPassword": [who.hashed("By-the-admin1")]}, relax=False)
    outcome = directory.change(facts_of(directory, late), PASSWORD, NEW, soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is ChangeProblem.WRONG_OLD
    assert slapd_on.accepts(late, "By-the-admin1")


def test_a_server_that_closed_it_costs_another_login_and_no_more(tmp_path):
    late = who.Person("late", (f"pwdChangedTime: {who.gtime(now() + who.OLD)}", GRACE))
    with (
        Slapd(tmp_path / "slapd", (late,)) as slapd,
        reached(settings(slapd.ca_file, slapd.tls_url)) as directory,
    ):
        account = facts_of(directory, "late")
        assert isinstance(directory.check(account, PASSWORD, soon()), Proven)
        slapd.restart()
        assert isinstance(directory.change(account, PASSWORD, NEW, soon()), Changed)
        assert slapd.bound("late") == 2


def test_none_waits_for_ever(directory: LdapDirectory, slapd_on, late, monkeypatch):
    account = facts_of(directory, late)
    assert isinstance(directory.check(account, PASSWORD, soon()), Proven)
    [number] = {b.connection for b in slapd_on.binds() if b.dn == slapd_on.dn(late).lower()}
    monkeypatch.setattr(held, "HELD_S", -1.0)
    facts_of(directory, "active")
    eventually(
        lambda: bool(slapd_on.said(rf"conn={number} fd=\d+ closed")), "the connection stays open"
    )
