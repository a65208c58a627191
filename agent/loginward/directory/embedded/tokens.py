"""Activation tokens: shown once, kept as SHA-256, used once (I14, R42)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from loginward.core.secret import Secret
from loginward.directory.embedded.record import Token

TOKEN_OCTETS: Final = 24  # of randomness
VALID_S: Final = 7 * 86400  # as long as the vendor's activation link


def new_token(now: datetime) -> tuple[Secret, Token]:
    """Return a new token to show, and what to keep of it."""
    shown = secrets.token_urlsafe(TOKEN_OCTETS).encode()
    return Secret(shown), Token(_digest(shown), now + timedelta(seconds=VALID_S))


def opens(token: Token | None, typed: Secret, now: datetime) -> bool:
    """Return whether what was typed is that token, and in time; in constant time."""
    kept = bytes(hashlib.sha256().digest_size) if token is None else token.digest
    matches = hmac.compare_digest(kept, _digest(typed.reveal()))
    return matches and token is not None and now < token.expires_at


def _digest(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()
