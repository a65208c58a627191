"""What the watcher notices: each transition once, with before and after, also that time passed."""

from __future__ import annotations

import queue
import time
from datetime import timedelta

import pytest

from loginward.core.acts import Verb
from loginward.core.secret import Secret
from loginward.core.status import DueDate, ExpiryCause
from loginward.core.transitions import Bar
from loginward.directory.port import Act
from loginward.errors import DirectoryUnavailable
from loginward.host.linux import LinuxActions
from loginward.runtime import watcher as watcher_module
from loginward.runtime.event_rows import row_of
from loginward.runtime.events import TransitionEvent
from loginward.runtime.watched_embedded import EmbeddedAccounts
from loginward.runtime.watcher import Watcher
from tests.doubles.waiting import eventually
from tests.runtime.people import NEXT, RIGHT, person


@pytest.fixture
def watch(host):
    host.people(person("ann"), person("bob", "expired"))
    watcher = Watcher(host.parts)
    watcher.one_pass()
    return watcher


def seen(host, name="ann"):
    """Return the transitions in the trail as the admin socket shows them, oldest first."""
    entries = host.parts.audit.last(1000, name)
    rows = [row_of(entry) for entry in entries if isinstance(entry.event, TransitionEvent)]
    return [(row.verb, row.before, row.after) for row in rows]


def test_nothing_is_noted_while_nothing_changes(host, watch):
    watch.one_pass()
    watch.one_pass()
    assert seen(host) == []


def test_a_lock_and_its_end_are_noted_once_with_what_tripped_it(host, watch, hands):
    """R39, R45: the lock by guesses, then its end by time, although nobody did anything."""
    host.guess("ann", 5, rhost="203.0.113.7")
    watch.one_pass()
    watch.one_pass()
    assert seen(host) == [("locked", "active", "locked")]
    (entry,) = [e for e in host.parts.audit.last(1000, "ann") if row_of(e).event == "transition"]
    assert row_of(entry).source == "sshd 203.0.113.7"
    hands.pass_by(timedelta(minutes=31))
    watch.one_pass()
    assert seen(host)[1:] == [("unlocked", "locked", "active")]


def test_who_is_barred_is_told_by_id_and_a_lock_by_guesses_bars_nobody(host):
    """What ends that account's sessions at VPN and Wi-Fi."""
    host.people(person("ann"), person("bob"))
    told = []
    watcher = Watcher(host.parts, lambda *bar: told.append(bar))
    watcher.one_pass()
    ann, bob = (host.account(name).account_id for name in ("ann", "bob"))

    host.guess("ann", 5)
    watcher.one_pass()
    assert [verb for verb, _, _ in seen(host)] == ["locked"]
    assert told == []
    for verb, name in ((Verb.LOCK, "ann"), (Verb.SUSPEND, "bob"), (Verb.ACTIVATE, "bob")):
        host.act(verb, name)
        watcher.one_pass()
    assert told == [(ann, Bar.LOCKED_BY_ADMIN), (bob, Bar.SUSPENDED)]


def test_an_admins_acts_are_noted(host, watch):
    for verb in (Verb.SUSPEND, Verb.ACTIVATE, Verb.EXPIRE):
        host.act(verb, "ann")
        watch.one_pass()
    host.act(Verb.RESET_PASSWORD, "ann", password=NEXT)
    watch.one_pass()
    assert [after for _, _, after in seen(host)] == ["suspended, active", "active", "expired",
                                                     "active"]  # fmt: skip


def test_a_password_that_falls_due_is_noted(hosts, hands):
    """R28: expiry by age, seen without a login."""
    host = hosts("policy: {expiry: {max_age_d: 365}}")
    host.people(person("ann"))
    watcher = Watcher(host.parts)
    watcher.one_pass()
    hands.pass_by(timedelta(days=365))
    watcher.one_pass()
    assert seen(host) == [("expired", "active", "expired")]


