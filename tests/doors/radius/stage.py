"""The RADIUS door on loopback, served by a service that plays its part."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from loginward.core.clock import Clock
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import LoginRequest
from loginward.core.secret import Secret
from loginward.doors.radius.counters import UNKNOWN, Counters
from loginward.doors.radius.dictionaries import load
from loginward.doors.radius.judges import Judges
from loginward.doors.radius.loop import Loop
from loginward.doors.radius.port import AskTurn, ResultTurn, Told
from loginward.doors.radius.rules import DoorRules, door_rules
from loginward.doors.radius.server import Listener, RadiusServer
from loginward.doors.radius.sessions import Sessions
from loginward.settings.radius import Client, Radius, Reply
from loginward.wire.radius.packet import Code
from tests.doubles.clock import FixedWall
from tests.doubles.nas import SECRET, Nas

PASSWORD = b"correct horse"
OK = ResultTurn(verdict=Verdict.ALLOW, reason=Reason.OK, account_id="id-alice", name="alice")
WRONG = ResultTurn(verdict=Verdict.REFUSE, reason=Reason.WRONG_CREDENTIALS, message="No.")
BAD = ResultTurn(verdict=Verdict.REFUSE, reason=Reason.MALFORMED)
AWAY = ResultTurn(verdict=Verdict.REFUSE, reason=Reason.DIRECTORY_UNAVAILABLE)
PATIENCE_S = 10.0
DICTIONARY = load()


def judged(talk: Talk, typed: Secret) -> AskTurn | ResultTurn:
    """Let in whoever types the password."""
    if not (typed.well_formed and talk.request.name):
        return BAD
    return OK if typed.reveal() == PASSWORD else WRONG


@dataclass
class Talk:
    """One conversation, and what was typed in it."""

    service: Service
    request: LoginRequest
    typed: list[bytes] = field(default_factory=list)
    hung_up: int = 0

    def begin(self, password: Secret | None, told: Told) -> bool:
        assert password is not None
        return self.service.offer(self, password, told, continuing=False)

    def answer(self, typed: Secret, told: Told) -> bool:
        return self.service.offer(self, typed, told, continuing=True)

    def hang_up(self) -> None:
        self.hung_up += 1


@dataclass
class Service:
    """Says to each password what `say` says, on a thread, once its gate is open."""

    say: Callable[[Talk, Secret], AskTurn | ResultTurn] = judged
    gate: threading.Event = field(default_factory=threading.Event)
    at_gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    usable: bool = True
    talks: list[Talk] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    post: Callable[[Callable[[], None]], None] | None = None
    judges: Judges | None = None

    def converse(self, request: LoginRequest) -> Talk:
        self.talks.append(Talk(self, request))
        return self.talks[-1]

    def is_usable(self) -> bool:
        return self.usable

    def offer(self, talk: Talk, typed: Secret, told: Told, *, continuing: bool) -> bool:
        def job() -> None:
            self.at_gate.release()
            assert self.gate.wait(PATIENCE_S)
            talk.typed.append(typed.reveal())
            self.order.append(talk.request.name)
            turn = self.say(talk, typed)
            post(lambda: told(turn))

        post, judges = self.post, self.judges
        assert post is not None
        assert judges is not None
        return judges.offer(job, continuing=continuing)

    @property
    def typed(self) -> list[bytes]:
        """Return every password that was judged."""
        return [typed for talk in self.talks for typed in talk.typed]


def client(name: str = "nas", *addresses: str, **more: Any) -> Client:
    """Return a client that asks by PAP."""
    return Client(
        name=name, addresses=addresses or ("127.0.0.0/8", "::1/128"), methods=("pap",),
        tls_name=None, secret_file=f"/{name}.secret", **more,
    )  # fmt: skip


def rules(
    *clients: Client,
    secrets: Mapping[str, bytes] | None = None,
    coa_secrets: Mapping[str, bytes] | None = None,
    replies: tuple[Reply, ...] = (),
    **radius: Any,
) -> DoorRules:
    """Return the door's configuration; rejects leave at once unless said otherwise."""
    clients = clients or (client(),)
    settings = Radius(clients=clients, replies=replies, **{"reject_delay_s": None, **radius})
    known = {one.name: Secret((secrets or {}).get(one.name, SECRET)) for one in clients}
    of_coa = {name: Secret(octets) for name, octets in (coa_secrets or {}).items()}
    return door_rules(settings, known, DICTIONARY, of_coa)


def reply(*groups: str, clients: tuple[str, ...] = (), **attributes: str) -> Reply:
    """Return a rule; an attribute's name is written with underscores."""
    values = {name.replace("_", "-"): (value,) for name, value in attributes.items()}
    return Reply(groups=groups, clients=clients, attributes=values)


@dataclass
class Door:
    """A door that is served."""

    server: RadiusServer
    service: Service
    counters: Counters
    sessions: Sessions
    auth: int
    acct: int
    rules: DoorRules

    def nas(self, **how: Any) -> Nas:
        return Nas(self.auth, **how)

    def accountant(self, **how: Any) -> Nas:
        return Nas(self.acct, **how)

    def counted(self, event: str, who: str = "nas") -> int:
        return self.counters.read().get((who, event), 0)


def bound(host: str = "127.0.0.1", *, accounting: bool = False) -> Listener:
    """Return a listener at a port of its own."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return Listener(sock, accounting=accounting)


@contextmanager
def served(
    in_force: DoorRules | None = None,
    service: Service | None = None,
    *,
    clock: Clock | None = None,
    workers: int = 4,
    shut: bool = False,
    host: str = "127.0.0.1",
    opening: Callable[[Door, Loop], None] = lambda _door, _loop: None,
) -> Iterator[Door]:
    """Serve until the end of the block; `shut`: nothing is judged until the gate opens.

    Args:
        opening: Given the door and its loop before they run.
    """
    clock, service = clock or FixedWall(), service or Service()
    counters, sessions, judges = Counters(), Sessions(clock), Judges(workers)
    loop = Loop(clock, lambda: counters.add(UNKNOWN, "faults"))
    service.post, service.judges = loop.post, judges
    if not shut:
        service.gate.set()
    listeners = bound(host), bound(host, accounting=True)
    ports = [listener.sock.getsockname()[1] for listener in listeners]
    made: list[Door] = []
    server = RadiusServer(
        service, listeners, lambda: made[0].rules, sessions, clock, counters, loop, judges,
        on_barred=lambda _session, _bar: None,
    )  # fmt: skip
    made.append(Door(server, service, counters, sessions, *ports, in_force or rules()))
    opening(made[0], loop)
    serving = threading.Thread(target=server.run)
    serving.start()
    try:
        yield made[0]
    finally:
        service.gate.set()
        server.stop()
        serving.join(PATIENCE_S)
        assert not serving.is_alive()


def fence(nas: Nas) -> None:
    """Return once everything sent before has been looked at, and nothing of it answered."""
    answer = nas.exchange(nas.status())
    assert answer.code in {Code.ACCESS_ACCEPT, Code.ACCOUNTING_RESPONSE}
