"""People whose passwords are hashed at the least cost, as a file that the directory imports."""

from __future__ import annotations

import json
from functools import lru_cache

from loginward.crypto.gate import Gate
from loginward.crypto.password_hash import Cost, PasswordHasher

RIGHT = b"right-horse-battery"
WRONG = b"wrong-horse-battery"
NEXT = b"another-horse-battery"
LONG_AGO = "2026-01-02T03:04:05Z"  # so that the change time of every password is settled

STATES = {
    "active": {},
    "pending": {"password_hash": None},
    "expired": {"password_expired": True},
    "locked": {"account_locked": True},
    "locked-expired": {"account_locked": True, "password_expired": True},
    "temporary": {"password_must_change": True},
    "staged": {"state": "STAGED"},
    "suspended": {"state": "SUSPENDED"},
    "future": {"starts_at": "2099-01-01T00:00:00Z"},
    "ended": {"ends_at": "2026-02-01T00:00:00Z"},
}


@lru_cache
def hash_of(password: bytes) -> str:
    """Return a hash that takes no time to check."""
    return PasswordHasher(Gate(), None, Cost(memory_kib=8, passes=1)).hash(password, "tests")


def person(name: str, kind: str = "active", /, **fields: object) -> dict[str, object]:
    """Return one entry of an import."""
    entry = {
        "username": name,
        "password_hash": hash_of(RIGHT),
        "password_date": LONG_AGO,
        "created": LONG_AGO,
        **STATES[kind],
        **fields,
    }
    return {key: value for key, value in entry.items() if value is not None}


def file_of(*people: dict[str, object]) -> bytes:
    """Return the file to import."""
    return json.dumps(people).encode()
