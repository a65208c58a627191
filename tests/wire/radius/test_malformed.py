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
from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import decode
from loginward.wire.radius.password import hide
from tests.wire.radius.malformed import CASES, CHAP, IDENTITY, OPTED_OUT, PROXY, SIGNED, STATE
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
)


@pytest.mark.parametrize(
    ("datagram", "expected"),
    CASES,
)
def test_a_malformed_packet_is_dropped_refused_or_let_be(datagram: bytes, expected: str) -> None:
    assert judged(datagram) == expected


@pytest.mark.parametrize(
    ("datagram", "expected"),
    OPTED_OUT,
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
