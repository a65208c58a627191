"""A daemon that plays a part word by word, so that the module meets every daemon there could be."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.wire.login import Answer, Ask, Begin, Decoder, Message, Notice, Result, encode
from tests.doubles.sockets import listening

ASK = Ask(purpose=Purpose.PASSWORD)
OK = Result(verdict=Verdict.ALLOW, reason=Reason.OK, reference="OKOKOK", transaction="5eed")
PATIENCE_S = 10.0


def refuse(reason: Reason, delay_ms: int = 0) -> Result:
    """Return a refusal for this reason."""
    return Result(verdict=Verdict.REFUSE, reason=reason, reference="7F3-K2Q", delay_ms=delay_ms)


@dataclass
class Line:
    """One connection, from the daemon's side."""

    sock: socket.socket
    heard: list[Message]
    _decoder: Decoder = field(default_factory=Decoder)

    def hear(self) -> Message | None:
        """Return the next message, or None once the client hung up."""
        while (message := self._decoder.next_message()) is None:
            octets = self.sock.recv(4096)
            if not octets:
                return None
            self._decoder.feed(octets)
        self.heard.append(message)
        return message

    def say(self, message: Message) -> None:
        self.sock.sendall(encode(message))

    def play(self, messages: Iterable[Message]) -> None:
        """Say these; after each ASK wait for its answer."""
        for message in messages:
            self.say(message)
            if isinstance(message, Ask) and self.hear() is None:
                return


Part = Callable[[Line], None]


def says(*messages: Message) -> Part:
    """Return the part of hearing a BEGIN and saying these."""

    def part(line: Line) -> None:
        if line.hear() is not None:
            line.play(messages)

    return part


def by_phase(**parts: Part) -> Part:
    """Return the part of answering each phase in its own way: authn=..., acct=..."""

    def part(line: Line) -> None:
        begin = line.hear()
        if isinstance(begin, Begin):
            parts[begin.phase.value.replace("-", "_")](line)

    return part


def plays(*messages: Message) -> Part:
    """Return the part of saying these once a BEGIN was heard already."""
    return lambda line: line.play(messages)


def silent(line: Line) -> None:
    """Hear everything and say nothing until the client hangs up."""
    with contextlib.suppress(ConnectionError):
        while line.sock.recv(4096):
            pass


class FakeDaemon:
    """Serves a socket with one part for every connection.

    Attributes:
        heard: Everything that clients said, in order.
    """

    def __init__(self, path: Path, part: Part, sock: socket.socket | None = None) -> None:
        self.path = path
        self.part = part
        self.heard: list[Message] = []
        self.faults: list[BaseException] = []
        self._sock = sock or listening(path)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stopping = False

    @property
    def begins(self) -> list[Begin]:
        return [message for message in self.heard if isinstance(message, Begin)]

    @property
    def phases(self) -> list[Phase]:
        return [begin.phase for begin in self.begins]

    @property
    def typed(self) -> list[bytes]:
        return [m.typed.reveal() for m in self.heard if isinstance(m, Answer)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self._sock.close()
        self.path.unlink(missing_ok=True)
        assert not self._thread.is_alive()
        assert not self.faults, self.faults

    def _run(self) -> None:
        while not self._stopping:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE_S)
            with sock:
                try:
                    self.part(Line(sock, self.heard))
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the client went away: some parts are about that
                except BaseException as fault:
                    self.faults.append(fault)


def notices(*texts: str) -> list[Message]:
    return [Notice(text, is_error=True) for text in texts]
