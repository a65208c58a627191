"""What the site decided, as far as the law asks for it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.core.evidence import Proven
from loginward.core.requests import Door
from loginward.core.status import PasswordStatus

if TYPE_CHECKING:
    from datetime import datetime


class WhenExpired(enum.Enum):
    """What an expired password meets (R26)."""

    DENY = "deny"
    CHANGE = "change"


class KeyLogins(enum.Enum):
    """What a key login with an expired password meets."""

    DENY = "deny"
    WARN = "warn"


class ServiceKind(enum.Enum):
    """How much a PAM service can converse."""

    CONVERSES = "converses"  # asks the account phase and can open a change
    AUTHENTICATES = "authenticates"  # password only: a change has nowhere to happen
    NON_INTERACTIVE = "non-interactive"  # cron, atd
    SESSION_MANAGER = "session-manager"  # systemd-user: its login was judged already

    @property
    def judges_expiry(self) -> bool:
        """Whether an expired password is refused here at all."""
        return self is not ServiceKind.SESSION_MANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The site's rules.

    Attributes:
        warn_s: Seconds before a due date from which to warn; None: never.
        offline_allowed_s: How old a copy may be, in seconds, to let somebody in.
    """

    when_expired: WhenExpired = WhenExpired.DENY
    key_logins: KeyLogins = KeyLogins.DENY
    warn_s: int | None = 14 * 86400
    offline_allowed_s: int = 259200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, as far as the verdict depends on it.

    Attributes:
        keep_while: Statuses at which this resource lets people in all the same (R53).
        resource: Its name, for `allowed_by`.
        permitted: Scope and access rules let this account use this service.
        throttled_until: The source is over its bound until then; None: it is not.
        proven: This account proved itself earlier in the same transaction, or by a key
            or certificate whose kind of login is not governed by `key_logins`.
        earlier: What the check of the password showed in that transaction, so that an expired or
            temporary password which only the check can tell is not forgotten by the account
            phase; None where there was none, and after a change.
        changing: The request is to change the password, so that being expired is no obstacle.
        by_certificate: A certificate was shown: no password is needed, so none pending refuses.
        inline_change: The door changes passwords inside the login (RADIUS challenge).
    """

    door: Door = Door.LOGIN
    service: ServiceKind = ServiceKind.CONVERSES
    keep_while: frozenset[PasswordStatus] = field(default_factory=frozenset)
    resource: str = ""
    permitted: bool = True
    throttled_until: datetime | None = None
    proven: bool = False
    earlier: Proven | None = None
    changing: bool = False
    inline_change: bool = False
    by_certificate: bool = False

    @property
    def can_change(self) -> bool:
        """Whether a new password can be asked for on this way in."""
        return self.changing or self.inline_change or self.service is ServiceKind.CONVERSES
