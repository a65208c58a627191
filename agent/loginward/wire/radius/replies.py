"""The replies of the RADIUS door, whole and signed.

Source: RFC 2865 section 4, RFC 2866 section 4.2, RFC 3579 section 2.6, RFC 5997 section 3. Each
carries the request's Proxy-States as they came; those to an Access-Request carry a
Message-Authenticator, first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from loginward.wire.radius.attributes import (
    Attribute,
    ErrorCause,
    attribute,
    eap_message,
    integer,
    proxy_states,
    text,
)
from loginward.wire.radius.packet import Code, Packet
from loginward.wire.radius.signing import SharedSecret, seal_reply, sign_reply

UNWANTED: Final[Mapping[Code, Code]] = MappingProxyType(
    {
        Code.DISCONNECT_REQUEST: Code.DISCONNECT_NAK,
        Code.COA_REQUEST: Code.COA_NAK,
    }
)
"""What refuses a request that is ours to send."""


def accept(
    request: Packet,
    secret: SharedSecret,
    attributes: bytes = b"",
    *,
    eap: bytes = b"",
    message: str = "",
) -> bytes:
    """Return an Access-Accept.

    Args:
        attributes: Encoded, in the order in which they leave.
        eap: The EAP-Success inside an EAP conversation.
        message: What a person may read. It is left out beside an EAP packet (RFC 3579
            section 2.6.5).

    Raises:
        ProtocolError: With the request's own Proxy-States it would be too long to send.
    """
    return _access(Code.ACCESS_ACCEPT, request, secret, attributes, eap, message)


def reject(
    request: Packet,
    secret: SharedSecret,
    attributes: bytes = b"",
    *,
    eap: bytes = b"",
    message: str = "",
) -> bytes:
    """Return an Access-Reject; the arguments are those of `accept`, `eap` an EAP-Failure.

    Raises:
        ProtocolError: With the request's own Proxy-States it would be too long to send.
    """
    return _access(Code.ACCESS_REJECT, request, secret, attributes, eap, message)


def challenge(
    request: Packet,
    secret: SharedSecret,
    state: bytes,
    attributes: bytes = b"",
    *,
    eap: bytes = b"",
    message: str = "",
) -> bytes:
    """Return an Access-Challenge; the arguments are those of `accept`.

    Args:
        state: What the next request brings back: random octets, used once.

    Raises:
        ProtocolError: With the request's own Proxy-States it would be too long to send.
    """
    attributes = attribute(Attribute.STATE, state) + attributes
    return _access(Code.ACCESS_CHALLENGE, request, secret, attributes, eap, message)


def accounting_response(request: Packet, secret: SharedSecret) -> bytes:
    """Return the acknowledgement of an Accounting-Request: it has been recorded.

    Raises:
        ProtocolError: It would be too long to send.
    """
    return seal_reply(Code.ACCOUNTING_RESPONSE, request, proxy_states(request.attributes), secret)


def status_answer(request: Packet, secret: SharedSecret, *, accounting: bool = False) -> bytes:
    """Return the answer to a Status-Server: we are here.

    Args:
        accounting: It was asked at the accounting port.

    Raises:
        ProtocolError: It would be too long to send.
    """
    code = Code.ACCOUNTING_RESPONSE if accounting else Code.ACCESS_ACCEPT
    return sign_reply(code, request, proxy_states(request.attributes), secret)


def unwanted(request: Packet, secret: SharedSecret) -> bytes:
    """Return the refusal of a Disconnect- or CoA-Request: we end nobody's session for others.

    Source: RFC 6614 section 2.5, RFC 5176 section 3.5.

    Raises:
        KeyError: It is another request.
        ProtocolError: It would be too long to send.
    """
    cause = integer(Attribute.ERROR_CAUSE, ErrorCause.UNSUPPORTED_EXTENSION)
    attributes = cause + proxy_states(request.attributes)
    return seal_reply(UNWANTED[request.code], request, attributes, secret)


def _access(
    code: Code, request: Packet, secret: SharedSecret, attributes: bytes, eap: bytes, message: str
) -> bytes:
    if eap:
        attributes = eap_message(eap) + attributes
    elif message:
        attributes = text(Attribute.REPLY_MESSAGE, message) + attributes
    return sign_reply(code, request, attributes + proxy_states(request.attributes), secret)
