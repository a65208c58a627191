"""A login socket served for real, by a service that plays its part, and its clients."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import LoginRequest, Phase, Purpose
from loginward.core.secret import Secret
from loginward.doors.login.limits import Limits
from loginward.doors.login.listen import listen
from loginward.doors.login.port import AskTurn, Conversation, ResultTurn
from loginward.doors.login.server import LoginServer
from loginward.wire.login import (
    Answer,
    Ask,
    Begin,
    Decoder,
    Message,
    encode,
)
from tests.doubles.clock import FixedWall
from tests.doubles.waiting import eventually

PASSWORD = AskTurn(purpose=Purpose.PASSWORD, prompt="")
OK = ResultTurn(verdict=Verdict.ALLOW, reason=Reason.OK, reference="OKOKOK")
WRONG = ResultTurn(
    verdict=Verdict.REFUSE, reason=Reason.WRONG_CREDENTIALS, reference="7F3K2Q", delay_ms=600
)
PATIENCE_S = 10.0
NOBODY = 65534


@dataclass
class Service:
    """Lets in whoever types "right", and waits at its gate when that is closed."""

    gate: threading.Event = field(default_factory=threading.Event)
    at_gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    requests: list[LoginRequest] = field(default_factory=list)
    typed: list[bytes] = field(default_factory=list)
    hung_up: int = 0
    settled: int = 0
    fault: Exception | None = None
    busy: int = 0
    busiest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, request: LoginRequest) -> tuple[AskTurn | ResultTurn, Conversation]:
        if self.fault is not None:
            raise self.fault
        self.requests.append(request)
        turn = OK if request.phase is Phase.ACCT else PASSWORD
        return turn, Talk(self)

    def check(self, typed: Secret) -> ResultTurn:
        with self.lock:
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
        self.at_gate.release()
        assert self.gate.wait(PATIENCE_S)
        with self.lock:
            self.busy -= 1
            self.settled += 1
            self.typed.append(typed.reveal())
        return OK if typed.reveal() == b"right" else WRONG


@dataclass
class Talk:
    service: Service

    def answer(self, typed: Secret) -> AskTurn | ResultTurn:
        return self.service.check(typed)

    def hang_up(self) -> None:
        self.service.hung_up += 1


@dataclass
class Door:
    path: Path
    service: Service
    server: LoginServer
    peers: dict[int, tuple[str, ...]]

    @contextmanager
    def client(self) -> Iterator[Client]:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE_S)
            sock.connect(str(self.path))
            yield Client(sock)

    def login(self, typed: bytes = b"right", user: str = "alice") -> Message | None:
        with self.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user=user, service="sshd"))
            assert client.hear() == Ask(purpose=Purpose.PASSWORD)
            client.say(Answer(Secret(typed)))
            return client.hear()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        eventually(
            holds, lambda: (self.server.counters.snapshot(), self.server.gauges()), PATIENCE_S
        )

    def count(self, name: str) -> int:
        return self.server.counters.snapshot()[name]


@dataclass
class Client:
    sock: socket.socket
    decoder: Decoder = field(default_factory=Decoder)

    def say(self, message: Message) -> None:
        self.sock.sendall(encode(message))

    def hear(self) -> Message | None:
        while (message := self.decoder.next_message()) is None:
            try:
                octets = self.sock.recv(4096)
            except ConnectionResetError:
                return None
            if not octets:
                return None
            self.decoder.feed(octets)
        return message

    @property
    def is_closed(self) -> bool:
        return self.hear() is None


@contextmanager
def serving(folder: Path, limits: Limits, **peers: tuple[str, ...]) -> Iterator[Door]:
    path = folder / "run/login.sock"
    service = Service()
    service.gate.set()
    services = {int(name.removeprefix("uid")): at for name, at in peers.items()}
    server = LoginServer(service, listen(path), limits, FixedWall(), lambda: services)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Door(path, service, server, services)
    finally:
        service.gate.set()
        server.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        path.unlink()


def as_user(door: Door, code: str) -> str:
    """Run a client as another uid; `asks` says a BEGIN and returns (sock, what came).

    It stands in the socket's folder: the folders above are closed to it.
    """
    prelude = f"""
import json, os, socket, threading, time
os.chdir({str(door.path.parent)!r}); os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
def asks(begin, answer=None):
    sock = socket.socket(socket.AF_UNIX); sock.settimeout({PATIENCE_S})
    try:
        sock.connect({door.path.name!r}); sock.sendall(begin)
        came = sock.recv(4096)
        if answer and came:
            sock.sendall(answer); came = sock.recv(4096)
    except (ConnectionError, BrokenPipeError):
        came = b""
    return sock, came
BEGIN = bytes.fromhex({encode(Begin(phase=Phase.AUTHN, user="nobody", service="i3lock")).hex()!r})
ANSWER = bytes.fromhex({encode(Answer(Secret(b"wrong"))).hex()!r})
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
