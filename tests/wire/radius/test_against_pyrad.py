"""pyrad and we understand each other where pyrad is right.

It reads no password that is not ASCII rightly, takes what overruns a packet, and groups attributes
of one type: those are judged by the RFCs in the other tests.
"""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad import packet as pyrad
from pyrad.dictionary import Dictionary

from loginward.core.secret import Secret
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import attribute, integer
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.password import hide, mppe_keys, unhide
from loginward.wire.radius.signing import (
    check_reply,
    check_request,
    seal_reply,
    seal_request,
    sign_reply,
    sign_request,
)
from tests.wire.radius.stage import AUTHENTICATOR, LOGIN, OCTETS, SECRET, request

NAMES = Dictionary(
    io.StringIO(
        "ATTRIBUTE User-Name 1 string\nATTRIBUTE User-Password 2 string encrypt=1\n"
        "ATTRIBUTE Class 25 octets\nATTRIBUTE Error-Cause 101 integer\n"
        "ATTRIBUTE Message-Authenticator 80 octets\n"
    )
)
_ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from([4, 11, 25, 30, 31, 32, 33]), st.binary(min_size=1, max_size=40)),
    max_size=10,
)


def encoded(attributes: list[tuple[int, bytes]]) -> bytes:
    return b"".join(attribute(type_, value) for type_, value in attributes)


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128),
    st.binary(min_size=16, max_size=16),
    _ATTRIBUTES,
)
def test_our_requests_are_read_by_pyrad(
    password: str, authenticator: bytes, attributes: list[tuple[int, bytes]]
) -> None:
    hidden = attribute(2, hide(Secret(password.encode()), authenticator, SECRET))
    octets = sign_request(
        Code.ACCESS_REQUEST, 9, authenticator, hidden + encoded(attributes), SECRET
    )
    theirs = pyrad.AuthPacket(packet=octets, secret=OCTETS, dict=NAMES)

    assert theirs.verify_message_authenticator()
    assert theirs.PwDecrypt(theirs[2][0]) == password
    assert [(t, v) for t in {t for t, _ in attributes} for v in theirs[t]] == [
        (t, v) for t in {t for t, _ in attributes} for at, v in attributes if at == t
    ]


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128),
    st.binary(min_size=1, max_size=253),
)
def test_pyrads_requests_are_read_by_us(password: str, class_: bytes) -> None:
    theirs = pyrad.AuthPacket(secret=OCTETS, id=3, dict=NAMES)
    theirs.add_message_authenticator()
    theirs["User-Name"] = "alice"
    theirs["User-Password"] = theirs.PwCrypt(password)
    theirs[25] = [class_]
    packet = decode(theirs.RequestPacket())
    check_request(packet, SECRET)

    hidden = packet.first(2)
    assert hidden is not None
    assert unhide(hidden, packet.authenticator, SECRET).reveal() == password.encode()
    assert packet.first(25) == class_


@pytest.mark.parametrize("send", [replies.accept, replies.reject])
@given(attributes=_ATTRIBUTES)
def test_our_replies_are_believed_by_pyrad(send, attributes: list[tuple[int, bytes]]) -> None:
    own = [(type_, value) for type_, value in attributes if type_ != 33]
    asking = request(LOGIN + encoded(attributes))
    theirs = pyrad.AuthPacket(packet=asking, secret=OCTETS, dict=NAMES)
    octets = send(decode(asking), SECRET, encoded(own), message="sorry")
    reply = theirs.CreateReply(packet=octets)

    assert theirs.VerifyReply(reply, octets, enforce_ma=True)
    assert next(iter(reply)) == 80


def test_pyrads_replies_are_believed_by_us() -> None:
    theirs = pyrad.AuthPacket(packet=request(), secret=OCTETS, dict=NAMES)
    reply = theirs.CreateReply()
    reply[25] = [b"session"]

    check_reply(decode(reply.ReplyPacket()), decode(request()), SECRET)


@given(st.binary(min_size=64, max_size=64), st.binary(min_size=4, max_size=4))
def test_both_keys_are_revealed_by_pyrad(msk: bytes, noise: bytes) -> None:
    theirs = pyrad.AuthPacket(packet=request(), secret=OCTETS, dict=NAMES)
    octets = replies.accept(
        decode(request()), SECRET, mppe_keys(msk, AUTHENTICATOR, SECRET, noise), eap=b"\3\1\0\4"
    )
    reply = theirs.CreateReply(packet=octets)
    reply.request_authenticator = AUTHENTICATOR

    assert reply.SaltDecrypt(reply[(311, 17)][0]) == msk[:32]
    assert reply.SaltDecrypt(reply[(311, 16)][0]) == msk[32:]


@pytest.mark.parametrize("accounting", [True, False])
def test_status_server(accounting: bool) -> None:
    kind = pyrad.AcctPacket if accounting else pyrad.AuthPacket
    theirs = kind(code=pyrad.StatusServer, id=4, secret=OCTETS, authenticator=AUTHENTICATOR)
    theirs.add_message_authenticator()
    asking = decode(theirs.RequestPacket())
    check_request(asking, SECRET)
    octets = replies.status_answer(asking, SECRET, accounting=accounting)

    assert theirs.VerifyReply(theirs.CreateReply(packet=octets), octets, enforce_ma=True)


def test_accounting() -> None:
    theirs = pyrad.AcctPacket(id=4, secret=OCTETS, dict=NAMES)
    theirs[40] = [b"\0\0\0\1"]
    asking = decode(theirs.RequestPacket())
    check_request(asking, SECRET)
    octets = replies.accounting_response(asking, SECRET)

    assert theirs.VerifyReply(theirs.CreateReply(packet=octets), octets)
    signed = theirs.CreateReply()
    signed.add_message_authenticator()
    check_reply(decode(signed.ReplyPacket()), asking, SECRET)
    sealed = seal_request(Code.ACCOUNTING_REQUEST, 4, integer(40, 1), SECRET, sign=False)
    assert pyrad.AcctPacket(packet=sealed, secret=OCTETS).VerifyAcctRequest()


@pytest.mark.parametrize("code", [Code.DISCONNECT_REQUEST, Code.COA_REQUEST])
@pytest.mark.parametrize("sign", [True, False])
def test_disconnect_and_coa(code: Code, sign: bool) -> None:
    sealed = seal_request(code, 4, attribute(44, b"session"), SECRET, sign=sign)
    theirs = pyrad.CoAPacket(packet=sealed, secret=OCTETS, dict=NAMES)

    assert theirs.VerifyCoARequest()
    assert bool(theirs.message_authenticator) is sign
    assert not sign or theirs.verify_message_authenticator()

    reply = theirs.CreateReply()
    reply.code = code + 2
    reply["Error-Cause"] = 503
    answer = decode(reply.ReplyPacket())
    check_reply(answer, decode(sealed), SECRET)
    assert answer.first(101) == b"\0\0\x01\xf7"


@pytest.mark.parametrize("write", [seal_reply, sign_reply])
def test_our_own_nak_is_believed_by_pyrad(write) -> None:
    sealed = seal_request(Code.DISCONNECT_REQUEST, 4, attribute(44, b"s"), SECRET)
    theirs = pyrad.CoAPacket(packet=sealed, secret=OCTETS, dict=NAMES)
    octets = write(Code.DISCONNECT_NAK, decode(sealed), integer(101, 503), SECRET)

    assert theirs.VerifyReply(theirs.CreateReply(packet=octets), octets)
