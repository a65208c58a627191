"""The watch over a real OpenLDAP: what it has at hand is what a reading would say, or nothing."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import ldap3
import pytest

from loginward.core.evidence import Proven, Wrong
from loginward.core.facts import AccountFacts
from loginward.directory.ldap import following
from loginward.directory.ldap.directory import LdapDirectory
from loginward.errors import DirectoryUnavailable
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.agent import PASSWORD, WRONG, facts_of, reached, settings, soon
from tests.live.proxy import Fault, Proxy
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("watch-ldap")]

NOT_SHOWN = (
    f"no contextCSN of {people.SUFFIX} is shown: it has no syncprov overlay, or"
    " directory.service_account may not read it"
)
LOCKED = ["000001010000Z"]
TRUSTED_S = 2.0  # security: older facts let nobody in


@dataclass
class Site:
    slapd: Slapd
    directory: LdapDirectory
    told: list[str] = field(default_factory=list)

    def meet(self, name: str, *lines: str) -> AccountFacts:
        """Have somebody in the directory and at hand."""
        self.slapd.add(people.Person(name, (f"pwdChangedTime: {people.gtime(now())}", *lines)))
        self.settle()
        return self.look(name)

    def look(self, name: str) -> AccountFacts:
        """Read somebody against whom nothing stands, who is then at hand."""
        facts = facts_of(self.directory, name)
        assert as_read(self.directory.at_hand(name)) == as_read(facts)
        return facts

    def read_again(self, name: str) -> AccountFacts:
        """Read somebody as soon as a server is seen to answer again."""
        found: list[AccountFacts] = []

        def is_read() -> bool:
            with contextlib.suppress(DirectoryUnavailable):
                found.append(facts_of(self.directory, name))
            return bool(found)

        eventually(is_read, "no server answers")
        return found[0]

    def settle(self) -> None:
        """Wait until the watch has taken in all that has happened until now."""
        began = time.monotonic()

        def is_past() -> bool:
            watched = self.directory.watched()
            return watched.pushed and time.monotonic() - watched.age_s > began

        eventually(is_past, lambda: str(self.directory.watched()))

    def await_gone(self, name: str, within_s: float = 1.0) -> None:
        eventually(lambda: self.directory.at_hand(name) is None, "still at hand", within_s)

    def await_so(self, name: str) -> None:
        """Wait until what is at hand of somebody is nothing, or what a reading says."""
        found: AccountFacts | None = None

        def is_so() -> bool:
            nonlocal found
            found = self.directory.at_hand(name)
            return found is None or as_read(found) == as_read(facts_of(self.directory, name))

        eventually(is_so, lambda: str(found), within_s=2)

    def await_pushed(self) -> None:
        eventually(lambda: self.directory.watched().pushed, lambda: str(self.directory.watched()))

    def root(self, act: Callable[[ldap3.Connection], tuple[bool, object, object, object]]) -> None:
        with self.slapd.root() as connection:
            done, result, _, _ = act(connection)
        assert done, result


def as_read(facts: AccountFacts | None) -> AccountFacts | None:
    """Return facts without what two readings of one state may differ in."""
    if facts is None:
        return None
    said = tuple(sorted(facts.evidence, key=lambda one: one.said))
    return replace(facts, read_at=now().replace(year=2000, microsecond=0), evidence=said)


@contextmanager
def watched(slapd: Slapd, *urls: str, **changes: object) -> Iterator[Site]:
    with reached(settings(slapd.ca_file, *(urls or (slapd.tls_url,)), **changes)) as directory:
        site = Site(slapd, directory)
        directory.watch(site.told.append)
        yield site


@pytest.fixture(scope="module", autouse=True)
def _often() -> Iterator[None]:
    """Ask how far the server has told ten times a second, so that nobody waits long for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "PROBE_S", 0.1)
        yield


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("watched") / "slapd"
    with Slapd(folder, people.matrix(now())) as slapd, watched(slapd) as site:
        site.await_pushed()
        yield site


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"pwdAccountLockedTime": LOCKED}, id="lock"),
        pytest.param({"pwdEndTime": ["20200101000000Z"]}, id="suspend"),
        pytest.param({"pwdReset": ["TRUE"]}, id="temporary"),
        pytest.param({"userPassword": ["Another1!"]}, id="reset"),
        pytest.param({"userPassword": []}, id="no-password"),
        pytest.param({"shadowExpire": ["1"]}, id="ended"),
        pytest.param({"pwdPolicySubentry": [f"cn=none,{people.POLICIES}"]}, id="policy"),
    ],
)
def test_whoever_is_changed_elsewhere_is_read_again(
    site: Site, changes: dict[str, list[str]], request: pytest.FixtureRequest
) -> None:
    name = f"moved-{request.node.callspec.id}"
    account = site.meet(name)
    site.slapd.change(name, changes)
    site.await_gone(name)
    assert account.account_id in site.told
    assert as_read(facts_of(site.directory, name)) != as_read(account)


