"""What peers send that they should not: dropped, refused or let be, each as the RFCs have it.

The invariant: whatever is sent, signed by the right secret or not, ends in a value or in a
ProtocolError, and nobody is let in by octets that are not the password.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.secret import Secret
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import Attribute, attribute, eap_message
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.password import hide
from tests.wire.radius.stage import (
    AUTHENTICATOR,
    HIDDEN,
    LOGIN,
    NAME,
    NAS,
    PASSWORD,
    SECRET,
    hidden,
    judged,
    request,
    unsigned,
)

CHAP = attribute(Attribute.CHAP_PASSWORD, bytes(17))
STATE = attribute(Attribute.STATE, b"state")
PROXY = attribute(Attribute.PROXY_STATE, b"proxy")
IDENTITY = eap_message(b"\x02\x01\x00\x0a\x01alice")
WITH_MA = b"\x50\x12" + bytes(16)
SIGNED = request()


def password(size: int) -> bytes:
    return attribute(Attribute.USER_PASSWORD, bytes(size))


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        pytest.param(SIGNED, "accept", id="right-password"),
        pytest.param(request(NAME + hidden(b"wrong horse")), "reject", id="wrong-password"),
        pytest.param(unsigned(), "drop", id="no-message-authenticator"),
        pytest.param(unsigned(WITH_MA + LOGIN), "drop", id="bad-message-authenticator"),
        pytest.param(request(LOGIN + b"\x50\x06" + bytes(4)), "drop", id="two-one-of-4-octets"),
        pytest.param(unsigned(LOGIN + b"\x50\x06" + bytes(4)), "drop", id="one-of-4-octets"),
        pytest.param(request(LOGIN + WITH_MA), "drop", id="two-message-authenticators"),
        pytest.param(request(LOGIN + b"\x0b\x20cut"), "drop", id="last-attribute-overruns"),
        pytest.param(request(LOGIN + b"\x00\x05abc"), "drop", id="attribute-type-0"),
        pytest.param(request(LOGIN + b"\x0b\x00"), "drop", id="attribute-length-0"),
        pytest.param(request(LOGIN + b"\x0b\x01"), "drop", id="attribute-length-1"),
        pytest.param(request(LOGIN + b"\x0b"), "drop", id="one-octet-left-over"),
        pytest.param(
            unsigned(LOGIN + PROXY * 710, length=5000)[:5000], "drop", id="length-above-4096"
        ),
        pytest.param(unsigned(length=19), "drop", id="length-below-20"),
        pytest.param(SIGNED[:-1], "drop", id="shorter-than-its-length"),
        pytest.param(SIGNED[:19], "drop", id="shorter-than-a-header"),
        pytest.param(b"", "drop", id="nothing"),
        pytest.param(bytes((99,)) + SIGNED[1:], "drop", id="unknown-code"),
        pytest.param(request(code=Code.ACCESS_ACCEPT), "drop", id="a-reply"),
        pytest.param(request(LOGIN + IDENTITY), "drop", id="eap-beside-a-password"),
        pytest.param(request(NAME + CHAP + IDENTITY), "drop", id="eap-beside-chap"),
        pytest.param(request(NAME + IDENTITY + PROXY + IDENTITY), "drop", id="eap-in-two-pieces"),
        pytest.param(request(NAME + IDENTITY), "eap", id="eap"),
        pytest.param(
            request(NAME + hidden(b"correct \xff\xfehorse")), "reject", id="octets-that-are-no-utf8"
        ),
        pytest.param(request(NAME + password(15)), "reject", id="password-of-15-octets"),
        pytest.param(request(NAME + password(144)), "reject", id="password-of-144-octets"),
        pytest.param(request(NAME + hidden(b"")), "reject", id="empty-password"),
        pytest.param(request(NAME + b"\x02\x02"), "reject", id="password-without-a-value"),
        pytest.param(
            request(NAME + hidden(b"correct horse\0 battery")), "reject", id="nul-in-the-password"
        ),
        pytest.param(request(LOGIN + CHAP), "reject", id="pap-and-chap"),
        pytest.param(request(NAME + CHAP), "reject", id="chap-alone"),
        pytest.param(request(NAME + NAS), "reject", id="no-proof-at-all"),
        pytest.param(request(LOGIN + NAME), "drop", id="two-names"),
        pytest.param(request(LOGIN + HIDDEN), "drop", id="two-passwords"),
        pytest.param(request(LOGIN + STATE + STATE), "drop", id="two-states"),
        pytest.param(request(b"", Code.STATUS_SERVER), "alive", id="status-server"),
        pytest.param(request(LOGIN, Code.STATUS_SERVER), "alive", id="status-server-with-a-name"),
        pytest.param(unsigned(b"", Code.STATUS_SERVER), "drop", id="status-server-unsigned"),
        pytest.param(SIGNED + bytes(9), "accept", id="trailing-padding"),
        pytest.param(request(PROXY + LOGIN + PROXY), "accept", id="two-proxy-states"),
        pytest.param(request(LOGIN + b"\x19\x03c" * 95), "accept", id="a-hundred-attributes"),
        pytest.param(request(LOGIN + b"\x19\x03c" * 200), "drop", id="too-many-attributes"),
        pytest.param(request(LOGIN + attribute(26, b"\x01")), "accept", id="a-vendors-garbage"),
    ],
)
def test_a_malformed_packet_is_dropped_refused_or_let_be(datagram: bytes, expected: str) -> None:
    assert judged(datagram) == expected


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        pytest.param(unsigned(), "accept", id="unsigned"),
        pytest.param(unsigned(LOGIN + PROXY), "drop", id="unsigned-through-a-proxy"),
        pytest.param(unsigned(NAME + IDENTITY), "drop", id="unsigned-eap"),
        pytest.param(unsigned(WITH_MA + LOGIN), "drop", id="wrongly-signed"),
        pytest.param(request(LOGIN + PROXY), "accept", id="signed-through-a-proxy"),
    ],
)
def test_a_client_that_may_leave_the_message_authenticator_out(
    datagram: bytes, expected: str
) -> None:
    assert judged(datagram, demand=False) == expected


def test_the_same_datagram_gets_the_same_octets() -> None:
    """RFC 5080 section 2.2.2: a retransmission may be answered from what was kept."""
    answers = {replies.reject(decode(SIGNED), SECRET, message="no") for _ in range(3)}

    assert len(answers) == 1


@given(st.data())
def test_mutated_and_signed_again_nothing_but_the_password_is_let_in(data: st.DataObject) -> None:
    attributes = bytearray(NAME + HIDDEN + data.draw(st.sampled_from([b"", NAS, PROXY, IDENTITY])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(attributes) - 1))
        match data.draw(st.sampled_from(["set", "delete", "insert", "double"])):
            case "set":
                attributes[at] = data.draw(st.integers(0, 255))
            case "delete" if len(attributes) > 1:
                del attributes[at]
            case "insert":
                attributes.insert(at, data.draw(st.integers(0, 255)))
            case _:
                attributes[at:at] = attributes[at : at + data.draw(st.integers(1, 40))]
    datagram = request(bytes(attributes))

    if judged(datagram) == "accept":
        packet = decode(datagram)
        assert packet.all(Attribute.USER_PASSWORD) == [HIDDEN[2:]]
        assert packet.all(Attribute.USER_NAME) == [b"alice"]
        assert not packet.holds(Attribute.EAP_MESSAGE)
        assert not packet.holds(Attribute.CHAP_PASSWORD)


def test_a_fixed_slice_of_what_the_fuzzer_tries() -> None:
    """The same 20,000 packets in every run, each signed again after one to eight changes."""
    dice = random.Random(2865)
    for _ in range(20_000):
        octets = bytearray(LOGIN + dice.choice((b"", PROXY, STATE, IDENTITY, CHAP)))
        for _ in range(dice.randint(1, 8)):
            octets[dice.randrange(len(octets))] = dice.choice((0, 1, 2, 3, 18, 79, 80, 255))
        assert judged(request(bytes(octets))) != "accept" or HIDDEN in octets


@given(st.data())
def test_mutated_and_not_signed_again_everything_is_dropped(data: st.DataObject) -> None:
    datagram = bytearray(SIGNED)
    at = data.draw(st.integers(0, len(datagram) - 1))
    datagram[at] ^= data.draw(st.integers(1, 255))

    assert judged(bytes(datagram)) == "drop"


@given(st.binary(max_size=128))
def test_only_the_password_is_the_password(typed: bytes) -> None:
    expected = "accept" if typed.rstrip(b"\0") == PASSWORD else "reject"

    assert judged(request(NAME + hidden(typed))) == expected
    assert judged(request(NAME + hidden(PASSWORD + typed))) == (
        "reject" if typed.rstrip(b"\0") else "accept"
    )


def test_the_stage_hides_as_a_client_does() -> None:
    assert hidden(PASSWORD)[2:] == hide(Secret(PASSWORD), AUTHENTICATOR, SECRET)
