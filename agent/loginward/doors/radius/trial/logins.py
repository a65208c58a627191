"""One login at a RADIUS server, to its end.

Source: RFC 2865 section 4, RFC 3579 section 2, RFC 5997 section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.trial.exchanges import NoAnswerError
from loginward.errors import ProtocolError
from loginward.wire.eap import packet as eap
from loginward.wire.radius.attributes import (
    Attribute,
    attribute,
    eap_message,
    integer,
    joined_eap_message,
    vendor_values,
)
from loginward.wire.radius.packet import Code, Packet
from loginward.wire.radius.password import (
    MICROSOFT,
    MS_MPPE_RECV_KEY,
    MS_MPPE_SEND_KEY,
    hide,
    mppe_key_of,
)

if TYPE_CHECKING:
    from loginward.core.secret import Secret
    from loginward.doors.radius.trial.exchanges import Exchanges
    from loginward.doors.radius.trial.peer import Peer

NAS: Final = b"loginward-radius-test"
_FRAMED_MTU: Final = 1400
_MOST_ROUNDS: Final = 64


@dataclass(frozen=True, slots=True)
class Ended:
    """How a login ended.

    Attributes:
        reply: The last.
        rounds: How many requests were answered.
        keys_agree: Whether the server gave the NAS the keys that the device has; None: there are
            none to compare.
    """

    reply: Packet
    rounds: int
    keys_agree: bool | None = None

    @property
    def message(self) -> str:
        """Return what a person reads."""
        return message_of(self.reply)


def status(exchanges: Exchanges) -> Ended:
    """Ask whether the server is there; it answers nobody's login.

    Raises:
        NoAnswerError: It is not.
    """
    _, reply = exchanges.ask(Code.STATUS_SERVER, lambda _: attribute(Attribute.NAS_IDENTIFIER, NAS))
    return Ended(reply, 1)


def pap(exchanges: Exchanges, name: bytes, typed: Callable[[str], Secret]) -> Ended:
    """Sign in with a password as it is.

    Args:
        typed: Returns what is typed at a prompt; the first is the password.

    Raises:
        NoAnswerError: The server does not answer.
        ValueError: What was typed does not fit a User-Password.
    """
    state, prompt, rounds = b"", "", 0
    while True:
        secret = typed(prompt)

        def attributes(
            authenticator: bytes, state: bytes = state, secret: Secret = secret
        ) -> bytes:
            hidden = hide(secret, authenticator, exchanges.secret)
            return _head(name, state) + attribute(Attribute.USER_PASSWORD, hidden)

        _, reply = exchanges.ask(Code.ACCESS_REQUEST, attributes)
        rounds += 1
        if reply.code is not Code.ACCESS_CHALLENGE:
            return Ended(reply, rounds)
        state, prompt = reply.first(Attribute.STATE) or b"", message_of(reply) or "answer"


def tunnelled(exchanges: Exchanges, peer: Peer) -> Ended:
    """Sign in inside a tunnel.

    Raises:
        NoAnswerError: The server does not answer.
        ProtocolError: It answers what no server should.
    """
    octets, state = eap.response(0, eap.Type.IDENTITY, peer.outer), b""
    for rounds in range(1, _MOST_ROUNDS + 1):

        def attributes(_: bytes, octets: bytes = octets, state: bytes = state) -> bytes:
            mtu = integer(Attribute.FRAMED_MTU, _FRAMED_MTU)
            return _head(peer.outer, state) + mtu + eap_message(octets)

        request, reply = exchanges.ask(Code.ACCESS_REQUEST, attributes)
        said = joined_eap_message(reply.attributes)
        if reply.code is not Code.ACCESS_CHALLENGE or peer.distrust:
            _check_end(reply, said)
            return Ended(reply, rounds, _keys_agree(exchanges, peer, request, reply))
        octets, state = peer.answer(said), reply.first(Attribute.STATE) or b""
    raise NoAnswerError(f"no end after {_MOST_ROUNDS} rounds")


def message_of(reply: Packet) -> str:
    """Return what a person reads."""
    return b"".join(reply.all(Attribute.REPLY_MESSAGE)).decode("utf-8", "replace")


def _head(name: bytes, state: bytes) -> bytes:
    pieces = [attribute(Attribute.USER_NAME, name), attribute(Attribute.NAS_IDENTIFIER, NAS)]
    pieces += [attribute(Attribute.STATE, state)] if state else []
    return b"".join(pieces)


def _check_end(reply: Packet, said: bytes) -> None:
    """An Accept carries an EAP-Success (RFC 3579 section 2.6.3); a Reject may come without EAP."""
    if reply.code is Code.ACCESS_ACCEPT and eap.decode(said).code is not eap.Code.SUCCESS:
        raise ProtocolError("EAP: accepted without a success")


def _keys_agree(exchanges: Exchanges, peer: Peer, request: Packet, reply: Packet) -> bool | None:
    if reply.code is not Code.ACCESS_ACCEPT:
        return None
    values = dict(vendor_values(reply.all(Attribute.VENDOR_SPECIFIC), MICROSOFT))
    found = [
        mppe_key_of(values.get(type_, b""), request.authenticator, exchanges.secret)
        for type_ in (MS_MPPE_RECV_KEY, MS_MPPE_SEND_KEY)
    ]
    half = len(peer.msk) // 2
    return found == [peer.msk[:half], peer.msk[half:]]
