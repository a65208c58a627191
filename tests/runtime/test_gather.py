"""What a verdict rests on: facts of this moment, or the copy where nothing answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loginward.core.clock import Deadline
from loginward.core.commands import Gathered, Unmoved
from loginward.core.readings import Copy, Fresh, NeverSeen, Unknown, Unusable
from loginward.core.requests import Phase
from loginward.core.status import Lock, LockCause
from loginward.errors import StoreFault
from loginward.runtime.gather import FACTS_HOLD
from loginward.runtime.keepers import Keepers
from tests.runtime.asking import case_of
from tests.runtime.people import RIGHT

TICK = timedelta(milliseconds=1)


@pytest.fixture
def case(site):
    return case_of(site)


@pytest.fixture
def gatherer(site):
    return site.parts.gatherer


def gathered(gatherer, case, name="ann"):
    return gatherer.gather(name, case, offline=False)


def test_a_directory_that_answers_is_believed_whatever_is_kept(site, gatherer, case):
    reading = gathered(gatherer, case).reading
    assert isinstance(reading, Fresh)
    assert reading.facts.name == "ann"
    assert case.notes == []
    assert isinstance(gathered(gatherer, case, "nobody-here").reading, Unknown)


def test_one_that_does_not_answer_leaves_the_copy_and_a_note(site, gatherer, case):
    """R60: the event says what failed."""
    gathered(gatherer, case)
    site.paper.down = True
    reading = gathered(gatherer, case).reading
    assert isinstance(reading, Copy)
    assert reading.facts.account_id == "id-ann"
    assert case.notes == ["directory: connect"]
    assert isinstance(gathered(gatherer, case, "never-here").reading, NeverSeen)


@pytest.mark.parametrize(
    ("phase", "finds"), [(Phase.AUTHN, 0), (Phase.ACCT, 1), (Phase.CHAUTHTOK_UPDATE, 1)]
)
def test_what_is_at_hand_is_for_logins_that_end_in_a_bind(site, gatherer, phase, finds):
    """After a key nothing else asks the directory, so that it is asked."""
    case = case_of(site, phase=phase)
    known = gathered(gatherer, case).reading.facts
    site.paper.lately["ann"] = replace(known, groups=frozenset({"at-hand"}))
    site.paper.finds = 0
    reading = gathered(gatherer, case).reading
    assert site.paper.finds == finds
    assert (reading.facts.groups == {"at-hand"}) is (finds == 0)


def test_what_is_gathered_again_is_asked_for(site, gatherer, case):
    """R60: what was at hand has just been outdated."""
    known = gathered(gatherer, case).reading
    site.paper.lately["ann"] = known.facts
    site.paper.finds = 0
    again = gatherer.recheck(known, case, contradicted=True)
    assert isinstance(again, Gathered)
    assert site.paper.finds == 1


def test_offline_the_directory_is_not_asked_again(site, gatherer, case, monkeypatch):
    """It has just failed to answer: the person would wait for it twice."""
    gathered(gatherer, case)
    monkeypatch.setattr(site.paper, "find", None)
    assert isinstance(gatherer.gather("ann", case, offline=True).reading, Copy)


def test_facts_hold_for_two_seconds_and_not_longer(gatherer, case, hands):
    """R60."""
    reading = gathered(gatherer, case).reading
    hands.pass_by(FACTS_HOLD)
    assert gatherer.holds(reading, case.generation)
    hands.pass_by(TICK)
    assert not gatherer.holds(reading, case.generation)


def test_facts_of_the_future_do_not_hold(gatherer, case, hands):
    """The clock was set back: how old they are is not known."""
    reading = gathered(gatherer, case).reading
    early = Fresh(
        type(reading.facts)(account_id="id-ann", name="ann", read_at=hands.raw.wall + TICK)
    )
    assert not gatherer.holds(early, case.generation)


def test_a_copy_holds_however_old_until_the_account_moves(site, gatherer, case, hands):
    gathered(gatherer, case)
    reading = Copy(gathered(gatherer, case).reading.facts)
    hands.pass_by(timedelta(days=1))
    assert gatherer.holds(reading, case.generation)
    site.parts.store.bump("id-ann")
    assert not gatherer.holds(reading, case.generation)


def test_a_generation_that_cannot_be_told_holds_nobody(site, gatherer, case, monkeypatch):
    reading = gathered(gatherer, case).reading
    monkeypatch.setattr(type(site.parts.knowledge), "generation", lambda *_: -1)
    assert not gatherer.holds(reading, -1)


def test_a_recheck_reads_again_only_what_moved(site, gatherer, case):
    """R60: suspended while the password was checked, refused."""
    reading = gathered(gatherer, case).reading
    assert gatherer.recheck(reading, case, contradicted=False) == Unmoved()
    site.parts.store.bump("id-ann")
    assert isinstance(gatherer.recheck(reading, case, contradicted=False), Gathered)


def test_a_contradicted_reading_is_read_again_but_a_copy_stays_the_copy(site, gatherer, case):
    """Offline there is nothing newer to read."""
    reading = gathered(gatherer, case).reading
    assert isinstance(gatherer.recheck(reading, case, contradicted=True), Gathered)
    copy = Copy(reading.facts)
    assert gatherer.recheck(copy, case, contradicted=True) == Unmoved()
    site.parts.store.bump("id-ann")
    again = gatherer.recheck(copy, case, contradicted=False)
    assert isinstance(again.reading, Copy)


def test_our_own_lock_comes_on_top_of_those_of_the_directory(site, gatherer, case):
    """R16: all are kept, so that the end of one ends no other."""
    theirs = Lock(id="theirs", cause=LockCause.BY_ADMIN)
    site.guess("ann", 5)
    site.paper.move("ann", locks=(theirs,))
    locks = gathered(gatherer, case).reading.facts.locks
    assert locks[0] == theirs
    assert [lock.cause for lock in locks[1:]] == [LockCause.THRESHOLD]


def test_locks_that_cannot_be_known_refuse(gatherer, case, monkeypatch):
    """Unknown is never fine: a tally that was tampered with unlocks nobody."""

    def broken(*arguments):
        raise StoreFault("store.db: a row was moved", "loginward doctor")

    monkeypatch.setattr(Keepers, "lock_of", broken)
    assert gathered(gatherer, case).reading == Unusable("store")


def test_the_directory_has_no_more_than_what_is_left_of_the_turn(site, gatherer, case, monkeypatch):
    asked = []
    monkeypatch.setattr(site.paper, "find", lambda name, deadline: asked.append(deadline.left))
    monkeypatch.setattr(type(site.parts.knowledge), "absent", lambda *_: Unknown())
    case.deadline = Deadline.after(0.25, site.parts.clock)
    gathered(gatherer, case)
    case.deadline = Deadline.after(60.0, site.parts.clock)
    gathered(gatherer, case)
    assert asked[0] <= 0.25
    assert 0.25 < asked[1] <= site.settings.directory.budget_s


def test_the_resource_of_the_service_is_noted_for_who_counts(hosts, paper):
    """R53."""
    from tests.runtime.paper import CONFIG

    host = hosts(
        CONFIG + "policy: {resources: [{name: mail, services: [imap], keep_while: [locked]}]}"
    )
    paper().put("ann", RIGHT)
    case = case_of(host, service="imap")
    gathered(host.parts.gatherer, case)
    assert case.resource == "mail"
