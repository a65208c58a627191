"""Decisions, as the trail has them."""

from __future__ import annotations

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, Phase
from loginward.runtime.events import DecisionEvent
from tests.doubles.moving import NOW


def decision(**changes):
    """Return what the trail has of a wrong password, or of what else is said."""
    given = {
        "at": NOW, "door": Door.LOGIN, "phase": Phase.AUTHN, "service": "sshd", "name": "ann",
        "verdict": Verdict.REFUSE, "reason": Reason.WRONG_CREDENTIALS, **changes,
    }  # fmt: skip
    return DecisionEvent(**given)
