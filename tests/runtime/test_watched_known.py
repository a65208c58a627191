"""Accounts of a directory elsewhere: read again in turn, watched in time, told of by others."""

from __future__ import annotations

import itertools
import logging
import random
import sys
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loginward.core.acts import Verb
from loginward.core.facts import AccountFacts
from loginward.core.reasons import Reason
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause, UserState
from loginward.core.transitions import Moved, over_time
from loginward.directory.port import ServerHealth
from loginward.errors import DirectoryUnavailable
from loginward.runtime.watched_known import KnownAccounts
from tests.runtime.people import RIGHT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def lock(at, lasts, lock_id="one"):
    return Lock(id=lock_id, cause=LockCause.BY_DIRECTORY, since=at, until=at + lasts)


def told(accounts, *, everything=True):
    return [
        (moved.after.name, one.value)
        for moved in accounts.moved(everything=everything)
        for one in moved.transitions
    ]


@pytest.fixture
def known(site):
    """Return the watched accounts of a host where two people have been."""
    for name in ("ann", "bob"):
        assert site.ask(name, RIGHT).reason is Reason.OK
    accounts = KnownAccounts(site.parts)
    assert told(accounts) == []
    return accounts


class Turns:
    """Turns of the watcher, with its monotonic clock moved by hand."""

    def __init__(self, site, accounts, monkeypatch):
        self.accounts, self.now = accounts, 1000.0
        monkeypatch.setattr(site.parts.clock, "monotonic", lambda: self.now)

    def take(self, count):
        """Take turns as they come due; return what was told and how long it took."""
        found, began = [], self.now
        for _ in range(count):
            found += told(self.accounts, everything=False)
            self.now += max(0.0, self.accounts.next_in_s())
        return found, self.now - began


def test_what_changed_in_the_directory_is_told_once(site, known):
    now = site.parts.clock.now()
    site.paper.move("ann", locks=(lock(now, HOUR),))
    site.paper.move("bob", state=UserState.SUSPENDED)
    assert sorted(told(known)) == [("ann", "locked"), ("bob", "suspended")]
    assert told(known) == []


def test_what_the_directory_tells_of_is_looked_at_before_the_poll(site, known, monkeypatch):
    turns = Turns(site, known, monkeypatch)
    turns.take(1)
    assert told(known, everything=False) == [], "the poll that has come due"
    site.paper.move("ann", locks=(lock(site.parts.clock.now(), HOUR),))
    assert told(known, everything=False) == []
    site.parts.news.stirred("id-ann")
    assert told(known, everything=False) == [("ann", "locked")]


def test_what_a_login_met_is_told_though_the_directory_tells_of_it_too(site, known, hands):
    """A lock and its end within a moment: the reading that the push leads to overtakes nothing."""
    site.paper.move("ann", locks=(lock(site.parts.clock.now(), HOUR),))
    site.parts.news.stirred("id-ann")
    assert site.ask("ann", RIGHT).reason is not Reason.OK
    hands.pass_by(timedelta(milliseconds=1))
    site.paper.move("ann", locks=())
    site.parts.news.stirred("id-ann")
    assert site.ask("ann", RIGHT).reason is Reason.OK
    hands.pass_by(timedelta(milliseconds=1))
    assert told(known) == [("ann", "locked"), ("ann", "unlocked")]


def test_who_has_just_come_to_be_known_is_looked_at_when_told_of(site, known, monkeypatch):
    """Not only from the next poll on; whoever is not known here stays so."""
    turns = Turns(site, known, monkeypatch)
    turns.take(1)
    assert told(known, everything=False) == [], "the poll that has come due"
    site.paper.put("carol", RIGHT)
    assert site.ask("carol", RIGHT).reason is Reason.OK
    site.paper.move("carol", state=UserState.SUSPENDED)
    site.parts.news.stirred("id-carol")
    site.parts.news.stirred("id-stranger")
    assert told(known, everything=False) == [("carol", "suspended")]


def test_who_was_barred_just_before_they_were_met_is_told_of_once(site, known, monkeypatch, hands):
    """The copy knew of the lock already when the directory's word of it led to the first look."""
    turns = Turns(site, known, monkeypatch)
    turns.take(1)
    assert told(known, everything=False) == [], "the poll that has come due"
    site.paper.put("carol", RIGHT)
    assert site.ask("carol", RIGHT).reason is Reason.OK
    hands.pass_by(timedelta(milliseconds=1))
    late = []
    monkeypatch.setattr(site.parts.knowledge, "_on_learnt", lambda *both: late.append(both))
    site.paper.move("carol", locks=(lock(site.parts.clock.now(), HOUR),))
    assert site.ask("carol", RIGHT).reason is not Reason.OK
    hands.pass_by(timedelta(milliseconds=1))
    site.parts.news.stirred("id-carol")
    assert told(known, everything=False) == [], "nobody has said yet what it was before"
    site.parts.news.learnt(*late[0])
    assert told(known, everything=False) == [("carol", "locked")]
    site.parts.news.learnt(*late[0])
    assert told(known, everything=False) == []


