"""A sealed value opens at its place, under its key, unchanged; nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.crypto.sealing import NONCE_OCTETS, Place, Sealer, Unsealable

KEY = bytes(range(32))
PLACE = Place(schema=1, table="account", row_key=b"k" * 32, generation=7)


def test_it_opens_where_it_was_sealed() -> None:
    sealed = Sealer(KEY).seal(PLACE, b"plain octets")

    assert Sealer(KEY).unseal(PLACE, sealed) == b"plain octets"
    assert b"plain" not in sealed


def test_the_nonce_is_fresh_each_time() -> None:
    nonces = {Sealer(KEY).seal(PLACE, b"x")[:NONCE_OCTETS] for _ in range(100)}

    assert len(nonces) == 100


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, schema=2),
        replace(PLACE, table="header"),
        replace(PLACE, row_key=b"other"),
        replace(PLACE, generation=8),
        replace(PLACE, table="accountk", row_key=b"k" * 31),
    ],
)
def test_it_opens_at_no_other_place(elsewhere: Place) -> None:
    sealed = Sealer(KEY).seal(PLACE, b"plain")

    with pytest.raises(Unsealable):
        Sealer(KEY).unseal(elsewhere, sealed)


def test_every_flipped_octet_and_every_cut_is_seen() -> None:
    sealed = Sealer(KEY).seal(PLACE, b"plain")
    changed = [bytes([*sealed[:i], o ^ 0x80, *sealed[i + 1 :]]) for i, o in enumerate(sealed)]
    cut = [sealed[:i] for i in range(len(sealed))]

    for octets in (*changed, *cut, sealed + b"\0"):
        with pytest.raises(Unsealable):
            Sealer(KEY).unseal(PLACE, octets)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Unsealable):
        Sealer(bytes(32)).unseal(PLACE, Sealer(KEY).seal(PLACE, b"plain"))
    with pytest.raises(ValueError, match="32"):
        Sealer(b"short")


@pytest.mark.fuzz
@given(st.binary(max_size=200))
def test_octets_of_nobody_are_refused(octets: bytes) -> None:
    """Whatever lies there, the answer is Unsealable."""
    with pytest.raises(Unsealable):
        Sealer(KEY).unseal(PLACE, octets)


places = st.builds(
    Place,
    schema=st.integers(0, 9),
    table=st.text("ab", max_size=3),
    row_key=st.binary(max_size=3),
    generation=st.integers(0, 9),
)


@given(places, places)
def test_different_places_have_different_associated_data(one: Place, other: Place) -> None:
    assert (one == other) == (one.associated() == other.associated())
