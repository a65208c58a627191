"""Decisions as values, and the texts they may ask for."""

from __future__ import annotations

import pytest

from loginward.core.decision import DETAILS, Decision, malformed, message_ids, refuse
from loginward.core.reasons import Reason, Verdict
from loginward.messages.texts import load_texts
from tests.core.people import HOUR, NOW


def test_a_refusal_and_its_message():
    plain = refuse(Reason.ACCOUNT_LOCKED)
    narrowed = refuse(Reason.ACCOUNT_LOCKED, detail="until", until=NOW + HOUR)
    assert (plain.message, plain.until, plain.lets_in) == ("account-locked", None, False)
    assert (narrowed.message, narrowed.until) == ("account-locked.until", NOW + HOUR)


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_refusal_keeps_out(verdict):
    decision = Decision(verdict=verdict, reason=Reason.OK)
    assert decision.lets_in == (verdict is not Verdict.REFUSE)


def test_malformed():
    assert malformed() == refuse(Reason.MALFORMED)


def test_every_reason_and_every_detail_is_a_message():
    assert {reason.value for reason in Reason} <= message_ids()
    details = sum(len(details) for details in DETAILS.values())
    assert len(message_ids()) == len(Reason) + details


@pytest.mark.parametrize("message", sorted(message_ids() - {"ok"}))
def test_i18_every_refusal_has_words(message):
    """Each id, or the id above it, has a text that says something without any fact."""
    assert load_texts().text(f"refused.{message}", reference="AB12-CD34").strip()
