"""Tags of passwords for comparing within one process: keyed, and worthless outside it.

HMAC-SHA-256 (RFC 2104) under a key that is drawn at start and never leaves memory.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Final

SHORT_OCTETS: Final = 8  # 64 bits: for the wrong-password memory only, never for a proof


def keyed(key: bytes, *parts: bytes) -> bytes:
    """Return the HMAC-SHA-256 of parts; each carries its length, so they cannot run together."""
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, framed, hashlib.sha256)


def equal(one: bytes, other: bytes) -> bool:
    """Compare two tags in constant time."""
    return hmac.compare_digest(one, other)


class Tagger:
    """Makes tags under a key of this process."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def full(self, *parts: bytes) -> bytes:
        """Return a whole tag: 32 octets, fit to stand for a proof."""
        return keyed(self._key, *parts)

    def short(self, *parts: bytes) -> bytes:
        """Return 64 bits, fit only to refuse a repeated wrong password."""
        return self.full(*parts)[:SHORT_OCTETS]
