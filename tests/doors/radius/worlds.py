"""The RADIUS door before a world of the test: a login machine each, driven by the loop driver.

The driver carries out what the world has at hand at once, has the loop await its checks, and
leaves what may wait to a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Protocol

from loginward.core.commands import (
    Ask,
    Command,
    Done,
    Event,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Typed,
    Verify,
)
from loginward.core.login import Login
from loginward.core.requests import LoginRequest
from loginward.core.secret import Secret
from loginward.doors.radius.port import AskTurn, ResultTurn, Told
from loginward.runtime.loop_driver import LoopDriver
from tests.doors.radius.stage import Service


class World(Protocol):
    """Answers the commands of one login."""

    def answer(self, command: Command) -> Event:
        """Return what a command comes to."""

    def typed(self, ask: Ask) -> None:
        """Take note of a question."""

    def ended(self, done: Done) -> None:
        """Take note of the end."""


@dataclass
class Parts:
    """What the driver asks, by one world.

    Attributes:
        at_hand: The loop carries out all that it can; otherwise a thread does everything.
    """

    world: World
    at_hand: bool
    post: Callable[[Callable[[], None]], None]

    # as the thread driver
    def run(self, login: Login, command: Command, _case: object) -> Ask | Done:
        while not isinstance(command, Ask | Done):
            command = login.resume(self.world.answer(command))
        return command

    # as the gatherer and the desk
    def at_once(self, command: Command) -> Event | None:
        return self.world.answer(command) if self.at_hand else None

    # as the directory
    def check(self, command: Verify, told: Callable[[Event], None]) -> bool:
        if self.at_hand:
            checked = self.world.answer(command)
            self.post(lambda: told(checked))
        return self.at_hand


class Driver(LoopDriver):
    """The real one, but for what is at hand and how a check is awaited."""

    def __init__(self, parts: Parts, service: Service) -> None:
        desk = SimpleNamespace(abandon=lambda *_: None)
        loop = SimpleNamespace(post=parts.post)
        super().__init__(parts, None, desk, loop, service.judges, None)
        self._parts = parts

    def at_once(self, command: Command, _case: object) -> Event | None:
        if isinstance(command, ReadFacts | Reserve | Recheck | Settle):
            return self._parts.at_once(command)
        return None

    def check(self, command: Verify, _case: object, told: Callable[[Event], None]) -> bool:
        return self._parts.check(command, told)


@dataclass
class WorldService(Service):
    """Judges each login by the world that is its turn.

    Attributes:
        shape: What becomes of the door's request before it is judged.
    """

    world: World | None = None
    at_hand: bool = False
    now: datetime | None = None
    shape: Callable[[LoginRequest], LoginRequest] = field(default=lambda request: request)

    def converse(self, request: LoginRequest) -> WorldTalk:
        talk = WorldTalk(self, self.shape(request))
        self.talks.append(talk)
        return talk


class WorldTalk:
    """One conversation of the door with a machine."""

    def __init__(self, service: WorldService, request: LoginRequest) -> None:
        assert service.world is not None
        assert service.post is not None
        self.request = request
        self.typed: list[bytes] = []
        self.world = service.world
        self._login = Login(request, lambda: service.now)
        self._driver = Driver(Parts(self.world, service.at_hand, service.post), service)

    def begin(self, password: Secret | None, told: Told) -> bool:
        command = self._login.start()
        if isinstance(command, Ask) and password is not None:
            self.world.typed(command)
            command = self._login.resume(Typed(password))
        return self._go_on(command, told, continuing=False)

    def answer(self, typed: Secret, told: Told) -> bool:
        return self._go_on(self._login.resume(Typed(typed)), told, continuing=True)

    def hang_up(self) -> None:
        """Nothing is kept."""

    def _go_on(self, command: Command, told: Told, *, continuing: bool) -> bool:
        def came(end: Ask | Done) -> None:
            told(self._turn(end))

        return self._driver.run(self._login, command, None, came, continuing=continuing)

    def _turn(self, end: Ask | Done) -> AskTurn | ResultTurn:
        if isinstance(end, Ask):
            self.world.typed(end)
            return AskTurn(end.purpose.value)
        self.world.ended(end)
        decision = end.decision
        return ResultTurn(
            verdict=decision.verdict, reason=decision.reason, message=decision.message,
            account_id="id-1", name=self.request.name,
        )  # fmt: skip
