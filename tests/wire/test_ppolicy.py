"""The password policy control as OpenLDAP and 389-ds sent it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire import ber, ppolicy
from loginward.wire.ppolicy import PolicyError, PolicyResponse


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("3000", PolicyResponse()),
        ("3003810100", PolicyResponse(PolicyError.PASSWORD_EXPIRED)),
        ("3003810101", PolicyResponse(PolicyError.ACCOUNT_LOCKED)),
        ("3003810102", PolicyResponse(PolicyError.CHANGE_AFTER_RESET)),
        ("3005a003810102", PolicyResponse(grace_left=2)),
        ("3007a0058003069762", PolicyResponse(expires_in_s=431970)),
        ("308400000003810101", PolicyResponse(PolicyError.ACCOUNT_LOCKED)),
    ],
)
def test_what_real_servers_sent(octets, expected):
    assert ppolicy.decode(bytes.fromhex(octets)) == expected


@pytest.mark.parametrize(
    "octets", ["", "30", "3003810163", "3003820101", "3006810100810101", "300001", "3002a000"]
)
def test_anything_else_is_a_protocol_error(octets):
    with pytest.raises(ProtocolError):
        ppolicy.decode(bytes.fromhex(octets))


@given(
    st.sampled_from([None, *PolicyError]),
    st.none() | st.tuples(st.sampled_from([0x80, 0x81]), st.integers(0, 2**31 - 1)),
)
def test_what_was_encoded_is_decoded(error, warning):
    octets = b""
    if warning is not None:
        octets += ber.encode(0xA0, ber.encode_integer(warning[1], warning[0]))
    if error is not None:
        octets += ber.encode_integer(error.value, 0x81)
    seconds = warning[1] if warning and warning[0] == 0x80 else None
    grace = warning[1] if warning and warning[0] == 0x81 else None
    assert ppolicy.decode(ber.encode(0x30, octets)) == PolicyResponse(error, seconds, grace)


@pytest.mark.fuzz
@given(st.binary(max_size=60))
def test_octets_nobody_planned(octets):
    with contextlib.suppress(ProtocolError):
        ppolicy.decode(ber.encode(0x30, octets))