def test_an_unlock_elsewhere_forgets_wrong_passwords(host, watch):
    """R39: what this host remembers goes, whoever unlocked."""
    host.act(Verb.LOCK, "ann")
    watch.one_pass()
    account = host.parts.embedded.find("ann", None)
    host.parts.driver._desk._memory.repeats.remember(account, Secret(RIGHT))
    host.parts.embedded.act(account, Act(verb=Verb.UNLOCK), None)
    watch.one_pass()
    assert host.ask("ann", RIGHT).reason.value == "ok"


def test_an_act_is_told_once_beside_the_act_itself(host, watch):
    """R45: who did it is one event, what became of the account another, in that order."""
    host.act(Verb.LOCK, "ann")
    watch.one_pass()
    watch.one_pass()
    rows = [row_of(entry) for entry in host.parts.audit.last(1000, "ann")]
    assert [(row.event, row.verb, row.before, row.after) for row in rows] == [
        ("act", "lock", "active", "locked"),
        ("transition", "locked", "active", "locked"),
    ]


class Watching:
    """A watcher at work; what it writes down can be waited for."""

    def __init__(self, host):
        self.told = queue.SimpleQueue()
        write = host.parts.recorder.transition

        def written(transition, before, after, account):
            write(transition, before, after, account)
            self.told.put((transition.value, time.monotonic()))

        host.parts.recorder.transition = written
        self.watcher = Watcher(host.parts)
        self.watcher.start()
        self.settle()

    def settle(self):
        """Wait until it has looked at everybody once."""
        eventually(lambda: self.watcher.watched_at is not None, "it does not look", 5)

    def next(self, within_s=5.0):
        """Return the next transition, and when it was written."""
        return self.told.get(timeout=within_s)

    def is_quiet(self):
        try:
            return self.told.get(timeout=0.15) is None
        except queue.Empty:
            return True


@pytest.fixture
def watching():
    """Return the maker of watchers at work; all end with the test."""
    made = []

    def make(host):
        made.append(Watching(host))
        return made[-1]

    yield make
    for one in made:
        one.watcher.stop()
        assert not one.watcher.is_well


@pytest.mark.parametrize("verb", [Verb.LOCK, Verb.SUSPEND, Verb.EXPIRE])
def test_an_act_is_followed_at_once(host, watching, verb):
    """R39: within 100 ms, not at the next poll."""
    host.people(person("ann"))
    at_work = watching(host)
    began = time.monotonic()
    host.act(verb, "ann")
    transition, at = at_work.next()
    assert transition == {"lock": "locked", "suspend": "suspended", "expire": "expired"}[verb.value]
    assert at - began < 0.3
    assert at_work.is_quiet()


def test_what_follows_an_unlock_follows_at_once(host, watching, monkeypatch):
    """R39: the steps on this machine too, once."""
    host.people(person("ann"))
    at_work, steps = watching(host), queue.SimpleQueue()
    plan = LinuxActions.plan
    monkeypatch.setattr(
        LinuxActions, "plan",
        lambda self, account, after: steps.put(after.value) or plan(self, account, after),
    )  # fmt: skip
    host.act(Verb.LOCK, "ann")
    host.act(Verb.UNLOCK, "ann")
    assert [at_work.next()[0], at_work.next()[0]] == ["locked", "unlocked"]
    assert [steps.get(timeout=5), steps.get(timeout=5)] == ["locked", "unlocked"]
    assert at_work.is_quiet()
    assert steps.empty()


