"""`refresh`: what an unlock leaves stale on this machine is cleared, or only named (R62)."""

from __future__ import annotations

import pytest

from loginward.core.reasons import Reason
from loginward.errors import DirectoryUnavailable
from loginward.host.port import Step, StepOutcome, StepResult
from loginward.runtime.refreshing import Refreshing
from loginward.wire.admin.rows import StepState
from tests.runtime.people import RIGHT


class Actions:
    """A machine on which one step works and one does not."""

    def __init__(self):
        self.done = []

    def plan(self, account, transition):
        names = ("faillock", "sss-cache")
        return tuple(Step(name=f"{name}", uid=1000, text=account.name) for name in names)

    def carry_out(self, steps, *, dry_run):
        if not dry_run:
            self.done += [step.name for step in steps]
        outcomes = (StepOutcome.WOULD,) * 2 if dry_run else (StepOutcome.DONE, StepOutcome.FAILED)
        return tuple(
            StepResult(step.name, outcome, step.text)
            for step, outcome in zip(steps, outcomes, strict=True)
        )


@pytest.fixture
def actions():
    return Actions()


@pytest.fixture
def refreshing(site, actions):
    assert site.ask("ann", RIGHT).reason is Reason.OK
    parts = site.parts
    return Refreshing(parts.directory, parts.effects, parts.clock, actions)


def rows(refreshing, name="ann", *, dry_run=False):
    return [(row.name, row.step, row.state) for row in refreshing.run(name, dry_run=dry_run)]


def test_what_was_counted_is_cleared_and_each_step_is_told(site, refreshing):
    site.guess("ann", 5)
    assert rows(refreshing) == [
        ("ann", "counters", StepState.DONE),
        ("ann", "faillock", StepState.DONE),
        ("ann", "sss-cache", StepState.FAILED),
    ]
    assert site.ask("ann", RIGHT).reason is Reason.OK


def test_once_more_does_no_harm_and_says_so(refreshing):
    rows(refreshing)
    assert rows(refreshing)[0] == ("ann", "counters", StepState.NOT_NEEDED)


def test_a_dry_run_names_the_steps_and_takes_none(site, refreshing, actions):
    site.guess("ann", 5)
    assert rows(refreshing, dry_run=True) == [
        ("ann", "counters", StepState.WOULD),
        ("ann", "faillock", StepState.WOULD),
        ("ann", "sss-cache", StepState.WOULD),
    ]
    assert actions.done == []
    assert site.why("ann").reason is Reason.ACCOUNT_LOCKED


def test_a_name_that_nobody_has_is_told(refreshing, actions):
    assert rows(refreshing, "nobody") == [("nobody", "account", StepState.FAILED)]
    assert actions.done == []


def test_a_directory_that_does_not_answer_clears_nothing(site, refreshing, actions):
    site.paper.down = True
    with pytest.raises(DirectoryUnavailable):
        rows(refreshing)
    assert actions.done == []