def test_where_anything_may_have_changed_everybody_is_read_before_the_poll(
    site, known, monkeypatch
):
    turns = Turns(site, known, monkeypatch)
    turns.take(1)
    assert told(known, everything=False) == [], "the poll that has come due"
    site.paper.move("bob", state=UserState.SUSPENDED)
    assert told(known, everything=False) == []
    site.parts.news.stirred("")
    assert told(known, everything=False) == [("bob", "suspended")]


def test_what_a_login_sees_is_told_before_the_poll(site, known, monkeypatch):
    """An unlock in the directory is followed at the very next login."""
    site.paper.move("ann", locks=(lock(site.parts.clock.now(), HOUR),))
    assert told(known) == [("ann", "locked")]
    site.paper.move("ann", locks=())
    assert site.ask("ann", RIGHT).reason is Reason.OK
    assert site.parts.news.is_waiting
    monkeypatch.setattr(site.paper, "read", lambda account, deadline: 1 / 0)  # it need not ask
    monkeypatch.setattr(KnownAccounts, "_begin_round", lambda self: iter(()))
    assert told(known) == [("ann", "unlocked")]


def test_a_reading_that_was_overtaken_turns_nothing_back(site, known, hands):
    before = site.paper.find("ann", None)
    locked = site.parts.clock.now()
    hands.pass_by(timedelta(seconds=1))
    site.paper.move("ann", locks=(lock(locked, HOUR),))
    assert told(known) == [("ann", "locked")]
    site.parts.news.learnt(before, before)  # read first, handed over last
    assert told(known) == []


def test_a_lock_of_ours_and_its_end_are_told(site, known):
    """R15: where the directory does not count, the lock is this host's own."""
    site.guess("ann", 5)
    assert told(known, everything=False) == [("ann", "locked")]
    site.act(Verb.UNLOCK, "ann")
    assert told(known, everything=False) == [("ann", "unlocked")]
    site.guess("ann", 5)
    assert told(known) == [("ann", "locked")]


def test_a_lock_of_ours_ends_by_time(site, known, hands):
    site.guess("ann", 5)
    assert told(known) == [("ann", "locked")]
    assert known.next_in_s() <= site.settings.directory.watch.poll_s
    hands.pass_by(timedelta(seconds=site.settings.policy.lockout.duration_s))
    assert known.next_in_s() <= 0
    assert told(known, everything=False) == [("ann", "unlocked")]


def test_time_goes_on_while_the_directory_is_away(site, known, hands):
    """R28: the lock that was known ends when it does, whoever can be asked."""
    site.paper.move("ann", locks=(lock(site.parts.clock.now(), HOUR),))
    assert told(known) == [("ann", "locked")]
    site.paper.down = True
    hands.pass_by(HOUR)
    assert told(known, everything=False) == [("ann", "unlocked")]


def test_what_fell_due_while_the_daemon_was_away_is_told(site, hands):
    site.paper.move("ann", due=(DueDate(site.parts.clock.now() + HOUR, ExpiryCause.AGING),))
    assert site.ask("ann", RIGHT).reason is Reason.OK
    hands.pass_by(DAY)
    assert told(KnownAccounts(site.parts)) == [("ann", "expired")]


def test_an_outage_changes_nothing_and_is_said_once(site, known, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "loginward")
    turns, asked = Turns(site, known, monkeypatch), []
    site.paper.move("ann", state=UserState.SUSPENDED)
    answer = site.paper.read

    def silent(account, deadline):
        asked.append(deadline.left)
        raise DirectoryUnavailable("connect", "no answer")

    monkeypatch.setattr(site.paper, "read", silent)
    turns.take(1)
    turns.now += 20
    found, took_s = turns.take(100)
    assert found == []
    assert len(asked) == took_s / 0.25, "asked again soon, so that no login waits for it"
    assert max(asked[1:]) < 0.801
    lines = [one.message for one in caplog.records if one.message.startswith("watch:")]
    assert lines == [
        "watch: the directory does not answer (connect): what was known of 2 accounts stays"
    ]
    monkeypatch.setattr(site.paper, "read", answer)
    assert turns.take(1)[0] == [("ann", "suspended")], "not at the next poll"
    assert caplog.records[-1].message == "watch: the directory answers again"


def test_one_account_that_cannot_be_read_is_no_outage(site, known, monkeypatch, caplog):
    answer = site.paper.read
    up = ServerHealth(name="one", usable=True, last_ok_at=None, last_problem="")

    def read(account, deadline):
        if account.name == "ann":
            raise DirectoryUnavailable("search", "insufficient access")
        return answer(account, deadline)

    monkeypatch.setattr(site.paper, "health", lambda: (up,))
    monkeypatch.setattr(site.paper, "read", read)
    site.paper.move("bob", state=UserState.SUSPENDED)
    assert told(known) == [("bob", "suspended")]
    assert not [one for one in caplog.records if one.message.startswith("watch:")]


