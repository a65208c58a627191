"""The process that holds the EAP key and the tunnels, and nothing else (security.md 12).

It knows no account, no client's secret and no network: it has one socket, to the daemon. What a
half-open session may cost is bounded: in number, in time, for each client, and in octets held.
"""

from __future__ import annotations

import logging
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from loginward.doors.radius.eap import frames
from loginward.doors.radius.eap.contexts import TlsContexts, read_file
from loginward.doors.radius.eap.frames import (
    Configure,
    Configured,
    Order,
    Receive,
    Report,
    Resume,
    Start,
    Turned,
)
from loginward.doors.radius.eap.session import EapSession
from loginward.doors.radius.eap.turns import LAST, Failed, Turn, Why
from loginward.errors import ConfigError
from loginward.wire.eap import packet

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.settings.radius import Eap

_log = logging.getLogger(__name__)

MAX_SESSIONS: Final = 2000
MAX_OF_A_CLIENT: Final = 1000
MAX_HELD: Final = 16 * 1024 * 1024  # octets that all sessions together may make us hold
IDLE_S: Final = 30.0
LIFE_S: Final = 120.0  # a conversation with a person who types
_SWEEP_MS: Final = 1000


@dataclass(slots=True)
class _Held:
    """A session and what it costs."""

    session: EapSession
    client: str
    born: float
    seen: float
    octets: int = 0


class Handshakes:
    """All sessions; one order in, one report out.

    Args:
        on_configured: Called once, after the first configuration could be used.
    """

    def __init__(self, clock: Clock, on_configured: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._on_configured = on_configured
        self._files = _Files()
        self._contexts: TlsContexts | None = None
        self._sessions: dict[int, _Held] = {}  # who was heard longest ago comes first
        self._of_client: dict[str, int] = {}
        self._octets = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def handle(self, order: Order) -> Report:
        """Carry out an order."""
        match order:
            case Configure(settings):
                return self._configure(settings)
            case Start():
                return Turned(order.session, self._start(order))
            case Receive(session, octets):
                return Turned(session, self._receive(session, octets))
            case Resume(session, verdict, answered):
                turn = self._go_on(session, lambda found: found.resume(verdict), answered)
                return Turned(session, turn)
        assert_never(order)

    def expire(self) -> None:
        """Forget sessions whose peer went silent."""
        now = self._clock.monotonic()
        while self._sessions:
            number, oldest = next(iter(self._sessions.items()))
            if now - oldest.seen < IDLE_S:
                return
            self._forget(number)

    def _configure(self, settings: Eap) -> Configured:
        is_first = self._contexts is None
        try:
            self._contexts = TlsContexts(settings, self._clock, self._files.read)
        except ConfigError as error:
            return Configured(error.path, error.problem)
        if is_first:
            self._on_configured()
        return Configured()

    def _start(self, order: Start) -> Turn:
        self.expire()
        contexts = self._contexts
        mine = self._of_client.get(order.client, 0)
        if contexts is None or len(self._sessions) >= MAX_SESSIONS or mine >= MAX_OF_A_CLIENT:
            return Failed(Why.BUSY, packet.failure(_identifier(order.packet)))
        now = self._clock.monotonic()
        session = EapSession(order.methods, contexts, order.most_octets)
        self._sessions[order.session] = _Held(session, order.client, born=now, seen=now)
        self._of_client[order.client] = mine + 1
        if not order.packet:
            return session.start()
        return self._receive(order.session, order.packet)

    def _receive(self, number: int, octets: bytes) -> Turn:
        return self._go_on(number, lambda found: found.receive(octets), _identifier(octets))

    def _go_on(self, number: int, act: Callable[[EapSession], Turn], answered: int) -> Turn:
        now = self._clock.monotonic()
        held = self._sessions.pop(number, None)
        if held is None:
            return Failed(Why.UNKNOWN_SESSION, packet.failure(answered))
        self._sessions[number] = held  # heard last
        if now - held.seen >= IDLE_S or now - held.born >= LIFE_S:
            self._forget(number)
            return Failed(Why.UNKNOWN_SESSION, packet.failure(answered))
        held.seen = now
        try:
            turn = act(held.session)
        except Exception:  # noqa: BLE001  the one place: a fault of ours costs its session alone
            _log.exception("a fault in an EAP session")
            turn = Failed(Why.FAULT, packet.failure(answered))
        self._octets += held.session.held_octets - held.octets
        held.octets = held.session.held_octets
        if self._octets > MAX_HELD:
            turn = Failed(Why.BUSY, packet.failure(answered))
        if isinstance(turn, LAST):
            self._forget(number)
        return turn

    def _forget(self, number: int) -> None:
        held = self._sessions.pop(number)
        self._octets -= held.octets
        left = self._of_client[held.client] - 1
        if left:
            self._of_client[held.client] = left
        else:
            del self._of_client[held.client]


class _Files:
    """Reads files; what root alone may read stays as it was when this process was root."""

    def __init__(self) -> None:
        self._read: dict[Path, bytes] = {}

    def read(self, file: Path) -> bytes:
        try:
            octets = read_file(file)
        except PermissionError:
            if file not in self._read:
                raise
            return self._read[file]
        self._read[file] = octets
        return octets


def serve(link: socket.socket, handshakes: Handshakes) -> None:
    """Carry out the daemon's orders until it closes the socket.

    Raises:
        ProtocolError: It sends what is no order.
        OSError: The socket broke.
    """
    waiting = select.poll()
    waiting.register(link, select.POLLIN)
    while True:
        if not waiting.poll(_SWEEP_MS):
            handshakes.expire()
            continue
        octets = link.recv(frames.MAX_OCTETS)
        if not octets:
            return
        link.send(frames.encode(handshakes.handle(frames.decode_order(octets))))


def _identifier(octets: bytes) -> int:
    return octets[1] if len(octets) > 1 else 0
