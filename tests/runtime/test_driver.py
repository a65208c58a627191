"""The thread driver replays every script of the login machine against ports that record."""

from __future__ import annotations

import pytest

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.clock import Deadline
from loginward.core.commands import (
    Ask,
    ChangePassword,
    Done,
    Means,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Verify,
)
from loginward.core.evidence import NoVerdict, Wrong
from loginward.core.login import Login
from loginward.errors import DirectoryUnavailable
from loginward.runtime.cases import Case
from loginward.runtime.driver import ThreadDriver
from loginward.runtime.throttle import sources_of
from tests.core.people import NOW, alice
from tests.core.playing import PASSWORD, SILENT, fresh, request
from tests.core.scripts import SCRIPTS
from tests.doubles.clock import FixedWall

BUDGET_S = 2.5


class Ports:
    """Directory, gatherer, desk and knowledge in one: each call must be the script's next step."""

    def __init__(self, steps=()):
        self.steps = list(steps)
        self.changed = []
        self.abandoned = 0
        self.budgets = []

    def take(self, kind, **seen):
        step = self.steps.pop(0)
        assert step.expects is kind, f"{kind.__name__} instead of {step.expects.__name__}"
        for name, value in seen.items():
            assert step.where.get(name, value) == value, name
        return step.answer

    def gather(self, name, case, *, offline):
        return self.take(ReadFacts, name=name, offline=offline)

    def recheck(self, reading, case, *, contradicted):
        return self.take(Recheck, contradicted=contradicted)

    def reserve(self, command, case):
        return self.take(Reserve, means=command.means, password=command.password)

    def settle(self, command, case):
        answer = self.take(Settle, outcome=command.outcome, reservation=command.reservation)
        return answer.tripped

    def abandon(self, case):
        self.abandoned += 1

    def check(self, account, password, deadline):
        self.budgets.append(deadline.left)
        return self.answered(self.take(Verify, means=Means.DIRECTORY, password=password))

    def verify(self, account, password, deadline):
        means = self.steps[0].where["means"]
        assert means is not Means.DIRECTORY
        return self.take(Verify, means=means, password=password)

    def change(self, account, old, new, deadline):
        return self.take(ChangePassword, old=old, new=new)

    @staticmethod
    def answered(checked):
        """A directory has no word for silence: it raises."""
        if isinstance(checked, NoVerdict):
            raise DirectoryUnavailable(checked.stage)
        return checked


def driven(ports, *, embedded=False):
    return ThreadDriver(
        ports,
        ports,
        ports,
        ports,
        budget_s=BUDGET_S,
        embedded=embedded,
        after_change=ports.changed.append,
    )


def case_of(asked):
    clock = FixedWall()
    return Case(request=asked, sources=sources_of(asked), deadline=Deadline.after(60.0, clock))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_is_carried_out_in_its_order(script):
    ports = Ports(script.steps)
    login, case = Login(script.request, lambda: NOW), case_of(script.request)
    driver = driven(ports)
    command = driver.run(login, login.start(), case)
    while isinstance(command, Ask):
        step = ports.steps.pop(0)
        step.check(command)
        command = driver.run(login, login.resume(step.answer), case)
    assert isinstance(command, Done)
    assert ports.steps == []
    script.check(command)
    assert len(ports.changed) == command.changed
    assert all(0 < budget <= BUDGET_S for budget in ports.budgets)


class Silent(Ports):
    def check(self, account, password, deadline):
        raise DirectoryUnavailable("connect")

    def change(self, account, old, new, deadline):
        raise DirectoryUnavailable("connect")


def carried_out(ports, command, *, embedded=False):
    """Return the event that one command comes to, and the case it was noted in."""
    heard = []

    class Once:
        def resume(self, event):
            heard.append(event)
            return Done(None)

    case = case_of(request())
    driven(ports, embedded=embedded).run(Once(), command, case)
    return heard[0], case


def test_silence_is_no_verdict_and_is_noted():
    event, case = carried_out(Silent(), Verify(fresh(), PASSWORD, Means.DIRECTORY))
    assert event == SILENT
    assert case.notes == ["directory: connect"]


def test_silence_changes_nothing_and_is_noted():
    ports = Silent()
    event, case = carried_out(ports, ChangePassword(fresh(), PASSWORD, PASSWORD))
    assert event == NotChanged(ChangeProblem.NOT_ALLOWED, "connect")
    assert (case.notes, ports.changed) == (["directory: connect"], [])


@pytest.mark.parametrize("embedded", [True, False])
def test_r53_the_kept_are_proven_here_alone(embedded):
    """The embedded directory is here; of any other, only the sealed verifier is."""
    asked = []

    class Either(Ports):
        def check(self, *_):
            asked.append("embedded")
            return Wrong()

        def verify(self, *_):
            asked.append("verifier")
            return Wrong()

    event, _ = carried_out(Either(), Verify(fresh(), PASSWORD, Means.KEPT), embedded=embedded)
    assert event == Wrong()
    assert asked == ["embedded" if embedded else "verifier"]


def test_whoever_keeps_copies_hears_of_a_change():
    class Willing(Ports):
        def change(self, *_):
            return Changed()

    ports = Willing()
    carried_out(ports, ChangePassword(fresh(), PASSWORD, PASSWORD))
    assert ports.changed == [alice()]


def test_a_fault_of_ours_leaves_nobody_waiting():
    class Broken(Ports):
        def gather(self, *_, **__):
            raise ZeroDivisionError

    ports = Broken()
    with pytest.raises(ZeroDivisionError):
        carried_out(ports, ReadFacts("alice"))
    assert ports.abandoned == 1
