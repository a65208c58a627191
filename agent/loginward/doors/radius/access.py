"""Access-Requests with a password, from the packet to its answer; all on the loop's thread.

Source: RFC 2865 section 4, RFC 5080 section 2.1.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.asked import name_of, request_of
from loginward.doors.radius.challenges import Challenges
from loginward.doors.radius.eap_requests import failure_of
from loginward.doors.radius.port import AskTurn, Conversation, ResultTurn
from loginward.doors.radius.verdicts import Answer, answer_to
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.access import Eap, NoProof, Pap, proof_of
from loginward.wire.radius.attributes import Attribute, ServiceType, as_integer, integer
from loginward.wire.radius.password import unhide

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.core.secret import Secret
    from loginward.doors.radius.counters import Counters
    from loginward.doors.radius.eap_requests import EapRequests
    from loginward.doors.radius.endings import Endings
    from loginward.doors.radius.exchange import Exchange
    from loginward.doors.radius.port import RadiusService

_NO_ECHO: Final = integer(Attribute.PROMPT, 0)  # RFC 2869 section 5.10
# Asked about a device or a session, which is nobody's login: no source has failed by it.
_NO_LOGIN: Final = frozenset({ServiceType.CALL_CHECK, ServiceType.AUTHORIZE_ONLY})


class AccessRequests:
    """Judges Access-Requests.

    Attributes:
        eap: What goes on with EAP sessions; None: this agent has no certificate for them.

    Args:
        random: Returns so many octets that nobody can guess.
    """

    def __init__(
        self,
        service: RadiusService,
        endings: Endings,
        clock: Clock,
        counters: Counters,
        random: Callable[[int], bytes],
    ) -> None:
        self._service = service
        self._endings = endings
        self._clock = clock
        self._counters = counters
        self.challenges = Challenges(random)
        self.eap: EapRequests | None = None

    def handle(self, exchange: Exchange) -> None:
        """Begin or go on with a login.

        Raises:
            ProtocolError: It must be dropped.
        """
        proof = proof_of(exchange.packet)
        client = exchange.client
        failure = failure_of(proof.packet) if isinstance(proof, Eap) else b""
        if as_integer(exchange.packet.first(Attribute.SERVICE_TYPE)) in _NO_LOGIN:
            self._counters.add(client.name, "no-login")
            self._endings.reject(exchange, eap=failure)
            return
        if isinstance(proof, Eap) and self.eap is not None:
            self.eap.handle(exchange, proof.packet)
            return
        if not isinstance(proof, Pap) or "pap" not in client.settings.methods:
            foreign = proof is not NoProof.NOTHING
            self._counters.add(client.name, "no-method" if foreign else "no-proof")
            self._endings.reject(exchange, eap=failure)
            return
        typed = unhide(proof.hidden, exchange.packet.authenticator, exchange.secret)
        state = exchange.packet.first(Attribute.STATE)
        if state is None:
            self._begin(exchange, typed)
        else:
            self._go_on(exchange, state, typed)

    def tidy(self) -> None:
        """Forget what was typed in conversations that nobody goes on with."""
        now = self._clock.monotonic()
        self.challenges.forget_old(now)
        if self.eap is not None:
            self.eap.forget_old(now)

    def _begin(self, exchange: Exchange, typed: Secret) -> None:
        packet, client = exchange.packet, exchange.client
        name = name_of(packet.first(Attribute.USER_NAME), client.settings.strip_realms)
        conversation = self._service.converse(request_of(packet, client, name, inline_change=True))
        self._offer(exchange, conversation, typed, continuing=False)

    def _go_on(self, exchange: Exchange, state: bytes, typed: Secret) -> None:
        conversation = self.challenges.take(
            state, exchange.client.name, self._user(exchange), self._clock.monotonic()
        )
        if conversation is None:
            self._counters.add(exchange.client.name, "unknown-state")
            self._endings.reject(exchange)
            return
        self._offer(exchange, conversation, typed, continuing=True)

    def _offer(
        self, exchange: Exchange, conversation: Conversation, typed: Secret, *, continuing: bool
    ) -> None:
        go_on = conversation.answer if continuing else conversation.begin
        if not go_on(typed, partial(self._answer_if_it_fits, exchange, conversation)):
            self._counters.warn(exchange.client.name, "shed", self._clock.monotonic())
            conversation.hang_up()
            exchange.drop()

    def _answer_if_it_fits(
        self, exchange: Exchange, conversation: Conversation, turn: AskTurn | ResultTurn
    ) -> None:
        try:
            self._answer(exchange, conversation, turn)
        except ProtocolError:  # its own Proxy-States leave no room for a reply
            self._counters.add(exchange.client.name, "too-long")

    def _answer(
        self, exchange: Exchange, conversation: Conversation, turn: AskTurn | ResultTurn
    ) -> None:
        if isinstance(turn, AskTurn):
            now = self._clock.monotonic()
            state = self.challenges.keep(
                conversation, exchange.client.name, self._user(exchange), now
            )
            octets = replies.challenge(
                exchange.packet, exchange.secret, state, _NO_ECHO, message=turn.prompt
            )
            exchange.reply(octets, now)
            return
        conversation.hang_up()
        answer = answer_to(turn, exchange.rules.settings.when_unavailable)
        if answer is Answer.SILENCE:
            self._counters.add(exchange.client.name, "silent")
            if not exchange.packet.holds(Attribute.STATE):  # its State would not serve again
                exchange.drop()
        elif answer is Answer.REJECT:
            self._endings.reject(exchange, turn.message)
        else:
            self._endings.accept(exchange, turn)

    def _user(self, exchange: Exchange) -> bytes:
        return exchange.packet.first(Attribute.USER_NAME) or b""
