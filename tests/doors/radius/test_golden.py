"""The golden table of decisions at the RADIUS door: the same reason as the law, by the total table.

Each line that speaks of this door is replayed by several of its cases: packet, machine, answer.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field, replace

import pytest

from loginward.core.attempts import Granted
from loginward.core.changes import Changed
from loginward.core.commands import (
    Ask,
    ChangePassword,
    Command,
    Done,
    Event,
    Gathered,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Settled,
    Unmoved,
    Verify,
)
from loginward.core.login import Login
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.doors.radius.asked import request_of
from loginward.doors.radius.port import ResultTurn
from loginward.doors.radius.verdicts import Answer, answer_to
from loginward.runtime.askers import asker_of, rules_from
from loginward.settings import Settings
from loginward.settings.doors import Doors
from loginward.settings.policy import Expiry, Policy, Resource
from loginward.settings.radius import Radius
from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import Code, decode
from tests.doors.radius.stage import PASSWORD, client, rules, served
from tests.doors.radius.worlds import WorldService
from tests.doubles.nas import Nas
from tests.vectors import decisions
from tests.vectors.decisions import COLUMNS, NOW

NEW = b"an entirely new one 7"
OF_A_LINE = 3  # cases of one line and way in; all of them take a minute
AWAY = {Reason.OFFLINE_NEVER_SEEN.value, Reason.DIRECTORY_UNAVAILABLE.value}


def cases():
    """Return cases of every line for this door, with what the line says of each column."""
    dice = random.Random(1812)
    for row in decisions.load():
        for way in ("radius", "radius-challenge", "radius-certificate"):
            fitting = [case for case in row.cases() if case["at"] == way]
            for case in dice.sample(fitting, min(OF_A_LINE, len(fitting))):
                yield case, dict(zip(COLUMNS, row.results, strict=True))


def settings_of(case):
    """Return the configuration that a case speaks of."""
    keep = () if case["keep_while"] == "none" else tuple(case["keep_while"].split("+"))
    resources = (Resource(name="mail", clients=("nas",), keep_while=keep),) if keep else ()
    expiry = Expiry(when_expired=case["when_expired"], key_logins=case["key_logins"], warn_d=None)
    doors = Doors(radius=Radius(clients=(client(),)))
    return Settings(policy=Policy(expiry=expiry, resources=resources), doors=doors)


@dataclass
class Judged:
    """The world of a case: who asks is read from the door's own request."""

    case: dict[str, str]
    column: str
    request: object = None
    asked: list[Ask] = field(default_factory=list)
    done: Done | None = None
    has_ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, command: Command) -> Event:
        match command:
            case ReadFacts():
                return self._gathered()
            case Reserve():
                return Granted("r1")
            case Verify():
                return decisions.checked_of(self.column, self.case)
            case Recheck():
                return Unmoved()
            case Settle():
                return Settled()
            case ChangePassword():
                return Changed()
        raise AssertionError(command)

    def typed(self, ask: Ask) -> None:
        self.asked.append(ask)

    def ended(self, done: Done) -> None:
        self.done = done
        self.has_ended.set()

    def _gathered(self) -> Gathered:
        reading, settings = decisions.reading_of(self.case), settings_of(self.case)
        facts = reading.facts if isinstance(reading, Fresh | Copy) else None
        asker = asker_of(settings, self.request, facts, throttled_until=None, proof=None)
        return Gathered(reading, asker, rules_from(settings))


def shaped(case, world):
    """Return what makes the door's request one of the way in that the case speaks of."""

    def shape(request):
        if case["at"] == "radius":  # inside a tunnel nothing but the password can be asked for
            request = replace(request, inline_change=False)
        world.request = request
        return request

    return shape


def expected_of(said, case, when_unavailable):
    """Return the code that must leave; None: nothing may."""
    verdict, message, *_ = said.split(" ")
    reason = message.partition(".")[0]
    if verdict == "allow":
        return Code.ACCESS_ACCEPT
    if verdict == "change" and case["at"] == "radius-challenge":
        return Code.ACCESS_CHALLENGE
    if reason in AWAY and when_unavailable == "silent":
        return None
    return Code.ACCESS_REJECT


def columns_of(case):
    """Return what a password shows; nothing where a lock is kept open: then the copy has its say.

    A script has that: "R53 nothing can prove the locked".
    """
    is_kept = "locked" in case["keep_while"] and "locked" in case["password"]
    return ("right", "wrong") if is_kept else ("right", "wrong", "silent")


@pytest.fixture(scope="module")
def everything():
    return list(cases())


@pytest.mark.parametrize("at_hand", [False, True], ids=["threads", "loop"])
@pytest.mark.parametrize("when_unavailable", ["silent", "reject"])
def test_a_password_is_answered_as_the_golden_file_has_it(everything, when_unavailable, at_hand):
    service = WorldService(at_hand=at_hand, now=NOW)
    in_force = rules(when_unavailable=when_unavailable)
    with served(in_force, service, workers=1) as door, door.nas() as nas:
        for case, said in everything:
            if case["at"] == "radius-certificate":
                continue  # nobody types a password there
            for column in columns_of(case):
                world = Judged(case, column)
                service.world, service.shape = world, shaped(case, world)
                check(
                    door,
                    nas,
                    world,
                    said[column],
                    expected_of(said[column], case, when_unavailable),
                )


def check(door, nas, world, said, expected):
    request = nas.request("alice", PASSWORD)
    silent = door.counted("silent")
    nas.sock.send(request)
    if expected is None:
        assert world.has_ended.wait(10), world
        assert nas.exchange(nas.request("alice", None)).code is Code.ACCESS_REJECT
        assert door.counted("silent") == silent + 1
    else:
        reply = decode(nas.sock.recv(4096))
        assert reply.identifier == request[1], world
        assert reply.code is expected, (said, world)
        if expected is Code.ACCESS_CHALLENGE:
            changed(nas, world, reply)
            return
    assert decisions.shown(world.done.decision) == said, world


def changed(nas, world, asked):
    """Change the password that has to be, and so get in."""
    again = nas.login("alice", NEW, state=asked.first(Attribute.STATE))
    assert again.code is Code.ACCESS_CHALLENGE
    assert nas.login("alice", NEW, state=again.first(Attribute.STATE)).code is Code.ACCESS_ACCEPT
    assert world.done.changed


def test_a_certificate_is_answered_as_the_golden_file_has_it(everything):
    """EAP-TLS asks the account phase: column "key"."""
    with Nas(1) as nas:
        packet = decode(nas.request("alice", None))
    nas_client = rules(client()).clients.find("127.0.0.1")
    for case, said in everything:
        if case["at"] != "radius-certificate":
            continue
        world = Judged(case, "key")
        world.request = request_of(packet, nas_client, "alice", phase=Phase.ACCT)
        login = Login(world.request, lambda: NOW)
        command = login.start()
        while not isinstance(command, Done):
            command = login.resume(world.answer(command))
        decision = command.decision
        assert decisions.shown(decision) == said["key"], case
        answer = answer_to(ResultTurn(verdict=decision.verdict, reason=decision.reason), "reject")
        assert (answer is Answer.ACCEPT) == (decision.verdict is Verdict.ALLOW)


def test_every_line_for_this_door_is_replayed(everything):
    lines = {tuple(said.items()) for _, said in everything}
    ours = {
        tuple(zip(COLUMNS, row.results, strict=True))
        for row in decisions.load()
        if any(case["at"].startswith("radius") for case in row.cases())
    }
    assert lines == ours
    assert len(everything) > 250
