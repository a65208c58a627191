"""MD4, which an NT hash is made of and which OpenSSL 3 no longer offers.

Source: RFC 1320 section 3.
"""

from __future__ import annotations

import struct
from typing import Final

_MASK: Final = 0xFFFFFFFF
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
# Of each of the three rounds: what is added, the rotations, the order of the words.
_ROUNDS: Final = (
    (0, (3, 7, 11, 19), tuple(range(16))),
    (0x5A827999, (3, 5, 9, 13), tuple(n % 4 * 4 + n // 4 for n in range(16))),
    (0x6ED9EBA1, (3, 9, 11, 15), (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)),
)


def md4(octets: bytes) -> bytes:
    """Return the digest, 16 octets."""
    padded = octets + b"\x80" + bytes(-(len(octets) + 9) % 64) + struct.pack("<Q", 8 * len(octets))
    state = _START
    for at in range(0, len(padded), 64):
        state = _block(state, struct.unpack_from("<16I", padded, at))
    return struct.pack("<4I", *state)


def _block(state: tuple[int, int, int, int], words: tuple[int, ...]) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for number, (constant, shifts, order) in enumerate(_ROUNDS):
        for step, at in enumerate(order):
            mixed = (a + _mix(number, b, c, d) + words[at] + constant) & _MASK
            shift = shifts[step % 4]
            a, b, c, d = d, (mixed << shift | mixed >> (32 - shift)) & _MASK, b, c
    return (
        (a + state[0]) & _MASK,
        (b + state[1]) & _MASK,
        (c + state[2]) & _MASK,
        (d + state[3]) & _MASK,
    )


def _mix(number: int, x: int, y: int, z: int) -> int:
    if number == 0:
        return x & y | ~x & z
    return x & y | x & z | y & z if number == 1 else x ^ y ^ z
