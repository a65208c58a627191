"""A person at the seat of a host, and what they read there."""

from __future__ import annotations

SEAT = {"service": "login", "tty": "tty1"}
# state: authenticate, account phase, a word of what a person at the seat reads, password asked for
TABLE = {
    "active": ("ok", "ok", "", True),
    "pending": ("password-pending", "password-pending", "no password yet", False),
    "expired": ("password-expired", "password-expired", "was expired by an admin", True),
    "locked": ("account-locked", "account-locked", "is locked", False),
    "locked-expired": ("account-locked", "account-locked", "is locked", False),
    "temporary": ("change-required", "change-required", "", True),
    "staged": ("user-staged", "user-staged", "not active yet", False),
    "suspended": ("user-suspended", "user-suspended", "is suspended", False),
    "future": ("user-staged", "user-staged", "not active yet. It starts", False),
    "ended": ("user-suspended", "user-suspended", "has ended", False),
}


def words(turn):
    return "\n".join(info.text for info in turn.infos)
