"""Accounts by status or state: the file narrows, the law decides (R51).

The conditions are a superset, kept on indexed columns, of what `status_at` would say; each
account that meets them is judged by it all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.core.status import PasswordStatus, UserState
from loginward.directory.embedded.codec import moment

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.passwords import PasswordRules

STATUS: Final = {
    PasswordStatus.PENDING: "account.id NOT IN (SELECT account_id FROM password)",
    PasswordStatus.LOCKED: """account.id IN (
        SELECT account_id FROM tally
            WHERE lock_id IS NOT NULL AND (lock_until IS NULL OR lock_until > :now)
        UNION ALL SELECT id FROM account WHERE admin_lock_id IS NOT NULL)""",
    PasswordStatus.EXPIRED: """account.id IN (
        SELECT account_id FROM password WHERE forced_at <= :now
        UNION ALL SELECT account_id FROM password WHERE changed_at <= :aged
        UNION ALL SELECT account_id FROM password WHERE outdated AND :by <= :now)""",
    PasswordStatus.ACTIVE: "account.id IN (SELECT account_id FROM password)",
}
_STATE: Final = {
    UserState.STAGED: "state <> 'suspended' AND (state = 'staged' OR starts_at > :now)",
    UserState.ACTIVE: "state <> 'suspended' AND (ends_at IS NULL OR ends_at > :now)",
    UserState.SUSPENDED: "state = 'suspended' OR ends_at <= :now",
}


def condition(status: PasswordStatus | None, state: UserState | None) -> str:
    """Return what narrows `rows.SELECT` to whom may have that status and that state."""
    parts = [STATUS[status]] if status is not None else []
    parts += [_STATE[state]] if state is not None else []
    return "".join(f" AND ({part})" for part in parts)


def bound(rules: PasswordRules, now: datetime) -> dict[str, int | None]:
    """Return the values of the condition's names."""
    at = moment(now)
    return {
        "now": at,
        "aged": None if rules.max_age_s is None else at - rules.max_age_s * 1_000_000,
        "by": None if rules.update_by is None else moment(rules.update_by),
    }
