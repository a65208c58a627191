"""Microsoft's attributes of MS-CHAPv2 (RFC 2548)."""

from __future__ import annotations

import pytest

from loginward.errors import ProtocolError
from loginward.wire.radius import mschap
from loginward.wire.radius.mschap import MsAttribute
from tests.wire.mschap.example import CHALLENGE, RESPONSE


def test_a_response_is_read_as_it_was_sent() -> None:
    value = mschap.response_value(7, RESPONSE)
    assert len(value) == 50
    assert mschap.read_response(CHALLENGE, value, b"User") == (7, RESPONSE)


@pytest.mark.parametrize(
    ("challenge", "response"), [(15, 50), (17, 50), (16, 49), (16, 51), (0, 0)]
)
def test_another_size_is_refused(challenge: int, response: int) -> None:
    with pytest.raises(ProtocolError):
        mschap.read_response(bytes(challenge), bytes(response), b"User")


def test_the_octets_of_what_is_told() -> None:
    """RFC 2548 sections 2.3.3, 2.4.4 and 2.4.5."""
    success = mschap.told(MsAttribute.CHAP2_SUCCESS, 7, b"S=" + b"A" * 40)
    assert success == bytes.fromhex("1a33 00000137 1a2d 07") + b"S=" + b"A" * 40
    error = mschap.told(MsAttribute.CHAP_ERROR, 7, b"E=691")
    assert error == bytes.fromhex("1a0e 00000137 0208 07") + b"E=691"
    assert mschap.encryption() == bytes.fromhex(
        "1a0c 00000137 0706 00000001 1a0c 00000137 0806 00000004"
    )
