"""Passwords checked from an event loop: the same verdicts, one bind each, and no fault stops it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from loginward.core.evidence import Checked, NoVerdict, Proven, Wrong
from loginward.core.facts import AccountFacts
from loginward.core.secret import Secret
from loginward.directory.ldap.directory import LdapDirectory
from loginward.directory.ldap.loop_binder import MOST_OPEN
from loginward.directory.port import LoopChecks
from loginward.doors.radius.loop import Loop
from tests.live import people
from tests.live.agent import CLOCK, PASSWORD, WRONG, facts_of, reached, settings, soon, unread
from tests.live.proxy import Fault, Proxy
from tests.live.slapd import Slapd, now

pytestmark = pytest.mark.live

SILENT = (Fault.STALL, Fault.SWALLOW, Fault.DRIP, Fault.HALF)
BROKEN = (Fault.RESET, Fault.RESET_AFTER, Fault.HANG_UP, Fault.GARBAGE)
CONDITIONS = (
    "active", "pending", "expired", "mustchange", "locked", "lockperm", "ended", "warning",
)  # fmt: skip


class Binds:
    """What checks passwords on a loop of its own, for tests that wait."""

    def __init__(self, loop: Loop, checks: LoopChecks) -> None:
        self._loop = loop
        self._checks = checks
        self.threads = set[int]()

    def begin(
        self, account: AccountFacts, password: Secret, seconds: float = 10
    ) -> Future[Checked]:
        """Have a password checked."""
        found: Future[Checked] = Future()
        deadline = soon(seconds)

        def told(checked: Checked) -> None:
            self.threads.add(threading.get_ident())
            found.set_result(checked)  # twice would raise

        self._loop.post(lambda: self._checks.check(account, password, deadline, told))
        return found

    def check(self, account: AccountFacts, password: Secret, seconds: float = 10) -> Checked:
        """Return what a check showed."""
        return self.begin(account, password, seconds).result(20)


@contextmanager
def binding(directory: LdapDirectory) -> Iterator[Binds]:
    """Run a loop that checks passwords, until the end of the block; no callback of it may fail."""
    faults = Counter[str]()
    loop = Loop(CLOCK, lambda: faults.update(["fault"]))
    with ThreadPoolExecutor(4) as threads:
        offload: Callable[[Callable[[], None]], object] = threads.submit
        checks = directory.loop_checks(loop, offload)
        running = threading.Thread(target=loop.run)
        running.start()
        try:
            yield Binds(loop, checks)
        finally:
            loop.post(checks.close)
            loop.stop()
            running.join(10)
            loop.close()
    assert not faults


@pytest.fixture(scope="module")
def slapd_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A server of our own: accounts get locked here."""
    crowd = (*people.matrix(now()), *people.bulk(40))
    with Slapd(tmp_path_factory.mktemp("loop") / "slapd", crowd) as server:
        yield server


@pytest.fixture
def directory(slapd_on: Slapd) -> Iterator[LdapDirectory]:
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as found:
        yield found


@pytest.fixture
def proxy(slapd_on: Slapd) -> Iterator[Proxy]:
    with Proxy(int(slapd_on.url.rsplit(":", 1)[1])) as between:
        yield between


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("password", [PASSWORD, WRONG], ids=["right", "wrong"])
def test_the_verdict_is_that_of_the_binder_for_threads(directory, name, password):
    account = facts_of(directory, name)
    with binding(directory) as binds:
        assert binds.check(account, password) == directory.check(account, password, soon())


def test_many_at_once_are_each_told_their_own_verdict_once(directory, slapd_on):
    """On few connections, each with one bind at a time, all told on the loop's thread."""
    accounts = [facts_of(directory, f"bulk{n}") for n in range(30)]
    before = len(slapd_on.binds())
    with binding(directory) as binds:
        asked = [
            binds.begin(account, PASSWORD if n % 10 else WRONG)
            for n, account in enumerate(accounts)
        ]
        verdicts = [type(one.result(20)) for one in asked]
        assert len(binds.threads) == 1
    assert verdicts == [Proven if n % 10 else Wrong for n in range(30)]
    assert len(slapd_on.binds()) - before == 30


def test_no_more_connections_are_opened_than_help(slapd_on, proxy):
    with (
        reached(unread(None, proxy.url)) as through,
        reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as directory,
        binding(through) as binds,
    ):
        account = facts_of(directory, "active")
        assert {
            type(one.result(20)) for one in [binds.begin(account, PASSWORD) for _ in range(60)]
        } == {Proven}
    assert 1 <= proxy.accepted <= MOST_OPEN


@pytest.mark.parametrize("fault", [*SILENT, *BROKEN])
def test_a_fault_is_no_verdict_in_time_and_the_next_bind_is_checked(
    directory, slapd_on, proxy, fault
):
    """Nothing is sent twice: a wrong password costs one failure at most, and the wait ends."""
    account = facts_of(directory, "nochanged")
    with reached(unread(None, proxy.url)) as through, binding(through) as binds:
        assert isinstance(binds.check(account, PASSWORD), Proven)
        before = slapd_on.failures("nochanged")
        proxy.fault = fault
        began = time.monotonic()
        assert isinstance(binds.check(account, WRONG, 0.5), NoVerdict)
        assert time.monotonic() - began < 2
        assert slapd_on.failures("nochanged") <= before + 1
        proxy.fault = Fault.NONE
        until = time.monotonic() + 10
        while not isinstance(binds.check(account, PASSWORD), Proven):
            assert time.monotonic() < until, "it never came back"


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.UNAVAILABLE])
def test_a_busy_server_counts_nothing_and_the_next_is_asked(directory, slapd_on, proxy, fault):
    account = facts_of(directory, "bulk32")
    plain = slapd_on.url
    with (
        reached(unread(None, proxy.url, plain)) as two,
        binding(two) as binds,
    ):
        proxy.fault = fault
        before = slapd_on.failures("bulk32")
        assert isinstance(binds.check(account, WRONG), Wrong)
        assert slapd_on.failures("bulk32") == before + 1


def test_a_server_that_is_gone_is_told_at_once_and_missed(directory, slapd_on, proxy):
    account = facts_of(directory, "bulk33")
    with (
        reached(unread(None, proxy.url)) as through,
        binding(through) as binds,
    ):
        assert isinstance(binds.check(account, PASSWORD), Proven)
        proxy.cut()
        assert isinstance(binds.check(account, PASSWORD), NoVerdict | Proven)
        until = time.monotonic() + 10
        while not isinstance(binds.check(account, PASSWORD), Proven):
            assert time.monotonic() < until, "it never came back"


def test_an_empty_password_never_reaches_the_server(directory, slapd_on):
    account = facts_of(directory, "bulk34")
    before = len(slapd_on.binds())
    with binding(directory) as binds:
        assert binds.check(account, Secret(b"")) == NoVerdict("password")
    assert len(slapd_on.binds()) == before


def test_who_was_let_in_on_a_grace_login_changes_by_that_very_bind(directory, slapd_on):
    """The connection is handed over: the change costs no second grace login."""
    account = facts_of(directory, "grace")
    new = Secret(b"quite another one 42")
    spent = len(slapd_on.values("grace", "pwdGraceUseTime"))
    with binding(directory) as binds:
        assert isinstance(binds.check(account, PASSWORD), Proven)
        directory.change(account, PASSWORD, new, soon())
        assert isinstance(binds.check(account, new), Proven)
    assert len(slapd_on.values("grace", "pwdGraceUseTime")) <= spent + 1
