"""What follows on this host: what no longer holds is cleared, whoever made it so (R39)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.acts import Verb
from loginward.core.reasons import Reason
from loginward.core.transitions import Transition
from loginward.errors import StoreFault
from loginward.host.linux import LinuxActions
from loginward.host.port import Step, StepOutcome, StepResult
from loginward.runtime.watcher import Watcher
from tests.runtime.people import RIGHT, WRONG

CLEARING = [Transition.UNLOCKED, Transition.RESET]
OTHERS = [one for one in Transition if one not in CLEARING]


class Actions:
    """The post-unlock steps of some machine."""

    def __init__(self):
        self.done = []

    def plan(self, account, transition):
        return (Step(name=f"{transition.value} {account.name}", uid=1000, text="a step"),)

    def carry_out(self, steps, *, dry_run):
        self.done += [(step.name, dry_run) for step in steps]
        return tuple(StepResult(step.name, StepOutcome.DONE, "done") for step in steps)


@pytest.fixture
def actions(monkeypatch):
    made = Actions()
    monkeypatch.setattr(LinuxActions, "plan", staticmethod(made.plan))
    monkeypatch.setattr(LinuxActions, "carry_out", staticmethod(made.carry_out))
    return made


@pytest.fixture
def effects(site, actions):
    """Return the effects of a host where ann was once."""
    assert site.ask("ann", RIGHT).reason is Reason.OK
    return site.parts.effects


@pytest.mark.parametrize("transition", CLEARING)
def test_an_unlock_or_a_reset_elsewhere_ends_what_was_counted_here(site, effects, transition):
    site.guess("ann", 5)
    assert site.ask("ann", RIGHT).reason is not Reason.OK
    effects.of_transition(transition, site.paper.find("ann", None))
    assert site.ask("ann", RIGHT).reason is Reason.OK


@pytest.mark.parametrize("transition", list(Transition))
def test_every_transition_is_handed_to_the_machines_own_steps(site, effects, actions, transition):
    effects.of_transition(transition, site.paper.find("ann", None))
    assert actions.done == [(f"{transition.value} ann", False)]


@pytest.mark.parametrize("transition", OTHERS)
def test_whatever_else_happens_ends_no_lock_of_ours(site, effects, transition):
    """I3: a suspension, or an end of it, forgives nobody."""
    site.guess("ann", 5)
    effects.of_transition(transition, site.paper.find("ann", None))
    assert site.why("ann").reason is Reason.ACCOUNT_LOCKED


@pytest.mark.parametrize("transition", list(Transition))
def test_logins_under_way_look_again(site, effects, transition):
    """R60: whoever has been judged by the state before is judged anew."""
    account = site.paper.find("ann", None)
    before = site.parts.knowledge.generation(account.account_id)
    effects.of_transition(transition, account)
    assert site.parts.knowledge.generation(account.account_id) > before


def test_a_wrong_password_is_asked_for_again_after_an_unlock(site, effects):
    """It may be the right one by now."""
    site.ask("ann", WRONG)
    binds = site.paper.binds
    site.ask("ann", WRONG)
    assert site.paper.binds == binds, "known to be wrong"
    effects.of_transition(Transition.UNLOCKED, site.paper.find("ann", None))
    site.ask("ann", WRONG)
    assert site.paper.binds == binds + 1


def test_a_changed_password_clears_what_its_forerunner_left(site, effects):
    account = site.paper.find("ann", None)
    site.guess("ann", 3)
    effects.password_changed(account)
    site.guess("ann", 4)
    assert site.ask("ann", RIGHT).reason is Reason.OK


def test_whether_there_was_anything_to_clear_is_told(site, effects):
    account = site.paper.find("ann", None)
    assert not effects.cleared(account.account_id)
    site.guess("ann", 1)
    assert effects.cleared(account.account_id)
    assert not effects.cleared(account.account_id)


@pytest.mark.parametrize("transition", list(Transition))
def test_a_store_that_fails_stops_no_watch_and_is_logged(
    site, effects, actions, monkeypatch, caplog, transition
):
    def full(*args, **known):
        raise StoreFault("the disk is full")

    for call in ("clear_tallies", "bump"):
        monkeypatch.setattr(site.parts.store, call, full)
    effects.of_transition(transition, site.paper.find("ann", None))
    assert any("the disk is full" in one.message for one in caplog.records)
    assert actions.done, "the other steps are taken"


def test_an_unlock_at_this_host_takes_the_same_way(site, effects):
    site.guess("ann", 5)
    site.act(Verb.UNLOCK, "ann")
    assert site.ask("ann", RIGHT).reason is Reason.OK


@pytest.mark.parametrize("transition", CLEARING)
def test_an_unlock_that_is_found_late_undoes_nothing_of_since(site, effects, hands, transition):
    """I6: else whoever guesses has the guesses forgotten that fell before it was found."""
    site.guess("ann", 3)
    at = site.parts.clock.now()
    hands.pass_by(timedelta(seconds=1))
    site.ask("ann", b"since")
    effects.of_transition(transition, site.paper.find("ann", None), at)
    site.guess("ann", 3)
    assert site.why("ann").reason is not Reason.ACCOUNT_LOCKED  # three of before are forgotten
    site.ask("ann", b"the fifth")
    assert site.why("ann").reason is Reason.ACCOUNT_LOCKED

    effects.of_transition(transition, site.paper.find("ann", None), at)
    assert site.why("ann").reason is Reason.ACCOUNT_LOCKED


@pytest.mark.parametrize("moment", ["before it looks", "while it looks"])
def test_what_comes_before_the_watcher_has_found_an_unlock_stays(site, hands, monkeypatch, moment):
    watcher, keepers = Watcher(site.parts), site.parts.keepers
    site.acct("ann")
    site.guess("ann", 5)
    watcher.one_pass()
    site.parts.effects.cleared("id-ann")
    hands.pass_by(timedelta(seconds=1))
    look = keepers.with_own_lock

    def overtaken(account):
        found = look(account)
        monkeypatch.setattr(keepers, "with_own_lock", look)
        hands.pass_by(timedelta(seconds=1))
        site.guess("ann", 5)
        return found

    if moment == "before it looks":
        site.guess("ann", 2)
    else:
        monkeypatch.setattr(keepers, "with_own_lock", overtaken)
    hands.pass_by(timedelta(seconds=1))
    watcher.one_pass()
    for n in range(2, 5):
        site.ask("ann", b"guess after it %d" % n)
    assert site.ask("ann", RIGHT).reason is not Reason.OK
