"""What checking a password teaches about an account beyond what could be read of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from loginward.core.evidence import Checked, Proven, Refusal, Refused
from loginward.core.reasons import Reason
from loginward.core.status import (
    DueDate,
    ExpiryCause,
    PasswordStatus,
    StateCause,
    Status,
    UserState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

REASONS: Final[Mapping[Refusal, Reason]] = MappingProxyType(
    {
        Refusal.LOCKED: Reason.ACCOUNT_LOCKED,
        Refusal.SUSPENDED: Reason.USER_SUSPENDED,
        Refusal.NOT_STARTED: Reason.USER_STAGED,
        Refusal.NOT_PERMITTED: Reason.NOT_PERMITTED,
    }
)


def status_learnt(status: Status, checked: Checked, now: datetime) -> Status:
    """Return the status with what the check showed; nothing that was read is taken back."""
    match checked:
        case Proven():
            return _proven(status, checked, now)
        case Refused(Refusal.LOCKED):
            return _with(status, PasswordStatus.LOCKED)
        case Refused(Refusal.SUSPENDED):
            return replace(status, state=UserState.SUSPENDED, state_cause=None, state_date=None)
        case Refused(Refusal.NOT_STARTED):
            return replace(
                status,
                state=UserState.STAGED,
                state_cause=StateCause.NOT_STARTED,
                state_date=None,
            )
    return status


def _proven(status: Status, proven: Proven, now: datetime) -> Status:
    if proven.expires_in_s is not None and status.due is None:
        due = DueDate(now + timedelta(seconds=proven.expires_in_s), ExpiryCause.AGING)
        status = replace(status, due=due)
    if proven.must_change:
        status = replace(status, must_change=True)
    if proven.expired or proven.grace_left is not None:
        status = _with(status, PasswordStatus.EXPIRED)
    return status


def _with(status: Status, found: PasswordStatus) -> Status:
    held = (status.statuses | {found}) - {PasswordStatus.ACTIVE}
    return replace(status, statuses=frozenset(held))
