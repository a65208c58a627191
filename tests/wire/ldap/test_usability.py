"""The account usable control, as OpenLDAP was seen to send it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.ldap import usability
from loginward.wire.ldap.usability import NotUsable, Usable


def test_usable_with_seconds() -> None:
    assert usability.parse(bytes.fromhex("800376a6fd")) == Usable(7775997)


def test_usable_for_ever() -> None:
    assert usability.parse(bytes.fromhex("8001ff")) == Usable(None)


def test_locked_for_some_seconds() -> None:
    value = bytes.fromhex("a1108001ff8101008201008301ff84020345")

    assert usability.parse(value) == NotUsable(
        inactive=True, reset=False, expired=False, grace_left=None, unlocks_in_s=837
    )


def test_not_usable_at_all() -> None:
    value = bytes.fromhex("a10f8001008101ff820100830102840100")
    assert usability.parse(value) == NotUsable(
        inactive=False, reset=True, expired=False, grace_left=2, unlocks_in_s=0
    )


def test_not_usable_without_numbers() -> None:
    assert usability.parse(bytes.fromhex("a109800100810100820100")) == NotUsable(
        inactive=False, reset=False, expired=False
    )


@pytest.mark.parametrize(
    "value", ["", "80", "800101ff", "a100", "30020500", "a10a80010081010082010000"]
)
def test_malformed_values(value: str) -> None:
    with pytest.raises(ProtocolError):
        usability.parse(bytes.fromhex(value))


@pytest.mark.fuzz
@given(st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        usability.parse(octets)