def crowd(site, count):
    """Let this host know many people, without their logins."""
    for n in range(count):
        site.paper.put(f"user{n}", RIGHT)
        site.parts.knowledge.learn(site.paper.find(f"user{n}", None))


def test_a_thousand_accounts_are_read_one_by_one_over_half_the_interval(site, known, monkeypatch):
    crowd(site, 998)
    turns, at = Turns(site, known, monkeypatch), []
    answer = site.paper.read
    monkeypatch.setattr(
        site.paper, "read", lambda account, deadline: at.append(turns.now) or answer(account, deadline)
    )  # fmt: skip
    poll_s = site.settings.directory.watch.poll_s
    turns.now += poll_s
    while len(at) < 1000:
        turns.take(1)
    assert at[-1] - at[0] == pytest.approx(poll_s / 2, rel=0.01)
    assert max(b - a for a, b in itertools.pairwise(at)) < 0.02


def test_a_round_does_not_keep_the_news_waiting(site, known, monkeypatch):
    crowd(site, 500)
    turns = Turns(site, known, monkeypatch)
    turns.now += site.settings.directory.watch.poll_s
    turns.take(10)
    site.paper.move("ann", state=UserState.SUSPENDED)
    site.ask("ann", RIGHT)
    assert turns.take(1)[0] == [("ann", "suspended")]


def test_who_is_forgotten_here_is_kept_by_nobody(site, known, hands):
    site.parts.store.forget("ann")
    assert told(known) == []
    assert set(known._seen) == {"id-bob"}


def test_a_removed_account_is_told_once_and_comes_back(site, known, hands):
    """security.md 13."""
    entry = site.paper.entries.pop("ann")
    assert told(known) == []
    hands.pass_by(timedelta(seconds=61))
    assert told(known) == [("ann", "removed")]
    assert told(known) == []
    site.paper.entries["ann"] = entry
    assert told(known) == [("ann", "activated")]


def test_an_account_is_kept_in_less_than_two_kilobytes(site, known):
    """Groups, evidence and failures, which may be many, are not."""
    crowd(site, 50)
    groups = frozenset(f"group {n}" for n in range(500))
    for n in range(50):
        site.paper.move(f"user{n}", groups=groups, failures=(site.parts.clock.now(),) * 100)
    told(known)
    seen = known._seen["id-user0"]
    held = [seen, seen.facts, *(getattr(seen.facts, one) for one in AccountFacts.__slots__)]
    assert sum(sys.getsizeof(one) for one in held) < 2000
    assert seen.facts.groups == frozenset()


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(("lock", "unlock", "suspend", "activate", "due", "reset", "time")),
            st.sampled_from(("login", "poll", "turn", "nobody")),
        ),
        max_size=10,
    ),
    seed=st.integers(0, 2**16),
)  # fmt: skip
def test_what_is_told_is_the_way_between_the_states_that_were_read(site, hands, steps, seed):
    """None lost, none twice, whoever reads: a login, the poll, or time alone."""
    draw, name = random.Random(seed), f"person{seed}-{len(steps)}"
    site.paper.put(name, RIGHT, changed_at=site.parts.clock.now() - DAY, account_id=f"id-{seed}")
    site.paper.move(name, locks=(), due=(), state=UserState.ACTIVE)
    site.parts.store.clear()
    site.acct(name)
    accounts = KnownAccounts(site.parts)
    told(accounts)
    last, then = site.paper.find(name, None), site.parts.clock.now()
    wanted, heard = [], []
    for count, (what, who) in enumerate(steps):
        hands.pass_by(draw.choice((timedelta(seconds=11), HOUR)))
        now = site.parts.clock.now()
        # The observer looks at what was known before the next thing happens.
        for moved in over_time(
            last, then, last, now
        ):  # a due date before a lock's end is told first
            wanted += moved.transitions
        heard += told(accounts, everything=False)
        then = now
        site.paper.move(name, **{
            "lock": {"locks": (lock(now, draw.choice((HOUR, DAY)), f"lock {count}"),)},
            "unlock": {"locks": ()},
            "suspend": {"state": UserState.SUSPENDED},
            "activate": {"state": UserState.ACTIVE},
            "due": {"due": (DueDate(now + draw.choice((-HOUR, HOUR)), ExpiryCause.AGING),)},
            "reset": {"changed_at": now, "due": ()},
            "time": {},
        }[what])  # fmt: skip
        if who == "login":
            site.acct(name)
            heard += told(accounts, everything=False)
        elif who == "poll":
            heard += told(accounts)
        if who in {"login", "poll"}:
            read = site.paper.find(name, None)
            wanted += Moved(last, then, read, now).transitions
            last = read
    assert heard == [(name, one.value) for one in wanted], steps
