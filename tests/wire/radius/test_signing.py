"""What the shared secret did not sign is dropped; what it did sign is believed."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ConfigError, ProtocolError
from loginward.wire.radius.attributes import attribute, integer
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.signing import (
    NotAuthenticError,
    SharedSecret,
    UnsignedError,
    check_reply,
    check_request,
    seal_reply,
    seal_request,
    sign_reply,
    sign_request,
)
from tests.wire.radius.stage import AUTHENTICATOR, LOGIN, OCTETS, SECRET, request, unsigned

EAP = attribute(79, b"\x02\x01\x00\x05\x01")
PROXY = attribute(33, b"proxy")
HASHED = [Code.ACCOUNTING_REQUEST, Code.DISCONNECT_REQUEST, Code.COA_REQUEST]
ANSWERS = [
    (Code.ACCOUNTING_REQUEST, Code.ACCOUNTING_RESPONSE),
    (Code.DISCONNECT_REQUEST, Code.DISCONNECT_ACK),
    (Code.DISCONNECT_REQUEST, Code.DISCONNECT_NAK),
    (Code.COA_REQUEST, Code.COA_ACK),
    (Code.COA_REQUEST, Code.COA_NAK),
]
VECTORS = SharedSecret(b"xyzzy5461")


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


# RFC 2865 section 7.1
PAP = octets(
    "01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee"
    "0406c0a80110 050600000003"
)
PAP_ACCEPT = octets(
    "02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103"
)
# RFC 2865 section 7.2
CHAP = octets(
    "01010047 2aee86f08d0d55969ca5978e0d3367a2 0108666c6f707379"
    "031316e97557c316185895f293ff6344077275 0406c0a80110 050600000014 060600000002 070600000001"
)
CHAP_ACCEPT = octets(
    "02010038 15efbc7dab26cfa3dc34d9c03c8601a4 060600000002 070600000001 0806fffffffe"
    "0a0600000002 0d0600000001 0c06000005dc"
)
# RFC 5997 sections 6.1 and 6.2
STATUS = octets("0cda0026 8a54f4686fb394c52866e302185d0623 50125a665e2e1e8411f3e243822097c84fa3")
STATUS_ACCEPT = octets("02da0014 ef0d552a4bf2d693ec2b6fe8b5411d66")
STATUS_ACCT = octets(
    "0cb30026 925f6b66dd5fed571fcb1db7ad388260 5012e8d6eabda910875cd91fdade26367858"
)
STATUS_ACCT_RESPONSE = octets("05b30014 0f6f92145f107e2f504e860a4860669c")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        pytest.param(PAP, PAP_ACCEPT, id="rfc2865-7.1"),
        pytest.param(CHAP, CHAP_ACCEPT, id="rfc2865-7.2"),
        pytest.param(STATUS, STATUS_ACCEPT, id="rfc5997-6.1"),
        pytest.param(STATUS_ACCT, STATUS_ACCT_RESPONSE, id="rfc5997-6.2"),
    ],
)
def test_the_replies_of_the_rfcs_with_each_octet_flipped(asked: bytes, answered: bytes) -> None:
    asking = decode(asked)
    check_reply(decode(answered), asking, VECTORS, demand=False)

    assert seal_reply(decode(answered).code, asking, answered[20:], VECTORS) == answered
    for at in range(len(answered)):
        with pytest.raises(ProtocolError):
            check_reply(decode(flipped(answered, at)), asking, VECTORS, demand=False)


@pytest.mark.parametrize("vector", [STATUS, STATUS_ACCT], ids=["rfc5997-6.1", "rfc5997-6.2"])
def test_the_requests_of_rfc_5997_with_each_octet_flipped(vector: bytes) -> None:
    check_request(decode(vector), VECTORS)

    assert sign_request(Code.STATUS_SERVER, vector[1], vector[4:20], b"", VECTORS) == vector
    for at in range(len(vector)):
        with pytest.raises(ProtocolError):
            check_request(decode(flipped(vector, at)), VECTORS)


def flipped(packet: bytes, at: int) -> bytes:
    return packet[:at] + bytes((packet[at] ^ 0x10,)) + packet[at + 1 :]


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=300))
def test_the_keyed_contexts_are_hmac_and_md5(key: bytes, text: bytes) -> None:
    secret = SharedSecret(key)

    assert secret.hmac(text) == hmac.new(key, text, "md5").digest()
    assert secret.hmac(text) == hmac.new(key, text, "md5").digest(), "a context was used up"
    assert secret.digest_before(text) == hashlib.md5(key + text).digest()
    assert secret.digest_after(text) == hashlib.md5(text + key).digest()


def test_a_secret_is_not_empty_and_shows_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        SharedSecret(b"")
    assert OCTETS.decode() not in repr(SECRET)


def test_a_machine_that_refuses_md5_says_so_when_the_secret_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(octets: bytes, *, usedforsecurity: bool) -> None:
        assert not usedforsecurity
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(hashlib, "md5", refuse)
    with pytest.raises(ConfigError, match="FIPS"):
        SharedSecret(b"secret")


def test_an_access_request_is_believed_by_its_message_authenticator() -> None:
    check_request(decode(request()), SECRET)
    with pytest.raises(NotAuthenticError):
        check_request(decode(request()), SharedSecret(b"another secret of length"))


def test_it_is_found_wherever_it_stands() -> None:
    blank = LOGIN + b"\x50\x12" + bytes(16) + PROXY
    value = SECRET.hmac(unsigned(blank))

    check_request(decode(unsigned(LOGIN + b"\x50\x12" + value + PROXY)), SECRET)


def test_padding_is_not_signed() -> None:
    check_request(decode(request() + b"\xff" * 8), SECRET)


@pytest.mark.parametrize("demand", [True, False])
def test_a_wrong_message_authenticator_is_refused_demanded_or_not(demand: bool) -> None:
    signed = request()
    for at in range(22, 38):
        with pytest.raises(NotAuthenticError):
            check_request(decode(flipped(signed, at)), SECRET, demand=demand)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        pytest.param(LOGIN + EAP, Code.ACCESS_REQUEST, id="rfc3579-eap"),
        pytest.param(LOGIN + PROXY, Code.ACCESS_REQUEST, id="cve-2024-3596-proxy-state"),
        pytest.param(b"", Code.STATUS_SERVER, id="rfc5997-status-server"),
    ],
)
def test_without_a_message_authenticator_these_are_refused_whatever_the_client_may(
    attributes: bytes, code: Code
) -> None:
    for demand in (True, False):
        with pytest.raises(UnsignedError):
            check_request(decode(unsigned(attributes, code)), SECRET, demand=demand)


def test_a_client_may_be_let_off_for_a_plain_request() -> None:
    with pytest.raises(UnsignedError):
        check_request(decode(unsigned()), SECRET)
    check_request(decode(unsigned()), SECRET, demand=False)


@pytest.mark.parametrize("code", HASHED)
@pytest.mark.parametrize("sign", [True, False])
def test_requests_whose_authenticator_is_made_of_them(code: Code, sign: bool) -> None:
    """RFC 2866 section 3, RFC 5176 section 2.3."""
    sealed = seal_request(code, 9, integer(40, 1) + attribute(44, b"s"), SECRET, sign=sign)
    check_request(decode(sealed), SECRET)

    assert sealed[4:20] == hashlib.md5(sealed[:4] + bytes(16) + sealed[20:] + OCTETS).digest()
    for at in range(len(sealed)):
        with pytest.raises(ProtocolError):
            check_request(decode(flipped(sealed, at)), SECRET)


@pytest.mark.parametrize("code", HASHED)
def test_their_message_authenticator_is_over_zeros(code: Code) -> None:
    """RFC 5176 section 3.4: even where the authenticator is right."""
    sealed = seal_request(code, 9, integer(40, 1), SECRET)
    blank = sealed[:4] + bytes(16) + sealed[20:22] + bytes(16) + sealed[38:]
    assert sealed[20:22] == b"\x50\x12"
    assert sealed[22:38] == hmac.new(OCTETS, blank, "md5").digest()

    wrong = flipped(sealed, 30)
    resealed = hashlib.md5(wrong[:4] + bytes(16) + wrong[20:] + OCTETS).digest()
    with pytest.raises(NotAuthenticError):
        check_request(decode(wrong[:4] + resealed + wrong[20:]), SECRET)


@pytest.mark.parametrize(
    "code", [c for c in Code if c not in {*HASHED, Code.ACCESS_REQUEST, Code.STATUS_SERVER}]
)
def test_a_reply_is_no_request(code: Code) -> None:
    with pytest.raises(ProtocolError):
        check_request(decode(request(code=code)), SECRET)


def test_a_reply_carries_its_message_authenticator_first() -> None:
    """CVE-2024-3596: nothing that a client reads comes before it."""
    asking = decode(request())
    signed = sign_reply(Code.ACCESS_REJECT, asking, attribute(18, b"no"), SECRET)

    assert signed[20:22] == b"\x50\x12"
    check_reply(decode(signed), asking, SECRET)
    for at in range(len(signed)):
        with pytest.raises(ProtocolError):
            check_reply(decode(flipped(signed, at)), asking, SECRET)


def test_a_reply_without_one_is_refused_where_it_is_demanded() -> None:
    asking = decode(request())
    sealed = decode(seal_reply(Code.ACCESS_ACCEPT, asking, b"", SECRET))

    with pytest.raises(UnsignedError):
        check_reply(sealed, asking, SECRET)
    check_reply(sealed, asking, SECRET, demand=False)


def test_a_wrong_message_authenticator_in_a_sealed_reply_is_seen() -> None:
    asking = decode(request())
    sealed = seal_reply(Code.ACCESS_ACCEPT, asking, b"\x50\x12" + bytes(16), SECRET)
    with pytest.raises(NotAuthenticError):
        check_reply(decode(sealed), asking, SECRET, demand=False)


@pytest.mark.parametrize(("asked", "answered"), ANSWERS)
def test_replies_to_sealed_requests(asked: Code, answered: Code) -> None:
    """RFC 5176 section 3.4: a reply's Message-Authenticator is over the request's authenticator."""
    asking = decode(seal_request(asked, 3, integer(40, 2), SECRET))
    check_reply(decode(seal_reply(answered, asking, integer(101, 503), SECRET)), asking, SECRET)
    if answered is not Code.ACCOUNTING_RESPONSE:
        check_reply(decode(sign_reply(answered, asking, b"", SECRET)), asking, SECRET)
    other = decode(seal_request(asked, 3, integer(40, 1), SECRET))
    with pytest.raises(NotAuthenticError):
        check_reply(decode(seal_reply(answered, other, b"", SECRET)), asking, SECRET)


@pytest.mark.parametrize("code", list(Code))
def test_a_reply_answers_what_was_asked(code: Code) -> None:
    asking = decode(request())
    reply = decode(sign_reply(code, asking, b"", SECRET))
    if code in {Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE}:
        check_reply(reply, asking, SECRET)
        return
    with pytest.raises(ProtocolError):
        check_reply(reply, asking, SECRET)


def test_a_reply_to_another_identifier_is_none() -> None:
    asking = decode(request())
    other = Packet(asking.code, 8, AUTHENTICATOR, asking.attributes, asking.raw)
    with pytest.raises(ProtocolError):
        check_reply(decode(sign_reply(Code.ACCESS_ACCEPT, other, b"", SECRET)), asking, SECRET)


def test_a_reply_to_a_reply_is_none() -> None:
    asking = decode(request(code=Code.ACCESS_ACCEPT))
    with pytest.raises(ProtocolError):
        check_reply(decode(sign_reply(Code.ACCESS_ACCEPT, asking, b"", SECRET)), asking, SECRET)


def test_nothing_longer_than_a_packet_is_sent() -> None:
    asking = decode(request())
    for room, send in (
        (4058, lambda a: sign_reply(Code.ACCESS_ACCEPT, asking, a, SECRET)),
        (4076, lambda a: seal_reply(Code.ACCOUNTING_RESPONSE, asking, a, SECRET)),
        (4058, request),
        (4058, lambda a: seal_request(Code.COA_REQUEST, 1, a, SECRET)),
    ):
        assert len(send(bytes(room))) == 4096
        with pytest.raises(ProtocolError):
            send(bytes(room + 1))
