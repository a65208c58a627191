"""Packets that peers should not send, and what must become of each (RFC 2865, 2869, 3579, 5997)."""

from __future__ import annotations

import pytest

from loginward.wire.radius.attributes import Attribute, attribute, eap_message
from loginward.wire.radius.packet import Code
from tests.wire.radius.stage import HIDDEN, LOGIN, NAME, NAS, hidden, request, unsigned

CHAP = attribute(Attribute.CHAP_PASSWORD, bytes(17))
STATE = attribute(Attribute.STATE, b"state")
PROXY = attribute(Attribute.PROXY_STATE, b"proxy")
IDENTITY = eap_message(b"\x02\x01\x00\x0a\x01alice")
WITH_MA = b"\x50\x12" + bytes(16)
SIGNED = request()


def password(size: int) -> bytes:
    return attribute(Attribute.USER_PASSWORD, bytes(size))


# Of a client that must sign.
CASES = [
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
    pytest.param(unsigned(LOGIN + PROXY * 710, length=5000)[:5000], "drop", id="length-above-4096"),
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
]
# Of one that need not.
OPTED_OUT = [
    pytest.param(unsigned(), "accept", id="unsigned"),
    pytest.param(unsigned(LOGIN + PROXY), "drop", id="unsigned-through-a-proxy"),
    pytest.param(unsigned(NAME + IDENTITY), "drop", id="unsigned-eap"),
    pytest.param(unsigned(WITH_MA + LOGIN), "drop", id="wrongly-signed"),
    pytest.param(request(LOGIN + PROXY), "accept", id="signed-through-a-proxy"),
]
