"""Who signed a RADIUS packet: the three MD5 constructions of one shared secret.

Source: RFC 2865 section 3 (Response Authenticator), RFC 2866 section 3 and RFC 5176 section 2.3
(Request Authenticator made of the packet), RFC 3579 section 3.2 and RFC 5997 section 3
(Message-Authenticator). It is demanded in requests and stands first in replies against forged
replies (CVE-2024-3596).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from loginward.errors import ConfigError, ProtocolError
from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import (
    HEADER_OCTETS,
    MAX_OCTETS,
    MESSAGE_AUTHENTICATOR_OCTETS,
    Code,
    Packet,
)

if TYPE_CHECKING:
    from hashlib import _Hash

_ZEROS: Final = bytes(16)
_BLOCK_OCTETS: Final = 64  # RFC 2104: the block of MD5
_MESSAGE_AUTHENTICATOR: Final = int(Attribute.MESSAGE_AUTHENTICATOR)
_MA_HEAD: Final = bytes((_MESSAGE_AUTHENTICATOR, MESSAGE_AUTHENTICATOR_OCTETS + 2))
_MA_BLANK: Final = _MA_HEAD + _ZEROS
_ACCESS_REPLIES: Final = frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE})
# Their Request Authenticator is made of the packet, and is zeros while anything is computed.
_HASHED_REQUESTS: Final = frozenset(
    {Code.ACCOUNTING_REQUEST, Code.DISCONNECT_REQUEST, Code.COA_REQUEST}
)
_ANSWERS: Final = {
    Code.ACCESS_REQUEST: _ACCESS_REPLIES,
    Code.ACCOUNTING_REQUEST: frozenset({Code.ACCOUNTING_RESPONSE}),
    Code.STATUS_SERVER: frozenset({Code.ACCESS_ACCEPT, Code.ACCOUNTING_RESPONSE}),
    Code.DISCONNECT_REQUEST: frozenset({Code.DISCONNECT_ACK, Code.DISCONNECT_NAK}),
    Code.COA_REQUEST: frozenset({Code.COA_ACK, Code.COA_NAK}),
}


class NotAuthenticError(ProtocolError):
    """The packet is not signed by this secret."""


class UnsignedError(NotAuthenticError):
    """The packet has no Message-Authenticator where one is demanded."""


class SharedSecret:
    """One shared secret as contexts that have taken it in already; copying them is cheap.

    Args:
        octets: The secret itself; how long it must be is for the configuration to say.

    Raises:
        ConfigError: This machine refuses MD5.
    """

    __slots__ = ("_inner", "_keyed", "_octets", "_outer")

    def __init__(self, octets: bytes) -> None:
        if not octets:
            raise ValueError("a shared secret must not be empty")
        key = _md5(octets).digest() if len(octets) > _BLOCK_OCTETS else octets
        key = key.ljust(_BLOCK_OCTETS, b"\0")
        self._octets = octets
        self._inner = _md5(bytes(octet ^ 0x36 for octet in key))
        self._outer = _md5(bytes(octet ^ 0x5C for octet in key))
        self._keyed = _md5(octets)

    def __repr__(self) -> str:
        return "SharedSecret(...)"

    def hmac(self, octets: bytes) -> bytes:
        """Return HMAC-MD5 (RFC 2104), a third faster than a copied object of `hmac`."""
        inner = self._inner.copy()
        inner.update(octets)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def digest_after(self, octets: bytes) -> bytes:
        """Return MD5 of octets and then the secret, which seals a packet."""
        return _md5(octets + self._octets).digest()

    def digest_before(self, octets: bytes) -> bytes:
        """Return MD5 of the secret and then octets, which hides values."""
        keyed = self._keyed.copy()
        keyed.update(octets)
        return keyed.digest()


def check_request(packet: Packet, secret: SharedSecret, *, demand: bool = True) -> None:
    """Refuse a request that the secret did not sign.

    Args:
        demand: Whether an Access-Request needs a Message-Authenticator. One with an EAP-Message
            (RFC 3579 section 3.1) and a Status-Server (RFC 5997 section 3) need it whatever the
            client may leave out, and so does one with a Proxy-State, which a forged reply needs.

    Raises:
        UnsignedError: It has no Message-Authenticator.
        NotAuthenticError: It is signed by another secret, or changed on its way.
        ProtocolError: It is no request.
    """
    if packet.code in _HASHED_REQUESTS:
        raw = packet.raw
        expected = secret.digest_after(raw[:4] + _ZEROS + raw[HEADER_OCTETS:])
        if not hmac.compare_digest(expected, packet.authenticator):
            raise NotAuthenticError("RADIUS: the Request Authenticator is wrong")
        _check_message_authenticator(packet, secret, _ZEROS)
        return
    if packet.code not in _ANSWERS:
        raise ProtocolError("RADIUS: a reply where requests are read")
    if _check_message_authenticator(packet, secret, packet.authenticator):
        return
    if (
        demand
        or packet.code is Code.STATUS_SERVER
        or packet.holds(Attribute.EAP_MESSAGE)
        or packet.holds(Attribute.PROXY_STATE)
    ):
        raise UnsignedError("RADIUS: no Message-Authenticator")


def check_reply(
    reply: Packet, request: Packet, secret: SharedSecret, *, demand: bool = True
) -> None:
    """Refuse a reply that does not answer this request, or was not signed by the secret.

    Args:
        demand: Whether replies to an Access-Request need a Message-Authenticator.

    Raises:
        UnsignedError: It has no Message-Authenticator.
        NotAuthenticError: It is signed by another secret, or changed on its way.
        ProtocolError: It answers something else.
    """
    if reply.identifier != request.identifier or reply.code not in _ANSWERS.get(request.code, ()):
        raise ProtocolError("RADIUS: a reply to something else")
    raw = reply.raw
    expected = secret.digest_after(raw[:4] + request.authenticator + raw[HEADER_OCTETS:])
    if not hmac.compare_digest(expected, reply.authenticator):
        raise NotAuthenticError("RADIUS: the Response Authenticator is wrong")
    zeros = request.code is Code.ACCOUNTING_REQUEST
    signed = _check_message_authenticator(reply, secret, _ZEROS if zeros else request.authenticator)
    if demand and not signed and request.code is Code.ACCESS_REQUEST:
        raise UnsignedError("RADIUS: no Message-Authenticator")


def sign_reply(code: Code, request: Packet, attributes: bytes, secret: SharedSecret) -> bytes:
    """Return a reply with its Message-Authenticator first.

    Raises:
        ProtocolError: It would be longer than a packet may be.
    """
    head = _head(code, request.identifier, len(_MA_BLANK) + len(attributes))
    start = head + request.authenticator
    signed = _MA_HEAD + secret.hmac(start + _MA_BLANK + attributes) + attributes
    return head + secret.digest_after(start + signed) + signed


def seal_reply(code: Code, request: Packet, attributes: bytes, secret: SharedSecret) -> bytes:
    """Return a reply without a Message-Authenticator, as replies to accounting are.

    Raises:
        ProtocolError: It would be longer than a packet may be.
    """
    head = _head(code, request.identifier, len(attributes))
    return head + secret.digest_after(head + request.authenticator + attributes) + attributes


def sign_request(
    code: Code, identifier: int, authenticator: bytes, attributes: bytes, secret: SharedSecret
) -> bytes:
    """Return an Access-Request or Status-Server with its Message-Authenticator first.

    Args:
        authenticator: 16 octets that nobody can guess, never used before.

    Raises:
        ProtocolError: It would be longer than a packet may be.
    """
    head = _head(code, identifier, len(_MA_BLANK) + len(attributes)) + authenticator
    return head + _MA_HEAD + secret.hmac(head + _MA_BLANK + attributes) + attributes


def seal_request(
    code: Code, identifier: int, attributes: bytes, secret: SharedSecret, *, sign: bool = True
) -> bytes:
    """Return an accounting, Disconnect or CoA request, whose authenticator is made of it.

    Args:
        sign: Whether a Message-Authenticator goes first (RFC 5176 section 3.4).

    Raises:
        ProtocolError: It would be longer than a packet may be.
    """
    head = _head(code, identifier, len(attributes) + (len(_MA_BLANK) if sign else 0))
    if sign:
        attributes = _MA_HEAD + secret.hmac(head + _ZEROS + _MA_BLANK + attributes) + attributes
    return head + secret.digest_after(head + _ZEROS + attributes) + attributes


def _check_message_authenticator(
    packet: Packet, secret: SharedSecret, authenticator: bytes
) -> bool:
    """Return whether there is one; one that is wrong raises NotAuthenticError.

    It is looked up by its place: another attribute may hold the same octets.
    """
    at = HEADER_OCTETS + 2
    for type_, value in packet.attributes:
        if type_ == _MESSAGE_AUTHENTICATOR:
            break
        at += len(value) + 2
    else:
        return False
    raw = packet.raw
    expected = secret.hmac(
        b"".join((raw[:4], authenticator, raw[HEADER_OCTETS:at], _ZEROS, raw[at + 16 :]))
    )
    if not hmac.compare_digest(expected, value):
        raise NotAuthenticError("RADIUS: the Message-Authenticator is wrong")
    return True


def _head(code: Code, identifier: int, attributes_octets: int) -> bytes:
    length = HEADER_OCTETS + attributes_octets
    if length > MAX_OCTETS:
        raise ProtocolError("RADIUS: a packet of ours would be too long")
    return bytes((code, identifier, length >> 8, length & 0xFF))


def _md5(octets: bytes) -> _Hash:
    try:
        return hashlib.md5(octets, usedforsecurity=False)
    except ValueError as error:
        raise ConfigError(
            "doors.radius", "this machine refuses MD5 (FIPS mode), which RADIUS rests on"
        ) from error
