"""Accounts whose password a real OpenLDAP has checked elsewhere: {SASL} in userPassword."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from loginward.core.evidence import Wrong
from loginward.crypto.tags import Tagger
from loginward.runtime.passwords_seen import Repeats
from loginward.settings.directory import Account
from tests.live import people as who
from tests.live.agent import CLOCK, NOWHERE, WRONG, facts_of, reached, settings, soon
from tests.live.slapd import Slapd, now

pytestmark = pytest.mark.live

CHANGED = f"pwdChangedTime: {who.gtime(now() - timedelta(hours=3))}"
MAY_SEARCH = Account(dn=who.SVC_RW, password_file=NOWHERE)


@pytest.fixture(params=["{SASL}", "{sasl}"])
def elsewhere(request, slapd_on: Slapd) -> Iterator[str]:
    name = f"elsewhere{now():%H%M%S%f}"
    slapd_on.add(who.Person(name, (CHANGED, f"userPassword: {request.param}{name}@EX.ORG"), None))
    yield name
    slapd_on.remove(name)


@pytest.fixture
def seeing(slapd_on):
    site = settings(slapd_on.ca_file, slapd_on.tls_url, service_account=MAY_SEARCH)
    with reached(site) as directory:
        yield directory


def test_who_may_search_it_sees_the_scheme_and_repeats_are_asked_again(seeing, elsewhere):
    """I19 holds not there: the password can change where no change time moves."""
    facts = facts_of(seeing, elsewhere)
    assert facts.pass_through
    assert any("{SASL}" in evidence.said for evidence in facts.evidence)
    assert not any(elsewhere + "@EX.ORG" in evidence.said for evidence in facts.evidence)
    assert isinstance(seeing.check(facts, WRONG, soon()), Wrong)
    repeats = Repeats(Tagger(), CLOCK)
    repeats.remember(facts, WRONG)
    assert not repeats.is_known_wrong(facts, WRONG)


@pytest.mark.parametrize("name", ["active", "expired", "pending"])
def test_nobody_else_is_taken_for_one(seeing, name):
    assert not facts_of(seeing, name).pass_through


def test_who_may_only_compare_does_not_see_it(directory, elsewhere):
    """It looks as any password does, and its repeats are refused for a day."""
    facts = facts_of(directory, elsewhere)
    assert not facts.pass_through
    assert facts.has_password


def test_it_is_asked_once_a_change_of_the_password(seeing, slapd_on, elsewhere):
    def asked() -> int:
        return len(slapd_on.said(rf'base="{slapd_on.dn(elsewhere)}" scope=0 [^\n]*filter="\(\|'))

    facts_of(seeing, elsewhere)
    assert facts_of(seeing, elsewhere).pass_through
    assert asked() == 1
    slapd_on.change(elsewhere, {"userPassword": [who.hashed(who.PASSWORD)]}, relax=False)
    assert not facts_of(seeing, elsewhere).pass_through
    assert asked() == 2
