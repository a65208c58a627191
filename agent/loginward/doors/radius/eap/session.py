"""One EAP session, from the first name to success or failure, without I/O.

Source: RFC 3748 sections 4.1 (identifiers) and 5.3 (NAK), RFC 5216 section 2.1 (EAP-TLS), RFC 5281
section 7 (EAP-TTLS), draft-kamath-pppext-peapv0-00 (PEAP), RFC 9190 and RFC 9427 (TLS 1.3). The
outer name is not even kept; the law is asked once, about the name that is proven inside, so that a
tunnel ends the same way whoever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from loginward.core.secret import Secret
from loginward.doors.radius.eap.certified import CertifiedTalk
from loginward.doors.radius.eap.contexts import RevocationUnknownError, TlsContexts
from loginward.doors.radius.eap.peap import PeapTalk
from loginward.doors.radius.eap.talks import Broken, End, Say, Step, Talk
from loginward.doors.radius.eap.ttls import TtlsTalk
from loginward.doors.radius.eap.tunnel import Tunnel, TunnelError
from loginward.doors.radius.eap.turns import (
    TYPE_OF,
    Accepted,
    EapMethod,
    Failed,
    Ignored,
    NeedsAccount,
    NeedsPassword,
    Rejected,
    Send,
    Turn,
    Verdict,
    Why,
)
from loginward.errors import ProtocolError
from loginward.wire.eap import fragments, keys, packet
from loginward.wire.eap.fragments import Fragment
from loginward.wire.eap.packet import Code, Packet, Type

# A chain of 10,000 octets in pieces of 200 and as much again from the peer; hostapd stops at 100.
MAX_ROUNDS: Final = 120


class EapSession:
    """One peer's session.

    Args:
        methods: What may be offered, the first first; not empty.
        contexts: What tunnels are made with.
        most_octets: An EAP packet's (`wire.eap.fragments.packet_octets`).
    """

    def __init__(
        self, methods: Sequence[EapMethod], contexts: TlsContexts, most_octets: int
    ) -> None:
        self._methods = frozenset(methods)
        self._offers = list(dict.fromkeys(TYPE_OF[method] for method in methods))
        self._contexts = contexts
        self._most_octets = most_octets
        self._identifier: int | None = None  # of the request that is to be answered
        self._type: Type | None = None  # None: the outer name has not come
        self._rounds = 0
        self._incoming = fragments.Incoming()
        self._outgoing = fragments.Outgoing(b"", most_octets)
        self._tunnel: Tunnel | None = None
        self._talk: Talk | None = None  # from the end of the handshake on
        self._fed = 0  # octets of the handshake, which the library may hold
        self._dying: Broken | None = None  # the peer has yet to read the alert
        self._waits_for_law = False

    @property
    def held_octets(self) -> int:
        """Octets of messages that are not whole or not sent, and of a handshake under way."""
        return self._incoming.held + self._outgoing.left + (0 if self._talk else self._fed)

    def start(self) -> Send:
        """Return the request for the outer name, which answers an EAP-Start."""
        return self._request(Type.IDENTITY, b"")

    def receive(self, octets: bytes) -> Turn:
        """Go on with a peer's packet."""
        try:
            answer = packet.decode(octets)
            if self._waits_for_law or self._identifier not in {None, answer.identifier}:
                return Ignored()
            self._identifier = answer.identifier
            self._rounds += 1
            if self._rounds > MAX_ROUNDS:
                return self._failed(Broken(Why.TOO_LONG))
            return self._go_on(answer)
        except ProtocolError as error:
            self._identifier = octets[1] if len(octets) > 1 else 0
            return self._failed(Broken(Why.MALFORMED, str(error)))

    def resume(self, verdict: Verdict) -> Turn:
        """Go on with the law's verdict.

        Raises:
            ValueError: It was not asked.
        """
        if not self._waits_for_law or self._talk is None:
            raise ValueError("the law was not asked")
        self._waits_for_law = False
        try:
            return self._step(self._talk.resume(verdict, self._next_identifier))
        except TunnelError as error:
            return self._failed(Broken(Why.HANDSHAKE, str(error)))

    def _go_on(self, answer: Packet) -> Turn:
        if answer.code is not Code.RESPONSE:
            raise ProtocolError("EAP: a peer that asks")
        if self._dying is not None:
            return self._failed(self._dying)
        if self._type is None:
            if answer.type != Type.IDENTITY:
                raise ProtocolError("EAP: no name came first")
            return self._offer(self._offers)
        wanted = packet.wanted_types(answer)
        if wanted is not None:
            return self._negotiate(wanted)
        if answer.type != self._type:
            raise ProtocolError("EAP: an answer of another type")
        return self._fragment(fragments.parse(answer.body))

    def _offer(self, types: Sequence[Type]) -> Turn:
        if not types:
            return self._failed(Broken(Why.NO_METHOD))
        self._type = types[0]
        self._offers.remove(types[0])
        return self._request(self._type, fragments.START)

    def _negotiate(self, wanted: Sequence[int]) -> Turn:
        """Offer what the peer wants; each method once, and none after a tunnel was begun."""
        if self._tunnel is not None or self._incoming.held:
            raise ProtocolError("EAP: a NAK in the middle")
        return self._offer([type_ for type_ in self._offers if type_ in wanted])

    def _fragment(self, fragment: Fragment) -> Turn:
        if fragment.version and self._type is not Type.TLS:
            raise ProtocolError("EAP: a version that was not offered")
        if not self._outgoing.is_done:
            if not fragment.is_ack:
                raise ProtocolError("EAP: data where an acknowledgement is due")
            return self._next_piece()
        message = self._incoming.take(fragment)
        if message is None:
            return self._method_request(fragments.ACK)
        try:
            return self._step(self._hear(message))
        except RevocationUnknownError as error:
            return self._failed(Broken(Why.REVOCATION, str(error)))
        except TunnelError as error:
            return self._alert(Broken(Why.HANDSHAKE, str(error)))

    def _hear(self, message: bytes) -> Step:
        if self._tunnel is None:
            self._tunnel = self._new_tunnel()
        self._tunnel.feed(message)
        self._fed += len(message)
        if self._talk is None:
            if not message:
                return Broken(Why.HANDSHAKE, "the peer acknowledged and went no further")
            if not self._tunnel.handshake():
                return Say()
            self._talk = self._new_talk(self._tunnel)
            if not self._tunnel.is_tls13:
                return Say()  # our Finished; in TLS 1.3 the peer's came last
        return self._talk.hear(self._tunnel.read(), self._next_identifier)

    def _new_tunnel(self) -> Tunnel:
        if self._type is Type.TLS:
            return Tunnel(self._contexts.for_certificates())
        return Tunnel(self._contexts.for_passwords())

    def _new_talk(self, tunnel: Tunnel) -> Talk:
        if self._type is Type.TLS:
            return CertifiedTalk(
                lambda: self._contexts.name_of(tunnel.certificate()), lambda: tunnel.is_tls13
            )
        return PeapTalk() if self._type is Type.PEAP else TtlsTalk(self._methods)

    def _step(self, step: Step) -> Turn:
        match step:
            case Say(octets):
                tunnel = self._opened
                if octets:
                    tunnel.write(octets)
                self._outgoing = fragments.Outgoing(tunnel.take(), self._most_octets)
                return self._next_piece()
            case NeedsPassword() | NeedsAccount():
                self._waits_for_law = True
                return step
            case End(accepted):
                return self._accepted() if accepted else Rejected(packet.failure(self._answered))
            case Broken():
                return self._failed(step)
        assert_never(step)

    def _accepted(self) -> Accepted:
        if self._type is None:
            raise ValueError("nothing was proven")
        wanted = keys.export_of(self._type, tls13=self._opened.is_tls13)
        exported = self._opened.export(wanted.label, keys.EXPORT_OCTETS, wanted.context)
        return Accepted(packet.success(self._answered), Secret(exported[: keys.MSK_OCTETS]))

    def _alert(self, broken: Broken) -> Turn:
        """Let the peer read why TLS cannot go on, if there is something to read, then end."""
        alert = self._tunnel.take() if self._tunnel is not None else b""
        if not alert:
            return self._failed(broken)
        self._dying = broken
        self._outgoing = fragments.Outgoing(alert, self._most_octets)
        return self._next_piece()

    def _failed(self, broken: Broken) -> Failed:
        return Failed(broken.why, packet.failure(self._answered), broken.detail)

    def _next_piece(self) -> Send:
        return self._method_request(self._outgoing.next())

    def _method_request(self, body: bytes) -> Send:
        if self._type is None:
            raise ValueError("no method was offered")
        return self._request(self._type, body)

    def _request(self, type_: Type, body: bytes) -> Send:
        self._identifier = self._next_identifier
        return Send(packet.request(self._identifier, type_, body))

    @property
    def _next_identifier(self) -> int:
        return (self._answered + 1) % 256

    @property
    def _answered(self) -> int:
        return 0 if self._identifier is None else self._identifier

    @property
    def _opened(self) -> Tunnel:
        if self._tunnel is None:
            raise ValueError("there is no tunnel")
        return self._tunnel
