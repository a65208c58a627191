"""Pages of a list (RFC 2696)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol.rfc2696 import paged_search_control

from loginward.errors import ProtocolError
from loginward.wire.ldap import paging


@given(st.integers(1, 100_000), st.binary(max_size=300))
def test_a_page_is_asked_for_as_ldap3_does(size: int, cookie: bytes) -> None:
    control = paging.request(size, cookie)
    theirs = paged_search_control(False, size, cookie)

    assert (control.oid, control.critical) == (str(theirs["controlType"]), False)
    assert control.value == bytes(theirs["controlValue"])
    assert paging.parse(control.value) == cookie


@pytest.mark.parametrize(
    "value", ["", "3000", "3003020100", "30050201000400ff", "300602010004000400"]
)
def test_malformed_values(value: str) -> None:
    with pytest.raises(ProtocolError):
        paging.parse(bytes.fromhex(value))


@pytest.mark.fuzz
@given(st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        paging.parse(octets)
