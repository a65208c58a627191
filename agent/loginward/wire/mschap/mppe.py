"""The keys that a NAS encrypts a bare MS-CHAPv2 session by.

Source: RFC 3079 section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1
from typing import Final

KEY_OCTETS: Final = 16
_MAGIC_1: Final = b"This is the MPPE Master Key"
_ON_CLIENT: Final = b"On the client side, this is the "
_MAGIC_2: Final = _ON_CLIENT + b"send key; on the server side, it is the receive key."
_MAGIC_3: Final = _ON_CLIENT + b"receive key; on the server side, it is the send key."
_PAD_1: Final = bytes(40)
_PAD_2: Final = b"\xf2" * 40


@dataclass(frozen=True, slots=True)
class StartKeys:
    """The NAS's keys, 128 bits each."""

    send: bytes = field(repr=False)
    receive: bytes = field(repr=False)


def start_keys(hash_hash: bytes, nt_response: bytes) -> StartKeys:
    """Return the keys of a proven response (sections 3.3 and 3.4).

    Args:
        hash_hash: MD4 of the NT hash.
    """
    master = _sha(hash_hash + nt_response + _MAGIC_1)
    return StartKeys(send=_asymmetric(master, _MAGIC_3), receive=_asymmetric(master, _MAGIC_2))


def _asymmetric(master: bytes, magic: bytes) -> bytes:
    return _sha(master + _PAD_1 + magic + _PAD_2)


def _sha(octets: bytes) -> bytes:
    return sha1(octets, usedforsecurity=False).digest()[:KEY_OCTETS]
