"""The fields of an import or export file, spelt as the vendor's API does (R11).

Three kinds: what is known of an account, what follows from it at the moment of the export, and
what only a backup (`--with-hashes`) carries.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Final

from loginward.core.status import UserState


class Format(enum.Enum):
    """How a file is written."""

    CSV = "csv"
    JSON = "json"


KNOWN: Final = (
    "id",
    "username",
    "displayname",
    "email",
    "recovery_email",
    "groups",
    "created",
    "state",
    "state_since",
    "starts_at",
    "ends_at",
    "password_date",
    "password_must_change",
)
DERIVED: Final = (
    "activated",
    "suspended",
    "password_expired",
    "password_expiration_date",
    "password_never_expires",
    "account_locked",
    "account_locked_date",
    "account_locked_until",
    "account_locked_source",
    "badLoginAttempts",
    "totp_enabled",
    "totp_status",
)
BACKUP: Final = (
    "state_set",
    "password_hash",
    "password_set_by",
    "password_forced_date",
    "password_outdated",
    "password_history",
    "admin_lock",
    "tally",
    "activation",
)
TYPED_IN: Final = ("password",)  # clear text: read from a file, never written to one
ALL: Final = frozenset((*KNOWN, *DERIVED, *BACKUP, *TYPED_IN))
STATES: Final = {
    UserState.STAGED: "STAGED",
    UserState.ACTIVE: "ACTIVATED",
    UserState.SUSPENDED: "SUSPENDED",
}


class FieldProblem(Exception):  # noqa: N818  one of many, collected over the whole file
    """A value cannot be used; the text says why and what to write instead, never a secret."""


def render_moment(at: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC, to the microsecond where it has any."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """Return the moment of an ISO 8601 text that names its zone.

    Raises:
        FieldProblem: It is no date, or names no zone.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise FieldProblem("is no moment with a zone; write it like 2026-03-01T08:00:00Z")
