"""Every script of the login machine that can be held in a RADIUS conversation, packet by packet.

Twice: with everything left to a thread, and with everything that the loop can do done by the loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from loginward.core.commands import Ask, Command, Done, Event, Typed
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import Code
from tests.core.people import NOW
from tests.core.playing import PASSWORD, Script, Step
from tests.core.scripts import SCRIPTS
from tests.doors.radius.stage import rules, served
from tests.doors.radius.worlds import WorldService
from tests.doubles.nas import said

# A password is what a packet brings; without one, or to change it apart, nobody comes this way.
HELD = [script for script in SCRIPTS if script.request.phase is Phase.AUTHN]
AWAY = {Reason.OFFLINE_NEVER_SEEN.value, Reason.DIRECTORY_UNAVAILABLE.value}


@dataclass
class Played:
    """The world of a script: it answers step by step, and fails on anything else."""

    script: Script
    left: list[Step] = field(default_factory=list)
    done: Done | None = None

    def __post_init__(self) -> None:
        self.left = list(self.script.steps)
        self.problem: AssertionError | None = None

    def answer(self, command: Command) -> Event:
        step = self._next(command)
        return step.answer

    def typed(self, ask: Ask) -> None:
        self._next(ask)

    def ended(self, done: Done) -> None:
        self.done = done

    def _next(self, command: Command) -> Step:
        try:
            assert self.left, f"left over: {command}"
            step = self.left.pop(0)
            step.check(command)
        except AssertionError as problem:
            self.problem = self.problem or problem
            raise
        return step

    def check(self) -> None:
        if self.problem is not None:
            raise self.problem
        assert self.left == [], "ended early"
        assert self.done is not None
        self.script.check(self.done)


def typed_in(script):
    """Return what is typed in a script, in order."""
    typed = [step.answer for step in script.steps if step.expects is Ask]
    assert all(isinstance(answer, Typed) for answer in typed)
    return [answer.secret for answer in typed] or [PASSWORD]


def request(nas, name, password, state):
    """Return a request with a password that may be none at all."""
    if password.reveal():
        return nas.request(name, password.reveal(), state=state)
    octets = bytes((Attribute.USER_PASSWORD, 2))
    return nas.request(name, None, octets, state=state)


@pytest.mark.parametrize("at_hand", [False, True], ids=["threads", "loop"])
@pytest.mark.parametrize("script", HELD, ids=lambda script: script.name)
def test_it_is_held_as_written(script, at_hand):
    world = Played(script)
    service = WorldService(world=world, at_hand=at_hand, now=NOW)
    with served(rules(when_unavailable="reject"), service, workers=1) as door, door.nas() as nas:
        state = b""
        for password in typed_in(script):
            reply = nas.exchange(request(nas, script.request.name, password, state))
            state = reply.first(Attribute.STATE) or b""
    world.check()
    accepted = script.verdict is Verdict.ALLOW
    assert reply.code is (Code.ACCESS_ACCEPT if accepted else Code.ACCESS_REJECT)
    assert said(reply) == script.message
    assert len(service.talks) == 1


def test_none_is_left_out_that_could_be_held():
    """Two thirds of all; with every kind: refused before, online, offline, kept, changing."""
    assert len(HELD) >= 50
    parts = {script.name.partition(":")[0] for script in HELD}
    assert parts == {"before", "online", "offline", "kept", "changing"}


def test_a_script_of_another_world_fails():
    """The test can fail: what is commanded is compared."""
    one, other = (next(s for s in HELD if s.name == f"online: {n}") for n in ("right", "wrong"))
    world = Played(Script("mixed", one.steps[:2] + other.steps[:1], "ok", Verdict.ALLOW))
    service = WorldService(world=world, now=NOW)
    with served(service=service, workers=1) as door, door.nas() as nas:
        nas.exchange(nas.request("alice", PASSWORD.reveal()))
    with pytest.raises(AssertionError, match="instead of"):
        world.check()
