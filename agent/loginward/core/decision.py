"""The answer to one request, and every text that may explain it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from loginward.core.reasons import Reason, Verdict
from loginward.core.status import ExpiryCause, StateCause

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from loginward.core.status import Status


class Warn(enum.Enum):
    """What a person who is let in should know."""

    EXPIRES_SOON = "expires-soon"
    EXPIRED_KEY_LOGIN = "expired-key-login"
    GRACE_LEFT = "grace-left"
    OFFLINE = "offline"


BY_OTHERS: Final = "by-others"  # an expired password whose change nobody can authorise any more
DETAILS: Final[Mapping[Reason, frozenset[str]]] = MappingProxyType(
    {
        Reason.USER_STAGED: frozenset({StateCause.BY_ADMIN.value, StateCause.NOT_STARTED.value}),
        Reason.USER_SUSPENDED: frozenset(
            {StateCause.BY_ADMIN.value, StateCause.ENDED.value, StateCause.REMOVED.value}
        ),
        Reason.ACCOUNT_LOCKED: frozenset({"until", "for-good"}),
        Reason.PASSWORD_EXPIRED: frozenset({BY_OTHERS, *(cause.value for cause in ExpiryCause)}),
        Reason.NOT_PERMITTED: frozenset({"change"}),
        Reason.DIRECTORY_UNAVAILABLE: frozenset({"unreadable"}),
    }
)
"""What may narrow a reason; each reason also stands without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one request.

    Attributes:
        status: What the account is, as far as the directory or the check of the password showed;
            None where there is no account to speak of.
        until: When trying again makes sense (aware UTC); None: not by waiting.
        warnings: For who is let in, in the order to be shown.
        allowed_by: The rule that let a person in against a status: "keep_while:mail",
            "key_logins:warn", "session-manager", or "change" for who may go on to change the
            password and no further; empty: nothing stood against it.
        detail: Narrows the message; one of DETAILS, or empty.
    """

    verdict: Verdict
    reason: Reason
    status: Status | None = None
    until: datetime | None = None
    warnings: tuple[Warn, ...] = ()
    allowed_by: str = ""
    detail: str = ""

    @property
    def message(self) -> str:
        """Return the id of the text that explains it; one of `message_ids()`."""
        return f"{self.reason.value}.{self.detail}" if self.detail else self.reason.value

    @property
    def lets_in(self) -> bool:
        """Whether the person is let in, at once or after a change or a code."""
        return self.verdict is not Verdict.REFUSE


def message_ids() -> frozenset[str]:
    """Return every id that a decision's message can have."""
    narrowed = {f"{reason.value}.{detail}" for reason in DETAILS for detail in DETAILS[reason]}
    return frozenset(narrowed | {reason.value for reason in Reason})


def refuse(
    reason: Reason,
    status: Status | None = None,
    *,
    detail: str = "",
    until: datetime | None = None,
) -> Decision:
    """Return the refusal for a reason; `until` is aware UTC."""
    return Decision(
        verdict=Verdict.REFUSE, reason=reason, status=status, detail=detail, until=until
    )


def malformed() -> Decision:
    """Return the answer to a request that cannot be judged at all."""
    return refuse(Reason.MALFORMED)