def test_a_lock_by_guesses_is_followed_at_once(host, watching):
    host.people(person("ann"))
    at_work = watching(host)
    host.guess("ann", 5)
    assert at_work.next()[0] == "locked"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_falls_due_is_told_when_it_does(hosts, hands, watching, elsewhere, request):
    """R28, R39: within 100 ms of the moment, by the believed time."""
    host = request.getfixturevalue("site") if elsewhere else hosts()
    moment = host.parts.clock.now() + timedelta(seconds=0.6)
    if elsewhere:
        host.ask("ann", RIGHT)
        host.paper.move("ann", due=(DueDate(moment, ExpiryCause.AGING),))
        host.ask("ann", RIGHT)
    else:
        host.people(person("ann", ends_at=moment.isoformat()))
    at_work = watching(host)
    began = time.monotonic()
    hands.runs(began)
    transition, at = at_work.next()
    assert transition == ("expired" if elsewhere else "suspended")
    assert 0.6 <= at - began < 0.8
    assert at_work.is_quiet()


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(days=400)])
def test_a_machine_that_slept_tells_what_fell_due_meanwhile(host, hands, watching, jump):
    """The wait of a thread does not count suspended time: moments are compared each second."""
    host.people(person("ann"))
    at_work = watching(host)
    host.guess("ann", 5)
    assert at_work.next()[0] == "locked"
    assert at_work.is_quiet()  # and asleep until the lock ends
    began = time.monotonic()
    hands.pass_by(jump)
    transition, at = at_work.next()
    assert (transition, at - began < 1.5) == ("unlocked", True)
    assert at_work.is_quiet()


def test_a_clock_that_was_ahead_and_is_set_back_ends_the_lock_again(host, hands, watching):
    """Only a directory or an operator sets the believed time back; then a lock holds again."""
    host.people(person("ann"))
    at_work = watching(host)
    host.guess("ann", 5)
    assert at_work.next()[0] == "locked"
    hands.pass_by(timedelta(days=1))
    assert at_work.next()[0] == "unlocked"
    hands.set_wall_back(timedelta(days=1))
    host.parts.store.time.confirm()
    assert at_work.next()[0] == "locked"
    hands.pass_by(timedelta(days=1))
    assert at_work.next()[0] == "unlocked"


def test_a_wall_clock_that_jumps_by_itself_moves_nothing(host, hands, watching):
    """R55: a larger jump within a boot is not believed."""
    host.people(person("ann"))
    at_work = watching(host)
    host.guess("ann", 5)
    assert at_work.next()[0] == "locked"
    hands.set_wall_back(timedelta(days=-365))
    host.parts.news.wake()
    assert at_work.is_quiet()
    hands.set_wall_back(timedelta(days=730))
    host.parts.news.wake()
    assert at_work.is_quiet()


def test_a_fault_is_logged_once_and_ends_no_watch(host, watching, monkeypatch, caplog):
    monkeypatch.setattr(watcher_module, "_AFTER_FAULT_S", 0.01)
    host.people(person("ann"))
    at_work = watching(host)
    with monkeypatch.context() as patch:
        failed = queue.SimpleQueue()

        def unreadable(self):
            failed.put(1)
            raise DirectoryUnavailable("embedded", "the disk is gone")

        patch.setattr(type(host.parts.embedded.telling), "moved", unreadable)
        for _ in range(5):
            host.parts.news.wake()
            failed.get(timeout=5)
    host.act(Verb.LOCK, "ann")
    assert at_work.next()[0] == "locked"
    assert sum("the disk is gone" in one.message for one in caplog.records) == 1


def test_the_thread_wakes_when_told_and_stops(host):
    watcher = Watcher(host.parts)
    watcher.start()
    watcher.look_now()
    watcher.stop()
    assert not watcher.is_well


def test_a_fault_while_it_waits_does_not_end_the_watch(host, watch, monkeypatch):
    monkeypatch.setattr(watcher_module, "_AFTER_FAULT_S", 0.01)
    failed = queue.SimpleQueue()

    def broken(_):
        failed.put(None)
        raise KeyError("a bug")

    monkeypatch.setattr(EmbeddedAccounts, "next_in_s", broken)
    watch.start()
    failed.get(timeout=5)
    failed.get(timeout=5)
    assert watch.is_well
    watch.stop()
