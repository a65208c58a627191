"""Secrets: nothing shows them, and only some may be checked."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.commands import Means, Reserve, Typed
from loginward.core.readings import Fresh
from loginward.core.secret import MAX_OCTETS, Secret
from tests.core.people import alice

WORD = b"hunter2-hunter2"


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(lambda: repr(Secret(WORD)), id="repr"),
        pytest.param(lambda: f"{Secret(WORD)}", id="format"),
        pytest.param(lambda: str([Secret(WORD)]), id="inside-a-list"),
        pytest.param(lambda: repr(Typed(Secret(WORD))), id="event"),
        pytest.param(
            lambda: repr(Reserve(Fresh(alice()), Secret(WORD), Means.DIRECTORY)), id="command"
        ),
    ],
)
def test_i15_nothing_shows_it(shown):
    assert "hunter2" not in shown()


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, hash])
def test_it_is_not_copied_out(act):
    with pytest.raises(TypeError) as raised:
        act(Secret(WORD))
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


@given(st.binary(max_size=MAX_OCTETS + 2))
def test_r58_empty_nul_and_too_long_are_malformed(octets):
    assert Secret(octets).well_formed == (0 < len(octets) <= MAX_OCTETS and 0 not in octets)


@pytest.mark.parametrize(
    ("octets", "fine"),
    [
        (b"", False),
        (b"x", True),
        (b"a\0b", False),
        (b"x" * MAX_OCTETS, True),
        (b"x" * (MAX_OCTETS + 1), False),
    ],
)
def test_the_bounds(octets, fine):
    assert Secret(octets).well_formed == fine


@given(st.binary(), st.binary())
def test_it_is_equal_to_the_same_octets_alone(one, other):
    assert (Secret(one) == Secret(other)) == (one == other)
    assert Secret(one) != one
    assert Secret(one).reveal() == one