def test_a_lock_is_told_at_once(site: Site) -> None:
    """Within 0.1 s, with room for a machine that does much else."""
    account = site.meet("quick")
    site.told.clear()
    began = time.monotonic()
    site.slapd.change("quick", {"pwdAccountLockedTime": LOCKED})
    eventually(lambda: account.account_id in site.told, "not told")
    assert time.monotonic() - began < 0.5


def test_whom_something_stands_against_is_read_at_each_login(site: Site) -> None:
    """R: an unlock in the directory lets the very next login in, however the watch is doing."""
    site.meet("unlocked")
    for _ in range(20):
        site.slapd.change("unlocked", {"pwdAccountLockedTime": LOCKED})
        site.await_gone("unlocked")
        assert facts_of(site.directory, "unlocked").locks
        assert site.directory.at_hand("unlocked") is None
        site.slapd.change("unlocked", {"pwdAccountLockedTime": []})
        assert not (
            site.directory.at_hand("unlocked") or facts_of(site.directory, "unlocked")
        ).locks
        site.settle() if not _ % 10 else None
        facts_of(site.directory, "unlocked")


def test_an_entry_that_goes_or_gets_another_name(site: Site) -> None:
    for name in ("deleted", "renamed", "elsewhere"):
        site.meet(name)
    site.slapd.remove("deleted")
    site.root(lambda c: c.modify_dn(site.slapd.dn("renamed"), "uid=newname"))
    site.root(
        lambda c: c.modify_dn(
            site.slapd.dn("elsewhere"), "uid=elsewhere", new_superior=people.SERVICES
        )
    )
    for name in ("deleted", "renamed", "elsewhere"):
        site.await_gone(name)
        assert site.directory.find(name, soon()) is None
    site.settle()
    assert site.look("newname").name == "newname"


def test_a_second_entry_of_one_name_makes_it_ambiguous(site: Site) -> None:
    site.meet("twin")
    site.meet("other")
    site.root(lambda c: c.modify(site.slapd.dn("other"), {"uid": [(ldap3.MODIFY_ADD, ["TWIN"])]}))
    site.await_gone("twin")
    assert site.directory.find("twin", soon()) is None


def test_groups_are_those_of_now(site: Site) -> None:
    assert site.meet("grouped").groups == frozenset()
    member = {"member": [(ldap3.MODIFY_ADD, [site.slapd.dn("grouped")])]}
    site.root(lambda c: c.modify(f"cn=staff,{people.GROUPS}", member))
    site.await_gone("grouped")
    site.settle()
    assert site.look("grouped").groups == {"staff"}


def test_what_may_not_be_read_may_be_anything(tmp_path: Path) -> None:
    hidden = f"access to dn.subtree={people.GROUPS} by dn={people.SVC_RW} manage by * none"
    with (
        Slapd(tmp_path / "slapd", people.matrix(now()), access=hidden) as slapd,
        watched(slapd) as site,
    ):
        site.await_pushed()
        site.settle()
        site.look("active")
        group = {"description": [(ldap3.MODIFY_REPLACE, ["other"])]}
        site.root(lambda c: c.modify(f"cn=staff,{people.GROUPS}", group))
        site.await_gone("active")
        site.settle()
        site.look("active")


