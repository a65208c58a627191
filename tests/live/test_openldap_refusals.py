"""What a real OpenLDAP, or what stands before it, refuses; and writes where one server is down."""

from __future__ import annotations

import pytest

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import NoVerdict
from loginward.core.secret import Secret
from loginward.directory.ldap.directory import LdapDirectory, Secrets
from loginward.directory.port import Act, Done, NotDone, Verb
from loginward.errors import ConfigError, DirectoryUnavailable
from loginward.settings.directory import Account
from tests.live import people as who
from tests.live.agent import CLOCK, NOWHERE, PASSWORD, reached, settings, soon, unread
from tests.live.proxy import Fault, Proxy
from tests.live.slapd import free_ports, now

pytestmark = pytest.mark.live

CHANGED = f"pwdChangedTime: {who.gtime(now())}"
NEW = Secret(b"An0ther!word")
WRITER = Account(dn=who.SVC_RW, password_file=NOWHERE)


@pytest.fixture
def person(slapd_on, request):
    name = "r" + str(abs(hash(request.node.name)) % 10**9)
    slapd_on.add(who.Person(name, (CHANGED,)))
    yield name
    slapd_on.remove(name)


def act(directory, name: str, verb: Verb, password: Secret | None = None):
    facts = directory.find(name, soon())
    assert facts is not None
    return directory.act(facts, Act(verb=verb, password=password), soon())


def test_no_password_goes_where_tls_is_refused(slapd_on):
    """A server, or who stands before it, that takes no StartTLS gets nothing else either."""
    with (
        Proxy(slapd_on.port, Fault.UNAVAILABLE) as proxy,
        reached(unread(slapd_on.ca_file, proxy.url, start_tls=True)) as directory,
    ):
        facts, binds = directory.find("active", soon()), len(slapd_on.binds())
        assert directory.check(facts, PASSWORD, soon()) == NoVerdict("starttls")
        with pytest.raises(DirectoryUnavailable):
            directory.change(facts, PASSWORD, NEW, soon())
        assert len(slapd_on.binds()) == binds


@pytest.mark.parametrize("is_stalled", [True, False], ids=["stalled", "dead"])
def test_changes_are_made_at_the_next_server_where_one_is_down(slapd_on, person, is_stalled):
    with Proxy(slapd_on.tls_port, Fault.STALL) as stalled:
        first = stalled.tls_url if is_stalled else f"ldaps://127.0.0.1:{free_ports(1)[0]}"
        site = settings(slapd_on.ca_file, first, slapd_on.tls_url)
        with reached(site) as directory:
            facts = directory.find(person, soon(2))
            assert facts is not None
        with reached(site) as directory:
            assert isinstance(directory.change(facts, PASSWORD, NEW, soon(2)), Changed)
        with reached(site) as directory:
            done = directory.act(facts, Act(verb=Verb.LOCK), soon(3))
        assert done == Done()
    assert slapd_on.values(person, "pwdAccountLockedTime") == [b"000001010000Z"]


def test_a_change_that_nobody_answers_is_no_success(slapd_on, person):
    with (
        Proxy(slapd_on.port) as proxy,
        reached(unread(slapd_on.ca_file, proxy.url)) as directory,
    ):
        facts = directory.find(person, soon())
        proxy.fault = Fault.SWALLOW
        with pytest.raises(DirectoryUnavailable):
            directory.change(facts, PASSWORD, NEW, soon(0.4))


@pytest.mark.parametrize("new", [b"", b"a\0b", b"x" * 2000])
def test_a_new_password_that_cannot_be_is_not_sent(slapd_on, person, new):
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as directory:
        facts = directory.find(person, soon())
        outcome = directory.change(facts, PASSWORD, Secret(new), soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is ChangeProblem.TOO_WEAK
    assert slapd_on.bound(person) == 0


def test_a_locked_account_changes_nothing(slapd_on):
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as directory:
        outcome = directory.change(directory.find("lockperm", soon()), PASSWORD, NEW, soon())
    assert isinstance(outcome, NotChanged)
    assert outcome.problem is ChangeProblem.NOT_ALLOWED


def test_verbs_that_would_do_nothing_are_refused_with_a_remedy(slapd_on):
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as directory:
        expire = act(directory, "resetfree", Verb.EXPIRE)
        nothing = act(directory, "active", Verb.RESET_PASSWORD)
    assert isinstance(expire, NotDone)
    assert "set-temporary" in expire.why
    assert isinstance(nothing, NotDone)


def test_a_server_without_policies_says_so_of_each_verb(slapd_plain):
    site = settings(slapd_plain.ca_file, slapd_plain.tls_url, ppolicy_dn=None)
    with reached(site) as directory:
        for verb in (Verb.SUSPEND, Verb.LOCK, Verb.EXPIRE, Verb.SET_TEMPORARY):
            outcome = act(directory, "active", verb, NEW)
            assert isinstance(outcome, NotDone), verb
            assert "policy" in outcome.why


def test_a_server_that_is_no_openldap_is_changed_by_nobody(slapd_on):
    site = settings(slapd_on.ca_file, slapd_on.tls_url, flavour="generic")
    with reached(site) as directory:
        assert isinstance(act(directory, "active", Verb.LOCK), NotDone)
    assert slapd_on.values("active", "pwdAccountLockedTime") == []


def test_an_account_without_its_password_is_the_operators(slapd_on):
    with pytest.raises(ConfigError, match=r"directory\.admin_account\.password_file"):
        LdapDirectory(
            settings(slapd_on.ca_file, slapd_on.tls_url, admin_account=WRITER),
            Secrets(service=PASSWORD),
            CLOCK,
        )


def test_a_refused_account_of_the_agent_stops_nobodys_login(slapd_on):
    """The admin account's wrong password is no reason to leave the server alone."""
    secrets = Secrets(service=PASSWORD, admin=Secret(b"wrong"))
    directory = LdapDirectory(settings(slapd_on.ca_file, slapd_on.tls_url), secrets, CLOCK)
    try:
        facts = directory.find("active", soon())
        assert facts is not None
        with pytest.raises(DirectoryUnavailable) as raised:
            directory.act(facts, Act(verb=Verb.LOCK), soon())
        assert raised.value.stage == "directory.admin_account"
        assert directory.find("active", soon()) is not None
        assert directory.health()[0].usable
    finally:
        directory.close()
