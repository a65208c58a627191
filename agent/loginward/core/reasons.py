"""The stable reason codes: one for every way a request can end (I18)."""

from __future__ import annotations

import enum


class Reason(enum.Enum):
    """Why a request was allowed or refused; kebab-case everywhere."""

    OK = "ok"
    WRONG_CREDENTIALS = "wrong-credentials"
    USER_UNKNOWN = "user-unknown"
    USER_STAGED = "user-staged"
    USER_SUSPENDED = "user-suspended"
    PASSWORD_PENDING = "password-pending"  # noqa: S105  a code, not a password
    ACCOUNT_LOCKED = "account-locked"
    PASSWORD_EXPIRED = "password-expired"  # noqa: S105  a code, not a password
    CHANGE_REQUIRED = "change-required"
    CODE_REQUIRED = "code-required"
    CODE_WRONG = "code-wrong"
    ENROLMENT_OVERDUE = "enrolment-overdue"
    NOT_PERMITTED = "not-permitted"
    SOURCE_THROTTLED = "source-throttled"
    OFFLINE_TOO_LONG = "offline-too-long"
    OFFLINE_NEVER_SEEN = "offline-never-seen"
    DIRECTORY_UNAVAILABLE = "directory-unavailable"
    MALFORMED = "malformed"


class Verdict(enum.Enum):
    """What the asker does next."""

    ALLOW = "allow"
    REFUSE = "refuse"
    CHANGE = "change"
    CODE = "code"
