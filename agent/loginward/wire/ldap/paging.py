"""Long lists page by page: the simple paged results control.

Source: RFC 2696 section 2.
"""

from __future__ import annotations

from typing import Final

from loginward.wire.ldap import ber
from loginward.wire.ldap.ber import Reader, as_count, element
from loginward.wire.ldap.messages import Control

OID: Final = "1.2.840.113556.1.4.319"


def request(size: int, cookie: bytes) -> Control:
    """Return the control that asks for the next page; the first has an empty cookie."""
    value = element(ber.SEQUENCE, ber.integer(size) + element(ber.OCTET_STRING, cookie))
    return Control(OID, value=value)


def parse(value: bytes) -> bytes:
    """Return the cookie that asks for the next page; empty: this was the last one.

    Raises:
        ProtocolError: The control's value is malformed.
    """
    outer = Reader(value)
    reader = Reader(outer.take(ber.SEQUENCE))
    outer.end()
    as_count(reader.take(ber.INTEGER))  # an estimate of the whole, which no two servers mean alike
    cookie = reader.take(ber.OCTET_STRING)
    reader.end()
    return cookie
