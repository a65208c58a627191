"""Requests as RFC 4511 and pyasn1 write them, answers read strictly."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol import rfc4511
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error

from loginward.errors import ProtocolError
from loginward.wire.ldap import (
    BindResponse,
    Control,
    ExtendedResponse,
    Message,
    Result,
    bind_request,
    parse,
    password_modify_request,
    start_tls_request,
    unbind_request,
)
from loginward.wire.ldap.ber import element, integer

OK = b"\x0a\x01\x00\x04\x00\x04\x00"
DN = "uid=active,ou=people,dc=ex,dc=org"
ids = st.integers(0, 2**31 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def answer(operation: bytes, controls: bytes = b"", message_id: int = 1) -> bytes:
    return element(0x30, integer(message_id) + operation + controls)


# Requests


def test_a_bind_by_hand() -> None:
    """RFC 4511 section 4.2: version 3, the DN, [0] the password."""
    assert bind_request(1, "cn=a", b"pw").hex(" ") == (
        "30 12 02 01 01 60 0d 02 01 03 04 04 63 6e 3d 61 80 02 70 77"
    )


@given(ids, texts.filter(str.strip), st.binary(min_size=1, max_size=1024))
def test_a_bind_is_what_pyasn1_reads(message_id: int, dn: str, password: bytes) -> None:
    octets = bind_request(message_id, dn, password, (Control("1.2.3", critical=True, value=b"v"),))

    message, rest = decoder.decode(octets, asn1Spec=rfc4511.LDAPMessage())
    request = message["protocolOp"]["bindRequest"]
    assert rest == b""
    assert int(message["messageID"]) == message_id
    assert int(request["version"]) == 3
    assert bytes(request["name"]) == dn.encode()
    assert bytes(request["authentication"]["simple"]) == password
    assert [bytes(c["controlValue"]) for c in message["controls"]] == [b"v"]
    assert bool(message["controls"][0]["criticality"])
    assert b"\x01\x01\xff" in octets  # RFC 4511 section 5.1: TRUE is FF


@pytest.mark.parametrize(("dn", "password"), [("", b"x"), ("  ", b"x"), ("cn=a", b"")])
def test_an_anonymous_bind_is_never_written(dn: str, password: bytes) -> None:
    with pytest.raises(ValueError, match="must not be sent"):
        bind_request(1, dn, password)


def test_the_polite_end() -> None:
    assert unbind_request(3).hex(" ") == "30 05 02 01 03 42 00"


def test_start_tls_is_an_extended_request_without_a_value() -> None:
    message, _ = decoder.decode(start_tls_request(2), asn1Spec=rfc4511.LDAPMessage())

    request = message["protocolOp"]["extendedReq"]
    assert bytes(request["requestName"]) == b"1.3.6.1.4.1.1466.20037"
    assert not request["requestValue"].hasValue()


def test_a_password_modify_names_nobody() -> None:
    """RFC 3062: without userIdentity it is about whoever is bound."""
    octets = password_modify_request(2, b"old", b"new", (Control("1.2"),))
    message, _ = decoder.decode(octets, asn1Spec=rfc4511.LDAPMessage())

    request = message["protocolOp"]["extendedReq"]
    assert bytes(request["requestName"]) == b"1.3.6.1.4.1.4203.1.11.1"
    assert bytes(request["requestValue"]).hex(" ") == "30 0a 81 03 6f 6c 64 82 03 6e 65 77"
    assert not message["controls"][0]["controlValue"].hasValue()


# Answers


def test_a_bind_response_with_everything() -> None:
    operation = element(
        0x61,
        b"\x0a\x01\x0a\x04\x04dc=x\x04\x03why"
        + element(0xA3, b"\x04\x08ldap://a\x04\x08ldap://b")
        + b"\x87\x01s\x99\x00",
    )
    controls = element(0xA0, element(0x30, b"\x04\x031.2\x01\x01\xff\x04\x01v\x05\x00"))

    assert parse(answer(operation, controls + b"\x99\x00")) == Message(
        1,
        BindResponse(
            Result(code=10, matched_dn="dc=x", diagnostic="why", referrals=("ldap://a", "ldap://b"))
        ),
        (Control("1.2", critical=True, value=b"v"),),
    )


def test_a_notice_of_disconnection() -> None:
    """RFC 4511 section 4.4.1: message id 0, the name says what it is."""
    operation = element(
        0x78, b"\x0a\x01\x34\x04\x00\x04\x00" + element(0x8A, b"1.3") + b"\x8b\x01v"
    )

    assert parse(answer(operation, message_id=0)) == Message(
        0, ExtendedResponse(Result(code=52), "1.3", b"v")
    )


def test_an_extended_response_with_nothing_more() -> None:
    assert parse(answer(element(0x78, OK))).operation == ExtendedResponse(Result(code=0))


def test_a_control_is_found_by_name() -> None:
    once, twice = Control("1.2", value=b"a"), Control("1.2", value=b"b")
    response = BindResponse(Result(code=0))

    assert Message(1, response, (once,)).control("1.2") == once
    assert Message(1, response, (once,)).control("1.3") is None
    with pytest.raises(ProtocolError):
        Message(1, response, (once, twice)).control("1.2")


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(answer(element(0x65, OK)), id="another-operation"),
        pytest.param(answer(element(0x61, OK)) + b"\0", id="spare-octet"),
        pytest.param(element(0x31, b""), id="no-sequence"),
        pytest.param(element(0x30, b"\x02\x01\xff" + element(0x61, OK)), id="negative-id"),
        pytest.param(answer(element(0x61, b"\x0a\x01\xff\x04\x00\x04\x00")), id="negative-code"),
        pytest.param(answer(element(0x61, b"\x0a\x01\x00\x04\x00")), id="no-diagnostic"),
        pytest.param(answer(element(0x61, OK + b"\xa3\x02\x02\x00")), id="referral-of-numbers"),
        pytest.param(answer(element(0x61, OK), b"\xa0\x02\x04\x00"), id="control-no-sequence"),
        pytest.param(answer(element(0x61, OK), b"\xa0\x02\x30\x00"), id="control-no-name"),
        pytest.param(
            answer(element(0x61, OK), element(0xA0, element(0x30, b"\x04\x011") * 33)),
            id="too-many-controls",
        ),
        pytest.param(
            answer(element(0x61, OK), element(0xA0, element(0x30, b"\x04\x011\x01\x00"))),
            id="criticality-of-no-octet",
        ),
    ],
)
def test_malformed_answers(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse(octets)


def ldap3_answer(code: int, diagnostic: str, value: bytes) -> bytes:
    """Return a BindResponse as pyasn1 writes it."""
    message = rfc4511.LDAPMessage()
    message["messageID"] = 7
    response = rfc4511.BindResponse()
    response["resultCode"] = code
    response["matchedDN"] = ""
    response["diagnosticMessage"] = diagnostic
    message["protocolOp"] = rfc4511.ProtocolOp().setComponentByName("bindResponse", response)
    control = rfc4511.Control()
    control["controlType"] = "1.3.6.1.4.1.42.2.27.8.5.1"
    control["criticality"] = False
    control["controlValue"] = value
    controls = rfc4511.Controls()
    controls.setComponentByPosition(0, control)
    message["controls"] = controls
    return encoder.encode(message)


@given(st.sampled_from([0, 1, 19, 32, 49, 51, 52, 53, 80]), texts, st.binary(max_size=300))
def test_answers_of_pyasn1_are_read(code: int, diagnostic: str, value: bytes) -> None:
    message = parse(ldap3_answer(code, diagnostic, value))

    assert message.message_id == 7
    assert message.operation == BindResponse(Result(code=code, diagnostic=diagnostic))
    assert message.controls[0].value == value


@pytest.mark.fuzz
@given(st.binary(max_size=120))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        parse(octets)


@pytest.mark.fuzz
@given(st.data())
def test_what_is_accepted_pyasn1_reads_alike(data) -> None:
    """A flipped octet is refused, or both decoders agree on what it says."""
    octets = bytearray(ldap3_answer(49, "no", b"\x30\x03\x81\x01\x01"))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] = data.draw(st.integers(0, 255))
    try:
        ours = parse(bytes(octets))
    except ProtocolError:
        return
    try:
        theirs, _ = decoder.decode(bytes(octets), asn1Spec=rfc4511.LDAPMessage())
    except (PyAsn1Error, UnicodeDecodeError):  # its text types and enumerations are narrower
        theirs = None
    if theirs is not None:
        assert ours.message_id == int(theirs["messageID"])
        assert ours.operation.result.code == int(theirs["protocolOp"].getComponent()["resultCode"])


def test_every_flipped_octet_is_read_or_refused() -> None:
    octets = ldap3_answer(49, "no", b"\x30\x03\x81\x01\x01")
    for at in range(len(octets)):
        for value in range(256):
            flipped = octets[:at] + bytes([value]) + octets[at + 1 :]
            try:
                parse(flipped)
            except ProtocolError:
                continue
