"""Access-Requests with an EAP packet: sessions of the tunnel's process, judged by the one law.

Source: RFC 3579 sections 2 and 3. A session is found by its State alone, and every State serves
once. The outer name is never looked at: the law judges whom the tunnel or the certificate names.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from loginward.core.reasons import Verdict
from loginward.core.requests import Phase
from loginward.doors.radius.asked import name_of, request_of
from loginward.doors.radius.challenges import STATE_OCTETS
from loginward.doors.radius.eap.turns import (
    Accept,
    Accepted,
    Ask,
    Failed,
    Ignored,
    NeedsAccount,
    NeedsPassword,
    Reject,
    Rejected,
    Send,
    Turn,
    Why,
    methods_of,
)
from loginward.doors.radius.eap.turns import Verdict as Word
from loginward.doors.radius.port import AskTurn, ResultTurn
from loginward.doors.radius.verdicts import Answer, answer_to
from loginward.errors import ProtocolError
from loginward.wire.eap import packet as eap_packet
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import Attribute, as_integer
from loginward.wire.radius.password import mppe_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loginward.core.clock import Clock
    from loginward.core.requests import LoginRequest
    from loginward.core.secret import Secret
    from loginward.doors.radius.counters import Counters
    from loginward.doors.radius.eap.turns import EapMethod
    from loginward.doors.radius.endings import Endings
    from loginward.doors.radius.exchange import Exchange
    from loginward.doors.radius.port import Conversation, RadiusService

_KEPT_S: Final = 60.0  # the process forgets a silent session sooner
_MOST: Final = 4096
_SALT_OCTETS: Final = 4
# What somebody can mend, at the device or here; the log says what TLS or the certificate had.
_TOLD: Final = frozenset({Why.HANDSHAKE, Why.CERTIFICATE, Why.REVOCATION})


class Tunnels(Protocol):
    """The process that holds the sessions."""

    def begin(
        self, client: str, methods: Sequence[EapMethod], framed_mtu: int | None, packet: bytes
    ) -> int:
        """Open a session and return its number."""

    def go_on(self, session: int, packet: bytes) -> None:
        """Give a session its peer's packet."""

    def resume(self, session: int, verdict: Word) -> None:
        """Give a session the law's verdict."""


@dataclass(slots=True, eq=False)
class _Session:
    """One session, and the request that waits for its next packet.

    Attributes:
        state: What the waiting request brought; empty for the first.
        until: When it is forgotten, seconds of CLOCK_MONOTONIC.
    """

    number: int
    exchange: Exchange
    until: float
    state: bytes = b""
    conversation: Conversation | None = None
    result: ResultTurn | None = None


