"""Everything that several threads reach, driven by many at once, with the interpreter switching
between them after every few instructions.

Logins come through the real login door. What each thread is answered is judged on the spot: the
right password of somebody whom nobody harms is let in, a wrong one never is, and a lock holds from
when it is made until it is lifted (R60).
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from loginward.core.acts import Verb
from loginward.core.reasons import Reason
from loginward.core.requests import LoginRequest, Phase
from loginward.core.secret import Secret
from loginward.doors.login.limits import Limits
from loginward.doors.login.listen import listen
from loginward.doors.login.server import LoginServer
from loginward.runtime.reloading import Reloading
from loginward.runtime.watcher import Watcher
from loginward.wire.admin import requests
from loginward.wire.login import Answer, Ask, Begin, Message, Notice, Result
from tests.doors.login.serving import PATIENCE_S, Client, Door
from tests.doubles.switching import switching_often
from tests.runtime.conftest import OPERATOR, ROOT, Host
from tests.runtime.people import RIGHT

SEED = 20261124
GOOD = tuple(f"good-{n}" for n in range(4))
FLIPPED = ("flipped-0", "flipped-1")
VICTIMS = ("victim-0", "victim-1")
DRIFTING, PASSING = "drifting", "passing"
PEOPLE = (*GOOD, *FLIPPED, *VICTIMS, DRIFTING, PASSING)
LIMITS = Limits(
    workers=8,
    questions=10**9,
    per_uid_connections=64,
    per_uid_checks=8,
    per_rhost_checks=8,
)
_ALLOWED_FOR_VICTIMS = frozenset({Reason.WRONG_CREDENTIALS, Reason.ACCOUNT_LOCKED})


class _AsRoot:
    """The login service, which takes whoever runs the tests for root."""

    def __init__(self, host: Host) -> None:
        self._service = host.service

    def begin(self, request: LoginRequest):
        return self._service.begin(replace(request, peer=ROOT))


@dataclass
class Stress:
    """One host under stress.

    Attributes:
        lock, unlock: Lock and unlock an account for good, as far as its directory goes.
        said: How often which reason was told.
        wrong: What must not have been, in words.
    """

    host: Host
    lock: Callable[[str], None]
    unlock: Callable[[str], None]
    drift: Callable[[int], None]
    said: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _logged: list[str] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """Run all at once for so long, and judge what is left."""
        parts, folder = self.host.parts, self.host.folder
        config = folder / "loginward.yaml"
        watcher = Watcher(parts)
        reloading = Reloading(str(config), parts, watcher.look_now)
        path = folder / "stress" / "login.sock"
        server = LoginServer(_AsRoot(self.host), listen(path), LIMITS, parts.clock, dict)
        door = Door(path, None, server, {})
        serving = threading.Thread(target=server.run, name="login-door")
        jobs = [
            *(lambda r, n=n: self._good(door, r, GOOD[n % len(GOOD)]) for n in range(6)),
            *(lambda r, name=name: self._flip(door, r, name) for name in FLIPPED),
            *(lambda r, name=name: self._guess(door, r, name) for name in VICTIMS * 2),
            lambda r: self._acct(door, r),
            lambda r: self._reload(config, reloading),
            lambda r: self._look(server),
            lambda r: self._drift(door, r),
        ]
        with self._watched(), switching_often():
            serving.start()
            watcher.start()
            self._drive(jobs, seconds)
            alive = {
                "login door": serving.is_alive() and server.is_well,
                "watcher": watcher.is_well,
                "audit": parts.audit.is_well,
                "verifiers": parts.verifiers.are_well,
            }
            server.stop()
            watcher.stop()
            serving.join(PATIENCE_S)
        self._judge(server, alive)

    def _drive(self, jobs: list[Callable[[random.Random], None]], seconds: float) -> None:
        def repeat(n: int, job: Callable[[random.Random], None]) -> None:
            chance = random.Random(f"{SEED}-{n}")
            while not self._stopping.is_set():
                job(chance)

        threads = [threading.Thread(target=repeat, args=one) for one in enumerate(jobs)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.wrong and not self._logged:
            self._stopping.wait(0.05)
        self._stopping.set()
        for thread in threads:
            thread.join(3 * PATIENCE_S)
            if thread.is_alive():
                self.wrong.append("a client hangs")

    def _judge(self, server: LoginServer, alive: dict[str, bool]) -> None:
        parts, counts = self.host.parts, server.counters.snapshot()
        self.wrong += [f"{name} died" for name, is_well in alive.items() if not is_well]
        self.wrong += self._logged
        if counts["faults"] or counts["garbage"]:
            self.wrong.append(f"the door counted {counts}")
        if not parts.audit.flush(PATIENCE_S) or parts.audit.health().dropped:
            self.wrong.append(f"the trail: {parts.audit.health()}")
        self.wrong += [f"the store: {noted.problem}" for noted in parts.store.faults()]
        gauges = server.gauges()
        if any(gauges.values()):
            self.wrong.append(f"the door still holds {gauges}")

    def _good(self, door: Door, chance: random.Random, name: str) -> None:
        """Nobody guesses these: the right password is let in, and now and then a phase is left."""
        if chance.random() < 0.1:
            with door.client() as client:
                client.say(Begin(phase=Phase.AUTHN, user=name, service="login", tty="tty1"))
                if chance.random() < 0.5:
                    client.hear()
            return
        self._expect(self._login(door, name, RIGHT), {Reason.OK}, f"{name}, right password")

    def _flip(self, door: Door, chance: random.Random, name: str) -> None:
        """Locked it is refused, from the moment that the lock is made, and unlocked it is not."""
        self.lock(name)
        for _ in range(chance.randint(1, 3)):
            self._expect(self._login(door, name, RIGHT), {Reason.ACCOUNT_LOCKED}, f"{name}, locked")
            self._expect(
                self._account(door, name), {Reason.ACCOUNT_LOCKED}, f"{name}, locked, acct"
            )
        self.unlock(name)
        self._expect(self._login(door, name, RIGHT), {Reason.OK}, f"{name}, unlocked")
        self._expect(self._account(door, name), {Reason.OK}, f"{name}, unlocked, acct")

    def _guess(self, door: Door, chance: random.Random, name: str) -> None:
        """A wrong password is never let in; whoever locks the account so has it unlocked again."""
        reason = self._login(door, name, b"guess %d" % chance.randrange(10**9))
        self._expect(reason, _ALLOWED_FOR_VICTIMS, f"{name}, wrong password")
        if reason is Reason.ACCOUNT_LOCKED and chance.random() < 0.2:
            self.unlock(name)

    def _acct(self, door: Door, chance: random.Random) -> None:
        name = chance.choice(GOOD)
        self._expect(self._account(door, name), {Reason.OK}, f"{name}, acct")
        self._expect(self._login(door, "stranger", RIGHT), {Reason.USER_UNKNOWN}, "a stranger")

    def _drift(self, door: Door, chance: random.Random) -> None:
        """Whatever its state, a login and an operator's act at once end in an answer."""
        self.drift(chance.randrange(10**9))
        self._login(door, DRIFTING, RIGHT)
        order = requests.ForgetCopies(names=(PASSING,))
        list(self.host.admin.forget(order, OPERATOR))
        self._expect(self._login(door, PASSING, RIGHT), {Reason.OK}, "somebody just forgotten")

    def _reload(self, config: Path, reloading: Reloading) -> None:
        text = config.read_text()
        one, other = "per_source_per_min: 100000", "per_source_per_min: 99999"
        config.write_text(text.replace(one, "#").replace(other, one).replace("#", other))
        row = reloading.reload()
        if row.changed != ("policy.throttle.per_source_per_min",):
            self.wrong.append(f"a reload changed {row.changed}")

    def _look(self, server: LoginServer) -> None:
        """Do what operators and scrapers do, and the daemon's main thread every 20 s."""
        parts, admin = self.host.parts, self.host.admin
        admin.health()
        admin.metrics()
        server.gauges()
        list(admin.copies())
        list(admin.users(requests.ListUsers()))
        parts.store.tick()
        parts.audit.last(5)

    def _login(self, door: Door, name: str, password: bytes) -> Reason | None:
        with door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user=name, service="login", tty="tty1"))
            turn = _hear(client)
            while isinstance(turn, Ask):
                client.say(Answer(Secret(password)))
                turn = _hear(client)
        return turn.reason if isinstance(turn, Result) else None

    def _account(self, door: Door, name: str) -> Reason | None:
        with door.client() as client:
            client.say(Begin(phase=Phase.ACCT, user=name, service="login", tty="tty1"))
            turn = _hear(client)
        return turn.reason if isinstance(turn, Result) else None

    def _expect(self, reason: Reason | None, allowed: set[Reason] | frozenset[Reason], what: str):
        self.said["nothing" if reason is None else reason.value] += 1
        if reason not in allowed:
            self.wrong.append(f"{what}: {reason}")

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Take down every error that is logged, and every thread that ends by an exception."""
        stress, hook = self, threading.excepthook

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                stress._logged.append(self.format(record))

        def died(fault: threading.ExceptHookArgs) -> None:
            name = "a thread" if fault.thread is None else fault.thread.name
            stress._logged.append(f"{name} ended: {fault.exc_value!r}")
            hook(fault)

        handler = Handler(logging.ERROR)
        logging.getLogger().addHandler(handler)
        threading.excepthook = died
        try:
            yield
        finally:
            threading.excepthook = hook
            logging.getLogger().removeHandler(handler)


def of_embedded(host: Host) -> Stress:
    """Return the stress of a host with its own directory, where operators lock and unlock."""

    def act(verb: Verb, name: str) -> None:
        (row,) = host.act(verb, name)
        assert row.problem is None, row

    def drift(chance: int) -> None:
        act((Verb.LOCK, Verb.UNLOCK, Verb.SUSPEND, Verb.ACTIVATE)[chance % 4], DRIFTING)

    return Stress(
        host, lambda name: act(Verb.LOCK, name), lambda name: act(Verb.UNLOCK, name), drift
    )


def of_elsewhere(host: Host) -> Stress:
    """Return the stress of a host that counts itself, where guesses lock."""
    parts = host.parts

    def lock(name: str) -> None:
        for n in range(5):
            host.ask(name, b"wrong %d %d" % (n, time.monotonic_ns()))

    def unlock(name: str) -> None:
        parts.effects.cleared(f"id-{name}")

    def drift(chance: int) -> None:
        host.paper.move(DRIFTING, groups=frozenset({f"group-{chance % 3}"}))

    return Stress(host, lock, unlock, drift)


def _hear(client: Client) -> Message | None:
    while isinstance(turn := client.hear(), Notice):
        pass
    return turn
