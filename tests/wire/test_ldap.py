"""LDAP octets against the ASN.1 library and vectors seen from real servers."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber import decoder

from loginward.errors import ProtocolError
from loginward.wire import ber, ldap

# 389-ds 2.3.1, a locked account: control value with long-form lengths
LONG_FORM = bytes.fromhex("308400000003810101")


def answer(message_id=1, code=49, message=b"", controls=b"", operation=0x61) -> bytes:
    result = ber.encode(
        operation, ber.encode_integer(code, 0x0A), ber.encode(4), ber.encode(4, message)
    )
    return ber.encode(0x30, ber.encode_integer(message_id), result, controls)


def control(oid: bytes, value: bytes) -> bytes:
    return ber.encode(0x30, ber.encode(4, oid), ber.encode(4, value))


@given(
    st.integers(1, ldap.MAX_MESSAGE_ID),
    st.text(min_size=1, max_size=300).filter(str.strip),
    st.binary(min_size=1, max_size=1024),
)
def test_a_bind_is_what_the_library_reads(message_id, dn, password):
    with contextlib.suppress(UnicodeEncodeError):
        octets = ldap.bind_request(message_id, dn, password)
        message, rest = decoder.decode(octets, asn1Spec=LDAPMessage())
        assert rest == b""
        assert int(message["messageID"]) == message_id
        bind = message["protocolOp"]["bindRequest"]
        assert bytes(bind["name"]) == dn.encode()
        assert bytes(bind["authentication"]["simple"]) == password
        assert [str(c["controlType"]) for c in message["controls"]] == [ldap.PPOLICY]


@pytest.mark.parametrize(("dn", "password"), [("", b"x"), ("  ", b"x"), ("uid=a", b"")])
def test_a_bind_as_nobody_cannot_be_made(dn, password):
    """I5: an empty name or password would succeed as anonymous."""
    with pytest.raises(ValueError):
        ldap.bind_request(1, dn, password)


def test_unbind_and_start_tls_are_what_the_library_reads():
    message, _ = decoder.decode(ldap.start_tls_request(7), asn1Spec=LDAPMessage())
    assert str(message["protocolOp"]["extendedReq"]["requestName"]) == ldap.START_TLS
    message, _ = decoder.decode(ldap.unbind_request(8), asn1Spec=LDAPMessage())
    assert message["protocolOp"].getName() == "unbindRequest"


@given(st.integers(0, 127), st.text(max_size=400), st.integers(1, 50))
def test_an_answer_comes_out_whole_however_it_is_cut(code, text, piece):
    octets = answer(
        code=code,
        message=text.encode(errors="replace"),
        controls=ber.encode(0xA0, control(ldap.PPOLICY.encode(), LONG_FORM)),
    )
    inbox, found = ldap.Inbox(), []
    for at in range(0, len(octets), piece):
        found += inbox.feed(octets[at : at + piece])
    assert len(found) == 1
    assert inbox.is_empty
    assert found[0].code == code
    assert found[0].message == text.encode(errors="replace").decode()
    assert found[0].controls == {ldap.PPOLICY: LONG_FORM}


def test_two_answers_in_one_piece_are_two():
    found = ldap.Inbox().feed(answer(1, 0) + answer(2, 49))
    assert [(r.message_id, r.code) for r in found] == [(1, 0), (2, 49)]


def test_long_form_lengths_are_read():
    inner = bytes.fromhex("0201016184000000070a010004000400")
    found = ldap.Inbox().feed(bytes((0x30, 0x84, 0, 0, 0, len(inner))) + inner)
    assert found[0].code == 0


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        bytes.fromhex("3080"),  # indefinite
        bytes.fromhex("3085ffffffffff"),  # a length of five octets
        bytes.fromhex("3084ffffffff"),  # 4 GiB announced
        bytes.fromhex("30050201014200"),  # an unbind is no response
        bytes.fromhex("3003020101"),  # no operation
        bytes.fromhex("300c02010161070a010004000401"),  # an element longer than its frame
        answer(controls=ber.encode(0xA0, control(b"1.2", b""), control(b"1.2", b"x"))),
    ],
)
def test_anything_else_is_a_protocol_error(octets):
    with pytest.raises(ProtocolError) as raised:
        ldap.Inbox().feed(octets)
    assert "HTTP" not in str(raised.value)


@pytest.mark.fuzz
@given(st.binary(max_size=200))
def test_octets_nobody_planned(octets):
    with contextlib.suppress(ProtocolError):
        ldap.Inbox().feed(b"\x30" + octets)


@pytest.mark.fuzz
@given(st.integers(0, 200), st.integers(0, 255))
def test_an_answer_with_one_octet_changed(at, octet):
    octets = bytearray(answer(controls=ber.encode(0xA0, control(b"1.2.3", LONG_FORM))))
    octets[at % len(octets)] = octet
    with contextlib.suppress(ProtocolError):
        ldap.Inbox().feed(bytes(octets))
