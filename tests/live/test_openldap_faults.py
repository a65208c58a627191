"""Servers that stop, stall, drip, reset, talk nonsense or are busy: nothing outlasts the budget.

None of it is ever a verdict on a password, and none of it sends a bind twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loginward.core.clock import Deadline
from loginward.core.evidence import NoVerdict, Proven, Wrong
from loginward.core.facts import AccountFacts
from loginward.directory.ldap.directory import LdapDirectory
from loginward.errors import DirectoryUnavailable
from tests.live import people as who
from tests.live.agent import CLOCK, PASSWORD, WRONG, facts_of, reached, settings, soon
from tests.live.proxy import Fault, Proxy
from tests.live.slapd import Slapd, free_ports, now

pytestmark = pytest.mark.live

BUDGET_S = 1.0
LATE_S = 0.35  # for a busy machine
SILENT = (Fault.STALL, Fault.SWALLOW, Fault.DRIP, Fault.HALF)
BROKEN = (Fault.RESET, Fault.RESET_AFTER, Fault.HANG_UP, Fault.GARBAGE)
BUSY = (Fault.BUSY, Fault.UNAVAILABLE)


@pytest.fixture
def proxy(slapd_on: Slapd) -> Iterator[Proxy]:
    with Proxy(slapd_on.port) as opened:
        yield opened


@pytest.fixture
def through(slapd_on: Slapd, proxy: Proxy) -> Iterator[LdapDirectory]:
    """The directory through a proxy that can misbehave; nothing is connected yet."""
    with reached(settings(slapd_on.ca_file, proxy.url)) as directory:
        yield directory


def budget() -> Deadline:
    return Deadline.after(BUDGET_S, CLOCK)


@contextmanager
def in_time(at_least: float = 0.0) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert at_least <= took < BUDGET_S + LATE_S, f"took {took:.2f} s"


def account(slapd: Slapd, name: str) -> AccountFacts:
    """Return an account as it was read earlier."""
    return AccountFacts(account_id=name, name=name, ref=slapd.dn(name), read_at=now())


# Every fault, on new connections and on kept ones, for reading and for checking


@pytest.mark.parametrize("fault", [*SILENT, *BROKEN, *BUSY])
@pytest.mark.parametrize("warm", [False, True], ids=["new", "kept"])
def test_reading_ends_in_time(through, proxy, fault: Fault, warm: bool):
    if warm:
        facts_of(through, "active")
    proxy.fault = fault

    with in_time(), pytest.raises(DirectoryUnavailable):
        through.find("active", budget())


@pytest.mark.parametrize("fault", [*SILENT, *BROKEN, *BUSY])
@pytest.mark.parametrize("warm", [False, True], ids=["new", "kept"])
def test_a_check_without_an_answer_is_no_verdict(
    through, proxy, slapd_on, person, fault: Fault, warm: bool
):
    """I9: an outage never counts; and what may have been counted is never sent again."""
    if warm:
        assert isinstance(through.check(account(slapd_on, person), PASSWORD, soon()), Proven)
    before = slapd_on.bound(person)
    proxy.fault = fault

    with in_time():
        checked = through.check(account(slapd_on, person), WRONG, budget())

    assert isinstance(checked, NoVerdict)
    assert slapd_on.bound(person) - before <= 1
    proxy.fault = Fault.NONE
    assert slapd_on.failures(person) <= 1


def test_a_connection_that_answers_twice_is_destroyed(through, proxy, slapd_on, person):
    """The second answer would be taken for that to the next password."""
    proxy.fault = Fault.TWICE
    first = through.check(account(slapd_on, person), WRONG, soon())
    proxy.fault = Fault.NONE
    second = eventually(lambda: through.check(account(slapd_on, person), PASSWORD, soon()))

    assert isinstance(first, NoVerdict | Wrong)
    assert isinstance(second, Proven)
    own = [bind.connection for bind in slapd_on.binds() if bind.dn == slapd_on.dn(person)]
    assert len(own) == len(set(own)), "a second bind went over the connection that answered twice"


def eventually(check: Callable[[], object]) -> object:
    """Ask again until a server that is left alone for a while is tried again."""
    until = time.monotonic() + 10
    while isinstance(found := check(), NoVerdict) and time.monotonic() < until:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("fault", [*SILENT, *BROKEN, *BUSY])
def test_it_works_again_once_the_server_does(through, proxy, slapd_on, fault: Fault):
    facts = facts_of(through, "active")
    proxy.fault = fault
    assert isinstance(through.check(facts, PASSWORD, budget()), NoVerdict)
    proxy.fault = Fault.NONE

    assert isinstance(eventually(lambda: through.check(facts, PASSWORD, soon())), Proven)
    assert through.find("active", soon()) is not None


def test_a_server_that_failed_is_left_alone_for_a_while(through, proxy, slapd_on):
    """After one login has waited for a silent server, the next ones go offline at once."""
    proxy.fault = Fault.STALL
    facts = account(slapd_on, "active")
    assert isinstance(through.check(facts, PASSWORD, budget()), NoVerdict)
    accepted = proxy.accepted
    began = time.monotonic()
    for _ in range(20):
        assert isinstance(through.check(facts, PASSWORD, budget()), NoVerdict)

    assert time.monotonic() - began < 0.3
    assert proxy.accepted == accepted
    (health,) = through.health()
    assert not health.usable
    assert health.last_problem


# The network under TLS


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.DRIP, Fault.RESET, Fault.GARBAGE])
def test_a_handshake_ends_in_time(slapd_on, fault: Fault):
    with (
        Proxy(slapd_on.tls_port, fault) as proxy,
        reached(settings(slapd_on.ca_file, proxy.tls_url)) as directory,
        in_time(),
        pytest.raises(DirectoryUnavailable),
    ):
        directory.find("active", budget())


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.DRIP, Fault.GARBAGE])
def test_start_tls_ends_in_time(slapd_on, fault: Fault):
    with (
        Proxy(slapd_on.port, fault) as proxy,
        reached(settings(slapd_on.ca_file, proxy.url, start_tls=True)) as directory,
        in_time(),
        pytest.raises(DirectoryUnavailable),
    ):
        directory.find("active", budget())


def test_a_name_that_does_not_resolve_ends_in_time(slapd_on):
    site = settings(slapd_on.ca_file, "ldaps://directory.invalid:636")
    with reached(site) as directory, in_time(), pytest.raises(DirectoryUnavailable):
        directory.find("active", budget())


# A real server that stops, stalls, comes back


@pytest.fixture
def own_slapd(tmp_path) -> Iterator[Slapd]:
    people = (who.Person("active"), who.Person("other"))
    with Slapd(tmp_path / "slapd", people) as server:
        yield server


def test_a_stopped_server_is_unavailable_at_once(own_slapd):
    with reached(settings(own_slapd.ca_file, own_slapd.tls_url)) as directory:
        facts = facts_of(directory, "active")
        own_slapd.stop()
        began = time.monotonic()
        assert isinstance(directory.check(facts, PASSWORD, budget()), NoVerdict)
        with pytest.raises(DirectoryUnavailable):
            directory.find("active", budget())
        assert time.monotonic() - began < 0.3


def test_kept_connections_survive_a_restart_of_the_server(own_slapd):
    """A connection known to be closed is replaced before anything is sent: no attempt is lost."""
    with reached(settings(own_slapd.ca_file, own_slapd.tls_url)) as directory:
        facts = facts_of(directory, "active")
        assert isinstance(directory.check(facts, PASSWORD, soon()), Proven)
        for nth in (1, 2):  # two of three: one more would lock
            own_slapd.restart()
            assert isinstance(directory.check(facts, WRONG, soon()), Wrong)
            assert own_slapd.failures("active") == nth
            assert directory.find("active", soon()) is not None


def test_a_stalled_server_costs_one_budget_and_comes_back(own_slapd):
    with reached(settings(own_slapd.ca_file, own_slapd.tls_url)) as directory:
        facts = facts_of(directory, "active")
        own_slapd.stall()
        with in_time():
            assert isinstance(directory.check(facts, PASSWORD, budget()), NoVerdict)
        with in_time(), pytest.raises(DirectoryUnavailable):
            directory.find("active", budget())
        own_slapd.go_on()
        assert isinstance(eventually(lambda: directory.check(facts, PASSWORD, soon())), Proven)


# Several servers


@contextmanager
def two_servers(slapd: Slapd, fault: Fault) -> Iterator[LdapDirectory]:
    """A directory whose first server misbehaves, whose second does not."""
    with (
        Proxy(slapd.port, fault) as bad,
        reached(settings(slapd.ca_file, bad.url, slapd.tls_url)) as directory,
    ):
        yield directory


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.RESET, Fault.HANG_UP, Fault.GARBAGE, *BUSY])
def test_reading_goes_on_to_the_next_server(slapd_on, fault: Fault):
    with two_servers(slapd_on, fault) as directory:
        with in_time():
            assert directory.find("active", budget()) is not None
        with in_time():  # and it stays there while the first is left alone
            assert directory.find("expired", budget()) is not None


@pytest.mark.parametrize("fault", BUSY)
def test_a_bind_goes_on_where_a_server_says_that_it_did_not_look(slapd_on, person, fault: Fault):
    """Busy and unavailable are said instead of looking: asking the next counts nothing twice."""
    with two_servers(slapd_on, fault) as directory:
        checked = directory.check(account(slapd_on, person), WRONG, soon())

    assert isinstance(checked, Wrong)
    assert (slapd_on.bound(person), slapd_on.failures(person)) == (1, 1)


@pytest.mark.parametrize("fault", [Fault.SWALLOW, Fault.RESET_AFTER, Fault.HALF])
def test_a_bind_that_may_have_been_looked_at_is_never_sent_elsewhere(
    slapd_on, person, fault: Fault
):
    """No double binds, over servers, retries and phases."""
    with two_servers(slapd_on, fault) as directory, in_time():
        checked = directory.check(account(slapd_on, person), WRONG, budget())

    assert isinstance(checked, NoVerdict)
    assert slapd_on.bound(person) == 1


def test_a_dead_server_before_a_good_one_costs_next_to_nothing(slapd_on):
    (dead,) = free_ports(1)
    site = settings(slapd_on.ca_file, f"ldaps://127.0.0.1:{dead}", slapd_on.tls_url)
    with reached(site) as directory:
        began = time.monotonic()
        assert directory.find("active", budget()) is not None
        assert isinstance(
            directory.check(facts_of(directory, "active"), PASSWORD, budget()), Proven
        )
        took = time.monotonic() - began
        first, second = directory.health()

    assert took < 0.5
    assert (first.usable, second.usable) == (False, True)
    assert second.last_ok_at is not None


def test_after_a_failure_kept_connections_to_that_server_are_not_trusted(through, proxy, slapd_on):
    """One cut cable costs one login its budget, not one for each connection that was kept."""
    facts = facts_of(through, "active")
    keep_several(through, facts)
    proxy.fault = Fault.SWALLOW
    assert isinstance(through.check(facts, PASSWORD, budget()), NoVerdict)
    proxy.fault = Fault.NONE
    accepted = proxy.accepted
    assert isinstance(eventually(lambda: through.check(facts, PASSWORD, soon())), Proven)

    assert proxy.accepted > accepted


def keep_several(directory: LdapDirectory, facts: AccountFacts, count: int = 6) -> None:
    """Have several connections for binds open at once."""
    together = threading.Barrier(count)

    def check() -> None:
        together.wait()
        directory.check(facts, PASSWORD, soon())

    threads = [threading.Thread(target=check) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
