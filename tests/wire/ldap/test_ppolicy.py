"""The password policy control, as the servers were seen to send it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.ldap import ppolicy
from loginward.wire.ldap.ppolicy import PolicyError, PolicyResponse


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("3000", PolicyResponse(), id="nothing"),
        pytest.param(
            "3003810100", PolicyResponse(error=PolicyError.PASSWORD_EXPIRED), id="expired"
        ),
        pytest.param("3003810101", PolicyResponse(error=PolicyError.ACCOUNT_LOCKED), id="locked"),
        pytest.param(
            "3003810102", PolicyResponse(error=PolicyError.CHANGE_AFTER_RESET), id="must-change"
        ),
        pytest.param("3005a003810102", PolicyResponse(grace_left=2), id="grace"),
        pytest.param("3007a0058003069762", PolicyResponse(expires_in_s=431970), id="warning"),
        pytest.param(
            "308400000003810101", PolicyResponse(error=PolicyError.ACCOUNT_LOCKED), id="long-form"
        ),
        pytest.param(
            "308400000011a08400000004800212758184000000010 2".replace(" ", ""),
            PolicyResponse(expires_in_s=4725, error=PolicyError.CHANGE_AFTER_RESET),
            id="both-in-long-form",
        ),
    ],
)
def test_what_servers_send(value: str, expected: PolicyResponse) -> None:
    assert ppolicy.parse(bytes.fromhex(value)) == expected


@pytest.mark.parametrize("error", PolicyError)
def test_every_error_is_known(error: PolicyError) -> None:
    assert ppolicy.parse(bytes([0x30, 3, 0x81, 1, error])).error is error


@pytest.mark.parametrize(
    "value",
    [
        "",
        "30",
        "3001",
        "300381010a",
        "30038101ff",
        "30020500",
        "300000",
        "3002a000",
        "3005a003820102",
        "3008a006800101810102",
        "3005a0038101ff",
        "3003810101810101",
        "3006810100810101",
    ],
)
def test_malformed_values(value: str) -> None:
    with pytest.raises(ProtocolError):
        ppolicy.parse(bytes.fromhex(value))


@pytest.mark.fuzz
@given(st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        ppolicy.parse(octets)
