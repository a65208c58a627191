"""One account as the embedded directory keeps it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime

from loginward.core.lockout import Tally
from loginward.core.status import Lock, UserState


class SetBy(enum.Enum):
    """Who chose the password in force."""

    PERSON = "person"
    ADMIN = "admin"
    ACTIVATION = "activation"  # the person, by an activation token
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class OldPassword:
    """A password that may not come back while the history remembers it."""

    phc: str = field(repr=False)
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """The password in force.

    Attributes:
        phc: Its Argon2id hash as a PHC string.
        must_change: It is temporary: the next login must change it (R40).
        forced_at: When an administrator expired it; None: nobody did.
        outdated: It was set before the rules last asked for more (R13).
        history: Older ones, newest first.
    """

    phc: str = field(repr=False)
    changed_at: datetime
    set_by: SetBy
    must_change: bool = False
    forced_at: datetime | None = None
    outdated: bool = False
    history: tuple[OldPassword, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """An activation token: only its SHA-256 is kept (I14)."""

    digest: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything kept about one account. All datetimes are aware UTC.

    Attributes:
        recovery: The address for mail that must arrive while the account is closed (R47).
        starts_at: A scheduled activation; it overrides `staged` from then on.
        ends_at: A scheduled end.
        admin_lock: The lock an administrator set; the one of the counter is in `tally`.
    """

    id: str
    name: str
    display_name: str = ""
    mail: str = ""
    recovery: str = ""
    groups: frozenset[str] = frozenset()
    created_at: datetime
    state: UserState = UserState.ACTIVE
    state_since: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    admin_lock: Lock | None = None
    password: Password | None = None
    token: Token | None = None
    tally: Tally = field(default_factory=Tally)
