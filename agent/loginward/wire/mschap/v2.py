"""The arithmetic of MS-CHAPv2: whether a response proves a password, and what proves it in return.

Source: RFC 2759 section 8. The names are the standard's.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

from loginward.wire.mschap.md4 import md4

CHALLENGE_OCTETS: Final = 16
HASH_OCTETS: Final = 16
NT_RESPONSE_OCTETS: Final = 24
_MAGIC_1: Final = b"Magic server to client signing constant"
_MAGIC_2: Final = b"Pad to make it do more than one iteration"


@dataclass(frozen=True, slots=True)
class Response:
    """What a peer answered to a challenge.

    Attributes:
        challenge: The AuthenticatorChallenge, 16 octets.
        peer_challenge: 16 octets of the peer's own.
        nt_response: 24 octets.
        user: The name that was part of it, as the peer spelt it.
    """

    challenge: bytes
    peer_challenge: bytes
    nt_response: bytes = field(repr=False)
    user: bytes

    def __post_init__(self) -> None:
        sizes = tuple(map(len, (self.challenge, self.peer_challenge, self.nt_response)))
        if sizes != (CHALLENGE_OCTETS, CHALLENGE_OCTETS, NT_RESPONSE_OCTETS):
            raise ValueError("challenges have 16 octets, and a response 24")


def nt_password_hash(password: str) -> bytes:
    """Return the NT hash of a password (section 8.3)."""
    return md4(password.encode("utf-16-le"))


def is_proven(response: Response, nt_hash: bytes) -> bool:
    """Return whether who responded knew the password of that hash (section 8.1)."""
    expected = challenge_response(_challenge_hash(response), nt_hash)
    return hmac.compare_digest(expected, response.nt_response)


def nt_response(challenge: bytes, peer_challenge: bytes, user: bytes, nt_hash: bytes) -> bytes:
    """Return what a peer responds (section 8.1)."""
    blank = Response(challenge, peer_challenge, bytes(NT_RESPONSE_OCTETS), user)
    return challenge_response(_challenge_hash(blank), nt_hash)


def authenticator_response(response: Response, hash_hash: bytes) -> str:
    """Return what proves to the peer that the password is known here too (section 8.7).

    Args:
        hash_hash: MD4 of the NT hash.
    """
    digest = sha1(hash_hash + response.nt_response + _MAGIC_1, usedforsecurity=False).digest()
    whole = sha1(digest + _challenge_hash(response) + _MAGIC_2, usedforsecurity=False)
    return f"S={whole.hexdigest().upper()}"


def bare_user(name: bytes) -> bytes:
    r"""Return the name that is part of a response: without the domain of "DOMAIN\name"."""
    return name.rpartition(b"\\")[2]


def challenge_response(challenge: bytes, nt_hash: bytes) -> bytes:
    """Return 8 octets encrypted by three keys out of 16 octets (section 8.5)."""
    padded = nt_hash.ljust(21, b"\0")
    return b"".join(_des(challenge, padded[at : at + 7]) for at in (0, 7, 14))


def _challenge_hash(response: Response) -> bytes:
    """Return the 8 octets that both challenges and the name come to (section 8.2)."""
    whole = response.peer_challenge + response.challenge + bare_user(response.user)
    return sha1(whole, usedforsecurity=False).digest()[:8]


def _des(clear: bytes, key: bytes) -> bytes:
    """Encrypt a block by 56 bits of key; three times the same key is single DES (section 8.6)."""
    bits = int.from_bytes(key, "big")
    spread = bytes((bits >> 49 - 7 * n & 0x7F) << 1 for n in range(8))  # parity is ignored
    encryptor = Cipher(TripleDES(spread * 3), ECB()).encryptor()  # noqa: S305  the standard's
    return encryptor.update(clear)