def test_a_policy_is_the_one_of_now(site: Site) -> None:
    site.meet("ruled", f"pwdPolicySubentry: cn=young,{people.POLICIES}")
    locks = {
        "pwdLockout": [(ldap3.MODIFY_REPLACE, ["TRUE"])],
        "pwdMaxFailure": [(ldap3.MODIFY_REPLACE, ["7"])],
    }
    site.root(lambda c: c.modify(f"cn=young,{people.POLICIES}", locks))
    site.await_gone("ruled")
    lockout = facts_of(site.directory, "ruled").lockout
    assert lockout is not None
    assert lockout.threshold == 7


def test_other_spellings_are_asked_about(site: Site) -> None:
    """Whom the directory takes for the same is its own affair."""
    account = site.meet("spelt")
    assert site.directory.at_hand("SPELT") is None
    assert facts_of(site.directory, "SPELT").account_id == account.account_id
    assert site.directory.at_hand("SPELT") is not None


def test_right_passwords_leave_an_account_at_hand(site: Site) -> None:
    """The server writes down each login (lastbind), which is no reason to read."""
    account = site.meet("regular")
    for _ in range(3):
        assert isinstance(site.directory.check(account, PASSWORD, soon()), Proven)
        site.settle()
        found = site.directory.at_hand("regular")
        assert found is not None
        assert as_read(found) == as_read(facts_of(site.directory, "regular"))
        assert timed(found) < TRUSTED_S


