"""Who counts an attempt, and that all who are concerned grant it or none keeps it (R15, I6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.commands import Means, Reserve, Settle
from loginward.core.evidence import Wrong
from loginward.core.facts import LockoutPolicy
from loginward.core.owner import Owner
from loginward.core.readings import Copy, Fresh
from loginward.core.secret import Secret
from loginward.core.status import Lock, LockCause
from loginward.errors import StoreFault
from loginward.store.attempts import DurableAttempts
from loginward.store.record import AGENT, OFFLINE
from tests.runtime.asking import case_of
from tests.runtime.people import person

GUESS = Secret(b"guess")
COUNTS = {"counts": True, "lockout": LockoutPolicy(5, 900, 1800)}


@pytest.fixture
def keepers(site):
    return site.parts.keepers


def ann(site, *, copy=False, **known):
    facts = replace(site.paper.find("ann", None), **known)
    return Copy(facts) if copy else Fresh(facts)


def reserve(keepers, reading, case, means=Means.DIRECTORY):
    return keepers.reserve(Reserve(reading, GUESS, means), case)


def settle(keepers, reading, case, outcome=Outcome.WRONG, means=Means.DIRECTORY):
    return keepers.settle(Settle(reading, GUESS, "held", means, outcome, Wrong()), case)


def fail(keepers, reading, times, means=Means.DIRECTORY, make=None):
    """Fail so many times; return what the last one tripped."""
    tripped = None
    for _ in range(times):
        case = make()
        assert isinstance(reserve(keepers, reading, case, means), Granted)
        tripped = settle(keepers, reading, case, means=means)
    return tripped


def test_who_counts_is_what_the_directory_shows(site, keepers):
    in_force = site.parts.configuration.current
    assert keepers.owner(ann(site, counts=False).facts, in_force) is Owner.AGENT
    assert keepers.owner(ann(site, counts=True).facts, in_force) is Owner.DIRECTORY


@pytest.mark.parametrize(
    ("shown", "owner"),
    [
        pytest.param({"locks": ()}, Owner.AGENT, id="nothing"),
        pytest.param({"locks": (Lock(id="l", cause=LockCause.BY_ADMIN),)}, Owner.AGENT, id="admin"),
        pytest.param(
            {"locks": (Lock(id="l", cause=LockCause.THRESHOLD),)}, Owner.DIRECTORY, id="threshold"
        ),
        pytest.param(
            {"locks": (Lock(id="l", cause=LockCause.BY_DIRECTORY),)}, Owner.DIRECTORY, id="its-own"
        ),
        pytest.param({"failures": ("any",)}, Owner.DIRECTORY, id="a-counted-failure"),
    ],
)
def test_a_policy_that_cannot_be_read_is_known_by_what_it_did_once(site, keepers, shown, owner):
    """From then on it is the directory that counts, for everybody."""
    keepers.notice(ann(site, **shown).facts)
    unreadable = ann(site, counts=None).facts
    assert keepers.owner(unreadable, site.parts.configuration.current) is owner


def test_the_fifth_failure_trips_our_lock_which_later_readings_carry(site, keepers):
    reading = ann(site)
    assert fail(keepers, reading, 4, make=lambda: case_of(site)) is None
    tripped = fail(keepers, reading, 1, make=lambda: case_of(site))
    assert tripped.cause is LockCause.THRESHOLD
    assert tripped.source == "sshd 203.0.113.7"
    assert isinstance(reserve(keepers, reading, case_of(site)), LockedNow)
    assert keepers.with_own_lock(reading.facts).locks == (tripped,)


def test_an_unlock_ends_our_lock_once(site, keepers):
    """R44: and says whether there was anything to end."""
    reading = ann(site)
    fail(keepers, reading, 5, make=lambda: case_of(site))
    assert keepers.cleared("id-ann")
    assert keepers.with_own_lock(reading.facts).locks == ()
    assert not keepers.cleared("id-ann")


def test_an_unlock_forgets_what_was_seen_to_fail_at_the_directory(site, keepers):
    """R44: the right password gets in with the next login, not with the next window."""
    reading = ann(site, **COUNTS)
    fail(keepers, reading, 5, make=lambda: case_of(site))
    assert isinstance(reserve(keepers, reading, case_of(site)), LockedNow)
    keepers.cleared("id-ann")
    assert isinstance(reserve(keepers, reading, case_of(site)), Granted)


def test_our_lock_holds_offline_too(site, keepers):
    tripped = fail(keepers, ann(site), 5, make=lambda: case_of(site))
    copy = ann(site, copy=True)
    assert keepers.lock_of(copy, site.parts.configuration.current) == tripped


def test_offline_failures_lock_offline_alone(site, keepers):
    """security.md 3: an offline lock is not applied online."""
    copy = ann(site, copy=True, counts=True)
    tripped = fail(keepers, copy, 5, Means.VERIFIER, make=lambda: case_of(site))
    in_force = site.parts.configuration.current
    assert keepers.lock_of(copy, in_force) == tripped
    assert keepers.lock_of(Fresh(copy.facts), in_force) is None


def test_a_lock_screen_leaves_the_other_doors_their_part(site, keepers):
    """security.md 6: an unprivileged program trips its own tally before the directory's lock."""
    screen = {"uid": 65534, "service": "screensaver"}
    reading = ann(site, **COUNTS)
    tripped = fail(keepers, reading, 3, make=lambda: case_of(site, **screen))
    assert tripped is not None
    assert isinstance(reserve(keepers, reading, case_of(site, **screen)), LockedNow)
    assert isinstance(reserve(keepers, reading, case_of(site)), Granted)


