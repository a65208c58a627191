"""Whose lockout governs: the setting, then what the policy says, then what was seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.owner import Owner, OwnerSetting, owner_of
from tests.core.people import alice


@pytest.mark.parametrize(
    ("counts", "seen", "owner"),
    [
        pytest.param(True, False, Owner.DIRECTORY, id="policy-says-it-counts"),
        pytest.param(False, False, Owner.AGENT, id="policy-says-it-does-not"),
        pytest.param(False, True, Owner.AGENT, id="policy-outweighs-what-was-seen-elsewhere"),
        pytest.param(None, False, Owner.AGENT, id="unreadable"),
        pytest.param(None, True, Owner.DIRECTORY, id="unreadable-but-once-seen-counting"),
    ],
)
def test_auto(counts, seen, owner):
    assert owner_of(OwnerSetting.AUTO, alice(counts=counts), seen_counting=seen) is owner


@given(st.sampled_from([True, False, None]), st.booleans())
def test_a_setting_outweighs_everything(counts, seen):
    facts = alice(counts=counts)
    for setting, owner in (
        (OwnerSetting.DIRECTORY, Owner.DIRECTORY),
        (OwnerSetting.AGENT, Owner.AGENT),
    ):
        assert owner_of(setting, facts, seen_counting=seen) is owner
