"""The loop driver where something goes wrong; the scripts run through it at the RADIUS door."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from loginward.core.commands import Ask, Done, Gathered, ReadFacts, Reserve, Typed
from loginward.core.evidence import NoVerdict
from loginward.core.login import Login
from loginward.core.reasons import Reason
from loginward.runtime.loop_driver import LoopDriver
from tests.core.people import NOW
from tests.core.playing import GRANTED, PASSWORD, fresh, gathered, request


class Stage:
    """A driver whose parts answer from here; what it leaves to threads is kept for `work`.

    Attributes:
        told: What the directory owes an answer to.
        abandoned: Of what accounts a check was given up, None where nothing was under way.
    """

    def __init__(self, *, room: bool = True) -> None:
        self.jobs: list[Callable[[], None]] = []
        self.told: list[Callable[[object], None]] = []
        self.abandoned: list[object] = []
        self.came: list[Ask | Done] = []
        self.room = room
        self.facts: Gathered | Exception = gathered(fresh())
        self.thread: Callable[..., Ask | Done] = self._no_thread
        self.driver = LoopDriver(
            SimpleNamespace(run=self._run),
            SimpleNamespace(at_hand=self._at_hand, holds_at_hand=lambda *_: True),
            SimpleNamespace(
                reserve_at_once=lambda *_: GRANTED,
                settle=lambda *_: None,
                abandon=lambda _case, account: self.abandoned.append(account),
            ),
            SimpleNamespace(post=lambda act: act()),
            SimpleNamespace(offer=self._offer),
            SimpleNamespace(check=lambda *asked: self.told.append(asked[3])),
        )

    def begin(self) -> bool:
        """Begin a login whose password has been typed."""
        login = Login(request(), lambda: NOW)
        assert isinstance(login.start(), Ask)
        command = login.resume(Typed(PASSWORD))
        deadline = SimpleNamespace(sooner=lambda _: None)
        settings = SimpleNamespace(directory=SimpleNamespace(budget_s=1))
        case = SimpleNamespace(deadline=deadline, in_force=SimpleNamespace(settings=settings))
        return self.driver.run(login, command, case, self.came.append, continuing=False)

    @property
    def reason(self) -> Reason:
        """Return how the one login ended."""
        (end,) = self.came
        assert isinstance(end, Done)
        return end.decision.reason

    def _at_hand(self, *_: object) -> Gathered:
        if isinstance(self.facts, Exception):
            raise self.facts
        return self.facts

    def _offer(self, job: Callable[[], None], *, continuing: bool) -> bool:
        del continuing
        if self.room:
            self.jobs.append(job)
        return self.room

    def _run(self, *asked: object) -> Ask | Done:
        return self.thread(*asked)

    def _no_thread(self, *_: object) -> Ask | Done:
        raise AssertionError("nothing was to be left to a thread")


def test_a_fault_on_the_loop_lets_nobody_in_and_is_logged(caplog):
    stage = Stage()
    stage.facts = RuntimeError("ours")
    assert stage.begin()
    assert stage.reason is Reason.MALFORMED
    assert "ours" in caplog.text


def test_a_fault_after_the_check_gives_the_attempt_up():
    """Nobody waits for an equal password whose verdict will never be told."""
    stage = Stage()
    assert stage.begin()
    stage.told[0]("no verdict at all")
    assert stage.reason is Reason.MALFORMED
    assert [account.name for account in stage.abandoned if account] == ["alice"]


def test_a_fault_on_a_thread_lets_nobody_in(caplog):
    stage = Stage()
    stage.facts = None

    def broken(*_: object) -> Ask | Done:
        raise RuntimeError("theirs")

    stage.thread = broken
    assert stage.begin()
    stage.jobs[0]()
    assert stage.reason is Reason.MALFORMED
    assert "theirs" in caplog.text


def test_where_too_many_wait_nothing_is_ever_told():
    stage = Stage(room=False)
    stage.facts = None
    assert not stage.begin()
    assert stage.came == []


def test_a_login_under_way_that_no_thread_takes_on_is_refused():
    """Its password may have been looked at: silence would have it asked again."""
    stage = Stage(room=False)
    assert stage.begin()
    stage.facts = None
    stage.told[0](NoVerdict("connect"))  # what is known here has to be read, by a thread
    assert stage.reason is Reason.MALFORMED


@pytest.mark.parametrize("expected", [ReadFacts, Reserve])
def test_a_thread_goes_on_from_the_command_that_had_to_wait(expected):
    stage = Stage()
    seen: list[object] = []

    def run(_login: object, command: object, _case: object) -> Done:
        seen.append(command)
        raise RuntimeError("enough")

    stage.thread = run
    if expected is ReadFacts:
        stage.facts = None
    else:
        stage.driver._desk.reserve_at_once = lambda *_: None
    assert stage.begin()
    stage.jobs[0]()
    assert [type(command) for command in seen] == [expected]