def test_after_a_wrong_password_the_failure_is_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6: what is left of the limit is counted from what the directory has counted, told or not."""
    account = site.meet("fumbler")
    monkeypatch.setattr(site.directory._remembered, "happened", lambda *_: False)
    assert isinstance(site.directory.check(account, WRONG, soon()), Wrong)
    assert site.directory.at_hand("fumbler") is None
    found = facts_of(site.directory, "fumbler")
    assert found.failures is not None
    assert len(found.failures) == 1
    assert site.directory.at_hand("fumbler") is None
    monkeypatch.undo()
    assert isinstance(site.directory.check(found, PASSWORD, soon()), Proven)
    site.settle()
    assert site.look("fumbler").failures == ()


def test_a_thousand_changes_leave_nothing_at_hand_that_a_reading_does_not_say(site: Site) -> None:
    rng = random.Random(4533)
    names = [f"many{n}" for n in range(40)]
    for name in names:
        site.slapd.add(people.Person(name, (f"pwdChangedTime: {people.gtime(now())}",)))
    site.settle()
    served = 0
    with site.slapd.root() as root:
        for _ in range(1000):
            name, looked_at = rng.choice(names), rng.choice(names)
            facts_of(site.directory, looked_at)
            act(rng, root, site.slapd.dn(name))
            site.await_so(name)
            served += site.directory.at_hand(looked_at) is not None
    assert served > 100, "hardly anybody was at hand"


def act(rng: random.Random, root: ldap3.Connection, dn: str) -> None:
    """Change somebody, or what they depend on, in one of many ways."""
    attribute, values = rng.choice(
        [
            ("pwdAccountLockedTime", LOCKED),
            ("pwdAccountLockedTime", []),
            ("pwdAccountLockedTime", []),
            ("pwdReset", ["TRUE"]),
            ("pwdReset", []),
            ("pwdEndTime", ["20200101000000Z"]),
            ("pwdEndTime", []),
            ("pwdFailureTime", [f"{now():%Y%m%d%H%M%S.%fZ}"]),
            ("pwdFailureTime", []),
            ("userPassword", [f"Passw0rd!{rng.random()}"]),
            ("telephoneNumber", [str(rng.randrange(9999))]),
            ("shadowExpire", [str(rng.randrange(30000, 40000))]),
            ("member", [dn]),
        ]
    )
    if attribute == "member":
        dn = f"cn=staff,{people.GROUPS}"
    done, result, _, _ = root.modify(
        dn,
        {attribute: [(ldap3.MODIFY_REPLACE, values)]},
        controls=[("1.3.6.1.4.1.4203.666.5.12", True, None)],
    )
    assert done, result


def timed(facts: AccountFacts) -> float:
    """Return for how long facts may have been outdated, seconds."""
    return (now() - facts.read_at).total_seconds()


# Faults


def test_a_server_that_stops_leaves_nothing_at_hand(tmp_path: Path) -> None:
    with Slapd(tmp_path / "slapd", people.matrix(now())) as slapd, watched(slapd) as site:
        site.await_pushed()
        site.settle()
        site.look("active")
        slapd.stop()
        site.await_gone("active", 0.5)
        slapd.start()
        slapd.change("active", {"pwdAccountLockedTime": LOCKED})
        assert site.read_again("active").locks
        site.await_pushed()
        assert site.directory.at_hand("active") is None
        assert site.told.count("") == 2, "nobody is told that changes were missed"


def test_a_server_that_stalls_is_not_believed(tmp_path: Path) -> None:
    with Slapd(tmp_path / "slapd", people.matrix(now())) as slapd, watched(slapd) as site:
        site.await_pushed()
        site.settle()
        site.look("active")
        slapd.stall()
        began = time.monotonic()
        while (found := site.directory.at_hand("active")) is not None:
            assert timed(found) < TRUSTED_S
            assert time.monotonic() - began < TRUSTED_S
            time.sleep(0.01)
        slapd.go_on()
        eventually(lambda: site.directory.at_hand("active") is not None, "it does not recover")


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.GARBAGE])
def test_a_connection_that_is_cut_tells_nothing(tmp_path: Path, fault: Fault) -> None:
    """What happened meanwhile is read."""
    with (
        Slapd(tmp_path / "slapd", people.matrix(now())) as slapd,
        Proxy(slapd.port) as proxy,
        watched(slapd, proxy.url) as site,
    ):
        site.await_pushed()
        site.settle()
        site.look("active")
        proxy.fault = fault
        slapd.change("active", {"pwdAccountLockedTime": LOCKED})
        site.await_gone("active", TRUSTED_S)
        eventually(lambda: not site.directory.watched().pushed, "it does not notice")
        proxy.fault = Fault.NONE
        eventually(lambda: site.told.count("") == 2, lambda: site.told, 20)
        assert site.read_again("active").locks
        slapd.change("active", {"pwdAccountLockedTime": []})
        site.settle()
        site.look("active")


def test_of_two_servers_the_one_that_is_asked_is_watched(tmp_path: Path) -> None:
    """What one server has counted says nothing of the other's locks."""
    with (
        Slapd(tmp_path / "one", people.matrix(now())) as one,
        Proxy(one.port) as first,
        Slapd(tmp_path / "two", people.matrix(now())) as two,
        watched(one, first.url, two.url) as site,
    ):
        site.await_pushed()
        site.settle()
        site.look("active")
        servers = site.directory._servers
        servers.failed(servers.all[0], DirectoryUnavailable("bind"), time.monotonic() - 1)
        assert site.directory.at_hand("active") is None, "a bind would be sent to the other"
        one.stop()
        two.change("active", {"pwdAccountLockedTime": LOCKED})
        assert site.read_again("active").locks
        eventually(
            lambda: site.directory.watched().pushed, lambda: str(site.directory.watched()), 20
        )
        two.change("active", {"pwdAccountLockedTime": []})
        site.settle()
        site.look("active")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param({"syncprov": False}, NOT_SHOWN, id="no-overlay"),
        pytest.param(
            {"access": f"access to attrs=contextCSN by dn={people.SVC_RW} read by * none"},
            NOT_SHOWN,
            id="no-contextcsn",
        ),
    ],
)
def test_without_a_watch_everything_is_read(
    tmp_path: Path, options: dict[str, object], why: str
) -> None:
    with (
        Slapd(tmp_path / "slapd", people.matrix(now()), **options) as slapd,
        watched(slapd) as site,
    ):  # type: ignore[arg-type]
        eventually(
            lambda: site.directory.watched().why == why, lambda: str(site.directory.watched())
        )
        facts_of(site.directory, "active")
        assert site.directory.at_hand("active") is None