class EapRequests:
    """Goes on with EAP sessions; used by the loop's thread.

    Args:
        random: Returns so many octets that nobody can guess.
    """

    def __init__(
        self,
        tunnels: Tunnels,
        service: RadiusService,
        endings: Endings,
        clock: Clock,
        counters: Counters,
        random: Callable[[int], bytes],
    ) -> None:
        self._tunnels = tunnels
        self._service = service
        self._endings = endings
        self._clock = clock
        self._counters = counters
        self._random = random
        self._sessions: OrderedDict[int, _Session] = OrderedDict()
        self._by_state: dict[bytes, _Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def handle(self, exchange: Exchange, packet: bytes) -> None:
        """Begin or go on with a session; `packet` may be empty (EAP-Start)."""
        state = exchange.packet.first(Attribute.STATE)
        if state is None:
            self._begin(exchange, packet)
            return
        session = self._by_state.get(state)
        if session is None or session.exchange.client.name != exchange.client.name:
            self._counters.add(exchange.client.name, "unknown-state")
            self._refuse(exchange, packet)
            return
        del self._by_state[state]
        session.exchange, session.state = exchange, state
        session.until = self._clock.monotonic() + _KEPT_S
        self._sessions.move_to_end(session.number)
        self._tunnels.go_on(session.number, packet)

    def on_turn(self, number: int, turn: Turn) -> None:
        """Take what a session has come to."""
        session = self._sessions.get(number)
        if session is None:
            return  # it was forgotten here
        try:
            self._take(session, turn)
        except ProtocolError:  # its own Proxy-States leave no room for a reply
            self._counters.add(session.exchange.client.name, "too-long")
            self._forget(session)

    def _begin(self, exchange: Exchange, packet: bytes) -> None:
        methods = methods_of(exchange.client.settings.methods)
        if not methods:
            self._counters.add(exchange.client.name, "no-method")
            self._refuse(exchange, packet)
            return
        now = self._clock.monotonic()
        self.forget_old(now)
        mtu = as_integer(exchange.packet.first(Attribute.FRAMED_MTU))
        number = self._tunnels.begin(exchange.client.name, methods, mtu, packet)
        self._sessions[number] = _Session(number, exchange, now + _KEPT_S)

    def _take(self, session: _Session, turn: Turn) -> None:
        match turn:
            case Send(eap):
                self._challenge(session, eap)
            case NeedsPassword(_, identity, password, can_ask):
                self._judge_password(session, identity, password, can_ask=can_ask)
            case NeedsAccount(_, identity):
                request = self._request(session, identity, phase=Phase.ACCT)
                session.conversation = self._service.converse(request)
                self._begin_judging(session, None)
            case Ignored():
                self._by_state[session.state] = session
                session.exchange.drop()
            case Accepted(eap, msk):
                self._accept(session, eap, msk)
            case Rejected(eap):
                self._reject(session, eap)
            case Failed():
                self._fail(session, turn)

    def _challenge(self, session: _Session, eap: bytes) -> None:
        state = self._random(STATE_OCTETS)
        session.state = state
        self._by_state[state] = session
        exchange = session.exchange
        octets = replies.challenge(exchange.packet, exchange.secret, state, eap=eap)
        exchange.reply(octets, exchange.arrived)

    def _judge_password(
        self, session: _Session, identity: str, password: Secret, *, can_ask: bool
    ) -> None:
        if session.conversation is None:
            request = self._request(session, identity, inline_change=can_ask)
            session.conversation = self._service.converse(request)
            self._begin_judging(session, password)
            return
        if not session.conversation.answer(password, partial(self._judged, session)):
            self._shed(session)

    def _begin_judging(self, session: _Session, password: Secret | None) -> None:
        assert session.conversation is not None
        told = partial(self._judged, session)
        if not session.conversation.begin(password, told, continuing=True):
            self._shed(session)

    def _request(
        self,
        session: _Session,
        identity: str,
        *,
        phase: Phase = Phase.AUTHN,
        inline_change: bool = False,
    ) -> LoginRequest:
        exchange = session.exchange
        name = name_of(identity.encode(), exchange.client.settings.strip_realms)
        return request_of(
            exchange.packet, exchange.client, name, phase=phase, inline_change=inline_change
        )

    def _judged(self, session: _Session, turn: AskTurn | ResultTurn) -> None:
        """Give the law's word to the session, so that its tunnel is completed either way."""
        if self._sessions.get(session.number) is not session:
            return
        word: Word
        if isinstance(turn, AskTurn):
            word = Ask(turn.prompt)
        else:
            session.result = turn
            word = Accept() if turn.verdict is Verdict.ALLOW else Reject()
        self._tunnels.resume(session.number, word)

    def _shed(self, session: _Session) -> None:
        self._counters.warn(session.exchange.client.name, "shed", self._clock.monotonic())
        self._tunnels.resume(session.number, Reject())

    def _accept(self, session: _Session, eap: bytes, msk: Secret) -> None:
        self._forget(session)
        exchange, result = session.exchange, session.result
        if result is None or result.verdict is not Verdict.ALLOW:
            raise AssertionError("a session accepted whom the law did not")
        keys = mppe_keys(
            msk.reveal(),
            exchange.packet.authenticator,
            exchange.secret,
            self._random(_SALT_OCTETS),
        )
        self._endings.accept(exchange, result, eap=eap, keys=keys)

    def _reject(self, session: _Session, eap: bytes) -> None:
        self._forget(session)
        exchange, result = session.exchange, session.result
        how = exchange.rules.settings.when_unavailable
        if result is not None and answer_to(result, how) is Answer.SILENCE:
            # Not dropped: sent again it would be of no session any more, and hear a Reject.
            self._counters.add(exchange.client.name, "silent")
        else:
            self._endings.reject(exchange, eap=eap)

    def _fail(self, session: _Session, failed: Failed) -> None:
        self._forget(session)
        exchange, event = session.exchange, f"eap-{failed.why.value}"
        if failed.why in _TOLD:
            now = self._clock.monotonic()
            self._counters.warn(exchange.client.name, event, now, failed.detail)
        else:
            self._counters.add(exchange.client.name, event)
        if failed.why is Why.BUSY:
            exchange.drop()  # it asks again, by when there may be room
        else:
            self._endings.reject(exchange, eap=failed.eap)

    def _refuse(self, exchange: Exchange, packet: bytes) -> None:
        self._endings.reject(exchange, eap=failure_of(packet))

    def forget_old(self, now: float) -> None:
        """End what no device goes on with, and the oldest where there are too many."""
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if now < oldest.until and len(self._sessions) < _MOST:
                return
            self._forget(oldest)

    def _forget(self, session: _Session) -> None:
        self._sessions.pop(session.number, None)
        if self._by_state.get(session.state) is session:
            del self._by_state[session.state]
        if session.conversation is not None:
            session.conversation.hang_up()


def failure_of(packet: bytes) -> bytes:
    """Return the EAP-Failure that answers a packet of a peer, whatever is in it."""
    return eap_packet.failure(packet[1] if len(packet) > 1 else 0)
