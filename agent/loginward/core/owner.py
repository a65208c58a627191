"""Whose lockout governs an account: the directory's own, or this agent's."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts


class Owner(enum.Enum):
    """Who counts wrong passwords and locks."""

    DIRECTORY = "directory"
    AGENT = "agent"


class OwnerSetting(enum.Enum):
    """What the site said (`policy.lockout.owner`)."""

    AUTO = "auto"
    DIRECTORY = "directory"
    AGENT = "agent"


def owner_of(setting: OwnerSetting, facts: AccountFacts, *, seen_counting: bool) -> Owner:
    """Return who owns the lock of this account.

    Args:
        seen_counting: The directory once showed a counted failure or a lock, which settles the
            question where its policy cannot be read.
    """
    if setting is not OwnerSetting.AUTO:
        return Owner(setting.value)
    counts = seen_counting if facts.counts is None else facts.counts
    return Owner.DIRECTORY if counts else Owner.AGENT
