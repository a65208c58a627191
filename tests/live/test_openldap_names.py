"""Names and identities towards a real OpenLDAP: many spellings are one account, none is a filter."""

from __future__ import annotations

import pytest

from loginward.core.names import index_form
from loginward.settings.directory import Users
from tests.live import people as who
from tests.live.agent import PASSWORD, WRONG, facts_of, reached, settings, soon, unread
from tests.live.slapd import Slapd

pytestmark = pytest.mark.live

SITES = {"readable": settings, "unread": unread}


def spellings(name: str) -> list[str]:
    """Return 32 ways to type one name: cases, blanks around it, full width."""
    wide = "".join(chr(ord(c) + 0xFEE0) for c in name)
    cases = [
        "".join(c.upper() if mask >> at & 1 else c for at, c in enumerate(name))
        for mask in range(28)
    ]
    return [*cases, f" {name}", f"{name} ", wide, wide.upper()]


@pytest.mark.parametrize("site", SITES)
def test_32_spellings_are_one_account(slapd_on: Slapd, site: str):
    """I6: one account has one tally, however its name is typed."""
    names = spellings("active")
    assert len(set(names)) == 32
    assert {index_form(name) for name in names} == {"active"}

    with reached(SITES[site](slapd_on.ca_file, slapd_on.tls_url)) as directory:
        accounts = [facts_of(directory, name) for name in names]

    assert len({facts.account_id for facts in accounts}) == 1
    assert {facts.name for facts in accounts} == {"active"}
    assert {facts.ref for facts in accounts} == {slapd_on.dn("active")}


@pytest.mark.parametrize(
    "name",
    [
        *("a*e", "*)(uid=*))(|(uid=*", "active)(objectClass=*", "act\\69ve", "active\\", "&", "|"),
        *("!", "active)%00", "uid=active", "uid=active,ou=people,dc=ex,dc=org", "=", "~", ">="),
        *("active,ou=people", "a b", "a+b", "a;b", 'a"b', "a#b", "<active>", "\u202eactive"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("site", SITES)
def test_injection_finds_nobody_and_binds_nobody(slapd_on: Slapd, site: str, name: str):
    before = len(slapd_on.binds())
    with reached(SITES[site](slapd_on.ca_file, slapd_on.tls_url)) as directory:
        assert directory.find(name, soon()) is None

    assert not [bind for bind in slapd_on.binds()[before:] if who.PEOPLE in bind.dn]


def test_only_the_sites_people_are_facts_of(slapd_on: Slapd):
    chosen = Users(base_dn=who.PEOPLE, filter="(&(objectClass=person)(!(uid=locked)))")
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url, users=chosen)) as directory:
        locked_elsewhere = facts_of(directory, "active")
        assert directory.find("locked", soon()) is None
        assert directory.find("svc-ro", soon()) is None
        assert directory.read(locked_elsewhere, soon()) is not None


def test_a_new_entry_under_an_old_name_is_another_account(slapd_on: Slapd):
    slapd_on.add(who.Person("returns"))
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as directory:
        before = facts_of(directory, "returns")
        slapd_on.remove("returns")
        assert directory.find("returns", soon()) is None
        slapd_on.add(who.Person("returns"))
        after = facts_of(directory, "returns")
        assert directory.read(before, soon()) is None
    slapd_on.remove("returns")

    assert after.account_id != before.account_id


def test_no_connection_ever_carries_two_kinds_of_identity(slapd_on: Slapd):
    """A failed rebind may keep the old identity: binds of people stay on their own connections."""
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as directory:
        facts = facts_of(directory, "active")
        for password in (PASSWORD, WRONG, PASSWORD):
            directory.check(facts, password, soon())
    binds = slapd_on.binds()
    services = {bind.connection for bind in binds if bind.dn == who.SVC_RO.lower()}
    persons = {bind.connection for bind in binds if who.PEOPLE in bind.dn}
    searched = {int(number) for number in slapd_on.said(r"conn=(\d+) op=\d+ SRCH ")}

    assert services
    assert persons
    assert not services & persons
    assert not searched & persons