def test_a_peer_that_the_site_named_counts_like_root(site, keepers):
    reading = ann(site)
    fail(keepers, reading, 5, make=lambda: case_of(site, uid=65534, named=True))
    assert isinstance(reserve(keepers, reading, case_of(site)), LockedNow)


def test_who_is_not_named_cannot_lock_the_other_doors(site, keepers):
    """A program of another user, where this host owns the lock: a tally of its own."""
    reading = ann(site)
    fail(keepers, reading, 5, make=lambda: case_of(site, uid=65534))
    assert isinstance(reserve(keepers, reading, case_of(site)), Granted)


def test_each_resource_has_a_tally_of_its_own(site, keepers):
    """R53."""
    reading = ann(site)

    def at(resource):
        case = case_of(site)
        case.resource = resource
        return case

    fail(keepers, reading, 5, Means.KEPT, make=lambda: at("mail"))
    assert isinstance(reserve(keepers, reading, at("mail"), Means.KEPT), LockedNow)
    assert isinstance(reserve(keepers, reading, at("files"), Means.KEPT), Granted)
    assert isinstance(reserve(keepers, reading, case_of(site)), Granted)


def test_what_one_keeper_refuses_none_keeps(site, keepers):
    """I6: a reservation of a request that was turned away would hold a place for good."""
    reading = ann(site, **COUNTS)
    root = [case_of(site) for _ in range(5)]
    assert all(isinstance(reserve(keepers, reading, case), Granted) for case in root)
    screen = case_of(site, uid=65534)
    for _ in range(5):  # the screen's own tally would be full after three that are kept
        assert isinstance(reserve(keepers, reading, screen), AtLimit)
        assert screen.held == []
    settle(keepers, reading, root[0], Outcome.NO_VERDICT)
    assert isinstance(reserve(keepers, reading, screen), Granted)


def test_a_check_that_came_to_nothing_counts_for_nobody(site, keepers):
    reading = ann(site)
    for _ in range(12):
        case = case_of(site)
        assert isinstance(reserve(keepers, reading, case), Granted)
        keepers.release(reading.facts, case)
    assert isinstance(reserve(keepers, reading, case_of(site)), Granted)


def test_an_attempt_is_settled_once(site, keepers):
    reading, case = ann(site), case_of(site)
    reserve(keepers, reading, case)
    for _ in range(6):
        assert settle(keepers, reading, case) is None
    assert isinstance(reserve(keepers, reading, case_of(site)), Granted)


def broken(*arguments, **more):
    raise StoreFault("store.db: a row was moved", "loginward doctor")


def test_what_cannot_be_counted_is_at_its_limit_with_nothing_to_wait_for(
    site, keepers, monkeypatch
):
    monkeypatch.setattr(DurableAttempts, "reserve", broken)
    assert reserve(keepers, ann(site), case_of(site)) == AtLimit(in_flight=0)


def test_a_fault_at_the_second_keeper_gives_back_the_first(site, keepers, monkeypatch):
    reading = ann(site, **COUNTS)
    monkeypatch.setattr(type(keepers.in_flight), "reserve", broken)
    case = case_of(site, uid=65534)
    for _ in range(5):
        assert reserve(keepers, reading, case) == AtLimit(in_flight=0)
        assert case.held == []
    monkeypatch.undo()
    assert isinstance(reserve(keepers, reading, case), Granted)


def test_a_fault_while_settling_leaves_the_place_taken(site, keepers, monkeypatch):
    """Fail closed: it may have been a failure, and is counted as one after a restart."""
    reading = ann(site)
    for _ in range(5):
        case = case_of(site)
        reserve(keepers, reading, case)
        with monkeypatch.context() as faulty:
            faulty.setattr(DurableAttempts, "settle", broken)
            assert settle(keepers, reading, case) is None
    assert not isinstance(reserve(keepers, reading, case_of(site)), Granted)


def test_an_embedded_directory_counts_itself(host):
    host.people(person("ann"))
    keepers, in_force = host.parts.keepers, host.parts.configuration.current
    facts = host.parts.embedded.find("ann", None)
    assert keepers.owner(facts, in_force) is Owner.DIRECTORY
    fail(keepers, Fresh(facts), 5, make=lambda: case_of(host))
    assert host.account("ann").status.lock is not None
    assert keepers.lock_of(Fresh(facts), in_force) is None
    assert host.parts.store.lock_of(facts.account_id, AGENT) is None
    assert host.parts.store.lock_of(facts.account_id, OFFLINE) is None


def test_lock_screens_of_two_users_have_nothing_to_do_with_each_other(host):
    """Where the directory is ours, each counts apart and nothing is counted beside."""
    host.people(person("ann"))
    facts = host.parts.embedded.find("ann", None)
    keepers = host.parts.keepers
    for uid in (65533, 65534):
        assert fail(keepers, Fresh(facts), 2, make=lambda uid=uid: case_of(host, uid=uid)) is None
        assert fail(keepers, Fresh(facts), 1, make=lambda uid=uid: case_of(host, uid=uid))
    assert host.failures("ann") == 0
