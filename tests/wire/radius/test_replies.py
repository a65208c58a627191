"""A reply says what it must, first its signature, last the proxies' own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import Attribute, attribute, eap_message, integer
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.signing import check_reply, seal_request
from tests.wire.radius.stage import LOGIN, SECRET, request

PROXIED = LOGIN + attribute(33, b"inner") + attribute(11, b"between") + attribute(33, b"outer")
EXTRA = attribute(Attribute.CLASS, b"session") + integer(Attribute.SESSION_TIMEOUT, 3600)
EAP = b"\x03\x01\x00\x04"

Send = Callable[..., bytes]


def challenge(asking: Packet, *rest: object, **named: object) -> bytes:
    return replies.challenge(asking, SECRET, b"state", *rest[1:], **named)  # type: ignore[arg-type]


ACCESS = [
    pytest.param(replies.accept, Code.ACCESS_ACCEPT, id="accept"),
    pytest.param(replies.reject, Code.ACCESS_REJECT, id="reject"),
    pytest.param(challenge, Code.ACCESS_CHALLENGE, id="challenge"),
]


def believed(octets: bytes, asking: Packet) -> Packet:
    reply = decode(octets)
    check_reply(reply, asking, SECRET)
    return reply


@pytest.mark.parametrize(("send", "code"), ACCESS)
def test_a_reply_is_signed_first_and_echoes_the_proxies_last(send: Send, code: Code) -> None:
    """RFC 2865 section 5.33; the Message-Authenticator goes first (CVE-2024-3596)."""
    asking = decode(request(PROXIED))
    reply = believed(send(asking, SECRET, EXTRA), asking)
    state = ((Attribute.STATE, b"state"),) if code is Code.ACCESS_CHALLENGE else ()

    assert reply.code is code
    assert reply.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
    assert reply.attributes[1:] == (
        *state,
        (Attribute.CLASS, b"session"),
        (Attribute.SESSION_TIMEOUT, b"\0\0\x0e\x10"),
        (Attribute.PROXY_STATE, b"inner"),
        (Attribute.PROXY_STATE, b"outer"),
    )


@pytest.mark.parametrize(("send", "code"), ACCESS)
def test_a_long_message_is_cut_into_pieces(send: Send, code: Code) -> None:
    asking = decode(request())
    message = "è" * 200
    reply = believed(send(asking, SECRET, message=message), asking)

    assert reply.code is code
    assert b"".join(reply.all(Attribute.REPLY_MESSAGE)).decode() == message
    assert [len(piece) for piece in reply.all(Attribute.REPLY_MESSAGE)] == [252, 148]


@pytest.mark.parametrize(("send", "code"), ACCESS)
def test_no_reply_message_stands_beside_an_eap_packet(send: Send, code: Code) -> None:
    """RFC 3579 section 2.6.5."""
    asking = decode(request(LOGIN + eap_message(EAP)))
    reply = believed(send(asking, SECRET, eap=EAP * 100, message="expired"), asking)

    assert reply.code is code
    assert b"".join(reply.all(Attribute.EAP_MESSAGE)) == EAP * 100
    assert not reply.holds(Attribute.REPLY_MESSAGE)


def test_accounting_is_acknowledged_without_a_message_authenticator() -> None:
    asking = decode(seal_request(Code.ACCOUNTING_REQUEST, 5, attribute(33, b"p"), SECRET))
    reply = believed(replies.accounting_response(asking, SECRET), asking)

    assert reply.code is Code.ACCOUNTING_RESPONSE
    assert reply.attributes == ((33, b"p"),)


@pytest.mark.parametrize(
    ("accounting", "code"), [(False, Code.ACCESS_ACCEPT), (True, Code.ACCOUNTING_RESPONSE)]
)
def test_a_status_server_is_answered_by_the_port_it_came_to(accounting: bool, code: Code) -> None:
    """RFC 5997 section 3: whatever User-Name it carries."""
    asking = decode(request(LOGIN + attribute(33, b"p"), Code.STATUS_SERVER))
    reply = believed(replies.status_answer(asking, SECRET, accounting=accounting), asking)

    assert reply.code is code
    assert [type_ for type_, _ in reply.attributes] == [80, 33]


def test_proxies_cannot_make_a_reply_too_long() -> None:
    asking = decode(request(LOGIN + attribute(33, bytes(253)) * 15))
    with pytest.raises(ProtocolError):
        replies.accept(asking, SECRET, attribute(25, bytes(253)))
