"""EAP requests before tunnels and a law of which the test plays the part; nothing runs by itself."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from loginward.core.requests import LoginRequest
from loginward.core.secret import Secret
from loginward.doors.radius.accepts import Accepts
from loginward.doors.radius.counters import Counters
from loginward.doors.radius.eap.turns import EapMethod, NeedsAccount, NeedsPassword, Send, Turn
from loginward.doors.radius.eap.turns import Verdict as Word
from loginward.doors.radius.eap_requests import EapRequests
from loginward.doors.radius.endings import Endings
from loginward.doors.radius.exchange import Exchange
from loginward.doors.radius.port import AskTurn, ResultTurn, Told
from loginward.doors.radius.rules import DoorRules
from loginward.doors.radius.sessions import Sessions
from loginward.settings.radius import Eap
from loginward.wire.eap import packet as eap_packet
from loginward.wire.radius.attributes import Attribute, eap_message
from loginward.wire.radius.packet import Packet, decode
from loginward.wire.radius.signing import check_reply
from tests.doors.radius.stage import client, rules
from tests.doubles.moving import MovingClock
from tests.doubles.nas import Nas

METHODS = ("pap", "eap-ttls-pap", "eap-ttls-gtc", "peap-gtc", "eap-tls")
IDENTITY = eap_packet.response(7, 1, b"outer@corp.example")
PIECE = eap_packet.response(8, 21, b"\0piece")
FAILURE, SUCCESS = eap_packet.failure(8), eap_packet.success(8)
PASSWORD = Secret(b"right horse")
MSK = bytes(range(64))


@dataclass
class Tunnels:
    """Records what the process is told.

    Attributes:
        told: Each call, with the session's number first.
    """

    told: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def begin(
        self, client: str, methods: Sequence[EapMethod], framed_mtu: int | None, packet: bytes
    ) -> int:
        number = next(self.numbers)
        self.told.append((number, client, tuple(methods), framed_mtu, packet))
        return number

    def go_on(self, session: int, packet: bytes) -> None:
        self.told.append((session, packet))

    def resume(self, session: int, verdict: Word) -> None:
        self.told.append((session, verdict))


@dataclass
class Talk:
    """One conversation with the law, and what was typed in it."""

    law: Law
    request: LoginRequest
    typed: list[Secret | None] = field(default_factory=list)
    told: Told | None = None
    hung_up: int = 0

    def begin(self, password: Secret | None, told: Told, *, continuing: bool = False) -> bool:
        assert continuing, "a handshake has been done for it already"
        return self.answer(password, told)

    def answer(self, typed: Secret | None, told: Told) -> bool:
        self.typed.append(typed)
        self.told = told
        return self.law.has_room

    def hang_up(self) -> None:
        self.hung_up += 1

    def says(self, turn: AskTurn | ResultTurn) -> None:
        assert self.told is not None, "nothing was asked"
        self.told(turn)


@dataclass
class Law:
    """The service: it says nothing until the test does."""

    has_room: bool = True
    talks: list[Talk] = field(default_factory=list)

    def converse(self, request: LoginRequest) -> Talk:
        self.talks.append(Talk(self, request))
        return self.talks[-1]

    def is_usable(self) -> bool:
        return True


@dataclass
class Asked:
    """One request, and what became of it.

    Attributes:
        replies: Each with the moment before which it does not leave.
    """

    packet: Packet
    nas: Nas
    replies: list[tuple[Packet, float]] = field(default_factory=list)
    dropped: int = 0

    @property
    def reply(self) -> Packet:
        (only,) = self.replies
        assert not self.dropped
        return only[0]

    @property
    def state(self) -> bytes:
        state = self.reply.first(Attribute.STATE)
        assert state is not None
        return state

    def take(self, octets: bytes, at: float) -> None:
        reply = decode(octets)
        check_reply(reply, self.packet, self.nas.shared)
        self.replies.append((reply, at))

    def drop(self) -> None:
        self.dropped += 1


def rules_with(**more: Any) -> DoorRules:
    """Return the door's configuration: two clients that may use every method, unless told else."""
    certified = Eap(cert_file=Path("/c"), key_file=Path("/k"), ca_file=Path("/a"))
    clients = (
        replace(client(name, address), **{"methods": METHODS, **more})
        for name, address in (("nas", "127.0.0.1"), ("other", "127.0.0.2"))
    )
    return rules(*clients, reject_delay_s=1.0, eap=certified)


class Stage:
    """The requests under proof, and everybody around them."""

    def __init__(self, **client: Any) -> None:
        self.rules = rules_with(**client)
        self.clock = MovingClock()
        self.counters = Counters()
        self.tunnels = Tunnels()
        self.law = Law()
        self.nas = Nas(1)
        accepts = Accepts(Sessions(self.clock), self.clock, os.urandom)
        self.eap = EapRequests(
            self.tunnels, self.law, Endings(accepts), self.clock, self.counters, os.urandom
        )

    def ask(
        self, eap: bytes = IDENTITY, *more: bytes, state: bytes = b"", source: str = "127.0.0.1"
    ) -> Asked:
        """Have a request handled."""
        carried = eap_message(eap) if eap else bytes((Attribute.EAP_MESSAGE, 2))
        request = self.nas.request("outer@corp.example", None, carried, *more, state=state)
        asked = Asked(decode(request), self.nas)
        found = self.rules.clients.find(source)
        assert found is not None
        assert found.secret is not None
        exchange = Exchange(
            packet=asked.packet, client=found, secret=found.secret, rules=self.rules,
            source=source, arrived=self.clock.monotonic(), reply=asked.take, drop=asked.drop,
        )  # fmt: skip
        self.eap.handle(exchange, eap)
        return asked

    def turn(self, turn: Turn, number: int = 1) -> None:
        self.eap.on_turn(number, turn)

    def begun(self) -> bytes:
        """Open a session and return its State."""
        asked = self.ask()
        self.turn(Send(b"challenge"), next(reversed(self.numbers())))
        return asked.state

    def numbers(self) -> list[int]:
        return [told[0] for told in self.tunnels.told]

    def judging(self, identity: str = "ann", *, can_ask: bool = False) -> tuple[Asked, Talk]:
        """Bring a session to its password; return the request that waits and the law's talk."""
        asked = self.ask(PIECE, state=self.begun())
        method = EapMethod.PEAP_GTC if can_ask else EapMethod.TTLS_PAP
        self.turn(NeedsPassword(method, identity, PASSWORD, can_ask))
        return asked, self.law.talks[-1]

    def certified(self) -> tuple[Asked, Talk]:
        """Bring a session to its account."""
        asked = self.ask(PIECE, state=self.begun())
        self.turn(NeedsAccount(EapMethod.TLS, "ann"))
        return asked, self.law.talks[-1]

    def counted(self, event: str) -> int:
        return self.counters.read().get(("nas", event), 0)
