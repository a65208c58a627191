"""Attributes inside an EAP-TTLS tunnel (RFC 5281 section 10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.secret import Secret
from loginward.errors import ProtocolError
from loginward.wire.eap import ttls
from loginward.wire.eap.ttls import Avp, InnerEap, MsChap, Pap
from loginward.wire.radius.mschap import MsAttribute, response_value
from tests.wire.mschap.example import CHALLENGE, RESPONSE

USER = Avp(1, b"ann")
PASSWORD = Avp(2, b"pa ss".ljust(16, b"\0"))
MS_USER = Avp(1, RESPONSE.user)
MS_CHALLENGE = Avp(11, CHALLENGE, vendor=311)
MS_RESPONSE = Avp(25, response_value(7, RESPONSE), vendor=311)
avps = st.lists(
    st.builds(Avp, st.integers(0, 2**32 - 1), st.binary(max_size=60),
              st.integers(1, 2**32 - 1) | st.just(0), st.booleans()),
    max_size=8,
)  # fmt: skip


@given(avps)
def test_what_is_sent_is_read(sent: list[Avp]) -> None:
    octets = ttls.render(*sent)
    assert len(octets) % 4 == 0
    assert ttls.parse(octets) == tuple(sent)


def test_the_octets_are_those_of_the_rfc() -> None:
    assert ttls.render(USER) == bytes.fromhex("00000001 40 00000b") + b"ann\0"
    vendors = Avp(25, b"x", vendor=311, is_mandatory=False)
    assert ttls.render(vendors) == bytes.fromhex("00000019 80 00000d 00000137") + b"x\0\0\0"
    assert ttls.eap_message(b"abcd") == bytes.fromhex("0000004f 40 00000c") + b"abcd"


@pytest.mark.parametrize(
    ("sent", "password"),
    [
        pytest.param(b"pa ss".ljust(16, b"\0"), b"pa ss", id="padded"),
        pytest.param(b"\xff\xfe \0\0", b"\xff\xfe ", id="no-utf-8-and-a-blank"),
        pytest.param(bytes(16), b"", id="empty"),
        pytest.param(b"a\0b\0", b"a\0b", id="nul-inside-stays-for-the-law"),
    ],
)
def test_a_password_is_what_was_typed(sent: bytes, password: bytes) -> None:
    assert ttls.read(ttls.render(USER, Avp(2, sent))) == Pap(b"ann", Secret(password))


def test_eap_is_put_together_and_may_have_a_name_beside_it() -> None:
    both = ttls.render(Avp(79, b"\x02\x01\x00\x08"), Avp(79, b"\x01ann"))
    assert ttls.read(both) == InnerEap(b"\x02\x01\x00\x08\x01ann")
    assert ttls.read(ttls.render(USER, Avp(79, b"x"))) == InnerEap(b"x", b"ann")


def test_ms_chapv2_is_read_and_answered() -> None:
    """RFC 5281 section 11.2.4."""
    assert ttls.read(ttls.render(MS_USER, MS_CHALLENGE, MS_RESPONSE)) == MsChap(
        b"User", 7, RESPONSE
    )
    told = ttls.told(MsAttribute.CHAP2_SUCCESS, 7, b"S=")
    assert told == bytes.fromhex("0000001a c0 00000f 00000137 07") + b"S=\0"


def test_padding_of_the_last_may_be_left_out() -> None:
    assert ttls.parse(ttls.render(USER)[:-1]) == (USER,)


def test_what_is_unknown_is_passed_over_only_if_it_may_be() -> None:
    optional = Avp(31, b"02-00-00-00-00-01", is_mandatory=False)
    assert ttls.read(ttls.render(optional, USER, PASSWORD)) == Pap(b"ann", Secret(b"pa ss"))
    for unknown in (Avp(31, b"x"), Avp(1, b"x", vendor=311), Avp(3, bytes(17))):
        with pytest.raises(ProtocolError, match="mandatory"):
            ttls.read(ttls.render(USER, PASSWORD, unknown))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([], id="nothing"),
        pytest.param([USER], id="no-password"),
        pytest.param([PASSWORD], id="no-name"),
        pytest.param([USER, USER, PASSWORD], id="two-names"),
        pytest.param([USER, PASSWORD, PASSWORD], id="two-passwords"),
        pytest.param([USER, PASSWORD, Avp(79, b"x")], id="a-password-and-eap"),
        pytest.param([PASSWORD, Avp(79, b"x")], id="a-nameless-password-and-eap"),
        pytest.param([MS_USER, MS_RESPONSE], id="a-response-to-no-challenge"),
        pytest.param([MS_CHALLENGE, MS_RESPONSE], id="a-nameless-response"),
        pytest.param(
            [MS_USER, MS_CHALLENGE, MS_RESPONSE, PASSWORD], id="a-response-and-a-password"
        ),
        pytest.param([MS_USER, MS_CHALLENGE, MS_RESPONSE, Avp(79, b"x")], id="a-response-and-eap"),
        pytest.param([MS_USER, MS_CHALLENGE, MS_RESPONSE, MS_RESPONSE], id="two-responses"),
        pytest.param([MS_USER, MS_CHALLENGE], id="a-challenge-alone"),
        pytest.param([Avp(4000, b"", is_mandatory=False)] * 33, id="too-many"),
    ],
)
def test_a_proof_is_one_and_whole(sent: list[Avp]) -> None:
    with pytest.raises(ProtocolError):
        ttls.read(ttls.render(*sent))


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(bytes.fromhex("00000001400000"), id="no-head"),
        pytest.param(bytes.fromhex("0000000140000007"), id="shorter-than-its-head"),
        pytest.param(bytes.fromhex("000000018000000b00000137"), id="shorter-than-its-vendor"),
        pytest.param(bytes.fromhex("000000014000000961"[:-2]), id="value-is-missing"),
        pytest.param(bytes.fromhex("000000016000000961000000"), id="reserved-flag"),
        pytest.param(bytes.fromhex("000000014000000961000001"), id="padding-that-says-something"),
    ],
)
def test_malformed_attributes_are_refused(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        ttls.parse(octets)


def test_no_repr_shows_a_password() -> None:
    read = ttls.read(ttls.render(USER, Avp(2, b"hunter2")))
    assert "hunter2" not in repr(read) + repr(ttls.parse(ttls.render(Avp(2, b"hunter2"))))


@pytest.mark.fuzz
@given(st.binary(max_size=120))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    try:
        found = ttls.parse(octets)
    except ProtocolError:
        return
    assert ttls.parse(ttls.render(*found)) == found
    try:
        ttls.read(octets)
    except ProtocolError:
        return
