"""Conversations with the login machine, written down; every driver of it replays them.

A script is what must be commanded and what the world answers, in order, to the end. `play` fails on
anything unexpected and on whatever is left over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loginward.core.attempts import Granted, Outcome
from loginward.core.changes import Changed, ChangeProblem
from loginward.core.commands import (
    Ask,
    ChangePassword,
    Command,
    Done,
    Event,
    Gathered,
    Means,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Settled,
    Typed,
    Unmoved,
    Verify,
)
from loginward.core.evidence import NoVerdict, Proof, Proven
from loginward.core.policy import Asker, Rules, WhenExpired
from loginward.core.readings import Fresh, Reading
from loginward.core.reasons import Verdict
from loginward.core.requests import Door, LoginRequest, Peer, Phase, Purpose
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus
from tests.core.people import (
    RIGHT,
    TEMPORARY,
    alice,
    lock,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginward.core.login import Login

PASSWORD, NEW = Secret(b"correct horse"), Secret(b"battery staple")
BY_VERIFIER = Proven(proof=Proof.VERIFIER)
SILENT = NoVerdict("connect")
GRANTED, UNMOVED, SETTLED, CHANGED = Granted("r1"), Unmoved(), Settled(), Changed()
TRIPPED = lock("tripped")


def request(phase: Phase = Phase.AUTHN, name: str = "alice") -> LoginRequest:
    peer = Peer(uid=0, real_uid=0, named=True)
    return LoginRequest(door=Door.LOGIN, phase=phase, name=name, service="sshd", peer=peer)


@dataclass(frozen=True)
class Step:
    """One command, as far as it matters here, and the answer to it."""

    expects: type[Command]
    answer: Event
    where: Mapping[str, Any] = field(default_factory=dict)

    def check(self, command: Command) -> None:
        """Fail unless this is the command."""
        assert isinstance(command, self.expects), f"{command} instead of {self.expects.__name__}"
        for name, value in self.where.items():
            assert getattr(command, name) == value, f"{name} of {command} is not {value}"


@dataclass(frozen=True)
class Script:
    """One login from its beginning to its end."""

    name: str
    steps: tuple[Step, ...]
    message: str
    verdict: Verdict = Verdict.REFUSE
    request: LoginRequest = field(default_factory=request)
    where: Mapping[str, Any] = field(default_factory=dict)

    def check(self, done: Done) -> None:
        """Fail unless this is the end."""
        assert (done.decision.verdict, done.decision.message) == (self.verdict, self.message)
        for name, value in self.where.items():
            assert getattr(done, name) == value, f"{name} of {done} is not {value}"


def play(script: Script, login: Login) -> Done:
    """Answer a machine's commands by the script, to its end."""
    command = login.start()
    for step in script.steps:
        assert not isinstance(command, Done), f"ended early: {command}, before {step}"
        step.check(command)
        command = login.resume(step.answer)
    assert isinstance(command, Done), f"left over: {command}"
    script.check(command)
    return command


def gathered(reading: Reading, rules: Rules | None = None, **asks) -> Gathered:
    return Gathered(reading, Asker(**asks), rules or Rules())


def fresh(**known) -> Fresh:
    return Fresh(alice(**known))


def asked(password: Secret = PASSWORD, purpose: Purpose = Purpose.PASSWORD, **where) -> Step:
    return Step(Ask, Typed(password), {"purpose": purpose, **where})


def read(reading: Reading, *, offline: bool = False, rules: Rules | None = None, **asks) -> Step:
    return Step(ReadFacts, gathered(reading, rules, **asks), {"name": "alice", "offline": offline})


def reserved(answer: Event = GRANTED, means: Means = Means.DIRECTORY) -> Step:
    return Step(Reserve, answer, {"means": means, "password": PASSWORD})


def verified(checked: Event, means: Means = Means.DIRECTORY) -> Step:
    return Step(Verify, checked, {"means": means, "password": PASSWORD})


def looked(answer: Event = UNMOVED, *, contradicted: bool = False) -> Step:
    return Step(Recheck, answer, {"contradicted": contradicted})


def settled(outcome: Outcome, answer: Event = SETTLED, **where) -> Step:
    return Step(Settle, answer, {"outcome": outcome, "reservation": "r1", **where})


def tried(
    checked: Event, outcome: Outcome, answer: Event = SETTLED, means: Means = Means.DIRECTORY
) -> tuple[Step, ...]:
    """A password that is not proven: nothing is looked at again."""
    return (
        reserved(means=means),
        verified(checked, means),
        settled(outcome, answer, means=means),
    )


def right(
    outcome: Outcome = Outcome.ALLOWED,
    means: Means = Means.DIRECTORY,
    moved: Event = UNMOVED,
) -> tuple[Step, ...]:
    """A password that is proven; `moved` is what its account is by then."""
    proof = RIGHT if means is Means.DIRECTORY else BY_VERIFIER
    return (
        reserved(means=means),
        verified(proof, means),
        looked(moved),
        settled(outcome, means=means),
    )


def typed_new(*, problem: ChangeProblem | None = None, new=NEW, again=None) -> tuple[Step, ...]:
    return (
        asked(new, Purpose.NEW, problem=problem),
        asked(new if again is None else again, Purpose.NEW_AGAIN),
    )


def written(answer: Event = CHANGED, new: Secret = NEW) -> tuple[Step, ...]:
    return (looked(), Step(ChangePassword, answer, {"old": PASSWORD, "new": new}))


CHANGES = Rules(when_expired=WhenExpired.CHANGE)
KEEPS = {"keep_while": frozenset({PasswordStatus.LOCKED}), "resource": "mail"}
UPDATE = request(Phase.CHAUTHTOK_UPDATE)
PROVEN_TO_CHANGE = (asked(), read(fresh(), changing=True), *right())
OWED_TO_CHANGE = (
    asked(),
    read(fresh(**TEMPORARY), changing=True),
    *right(Outcome.PROVEN),
)
ALLOW, CHANGE = Verdict.ALLOW, Verdict.CHANGE
