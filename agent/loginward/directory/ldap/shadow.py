"""Dates of RFC 2307 entries, which no server enforces: we do.

Source: RFC 2307 section 2.2, shadow(5): whole days since 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loginward.directory.ldap.entry import Entry

ATTRIBUTES = ("shadowExpire", "shadowLastChange", "shadowMax", "shadowWarning")
NEVER_DAYS = 99999  # what useradd writes for "no limit"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_DAY = 2_932_896  # 9999-12-31


def ends_at(entry: Entry) -> datetime | None:
    """Return when the account ends; 0 and below mean never, for old tools write them so."""
    return _day(entry.number("shadowExpire"))


def due_at(entry: Entry) -> datetime | None:
    """Return when the password falls due; None: never."""
    changed, most = entry.number("shadowLastChange"), entry.number("shadowMax")
    if changed is None or changed <= 0 or most is None or not 0 <= most < NEVER_DAYS:
        return None
    return _day(changed + most)


def must_change(entry: Entry) -> bool:
    """Return whether shadowLastChange is 0: to be changed at the next login."""
    return entry.number("shadowLastChange") == 0


def warn_s(entry: Entry) -> int | None:
    """Return how long before the due date to warn."""
    days = entry.number("shadowWarning")
    return None if days is None or not 0 < days < NEVER_DAYS else days * 86400


def _day(number: int | None) -> datetime | None:
    if number is None or not 0 < number <= _LAST_DAY:
        return None
    return _EPOCH + timedelta(days=number)
