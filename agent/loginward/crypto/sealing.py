"""Seals rows so that they can be neither read, changed, moved nor mixed.

AES-256-GCM-SIV (RFC 8452): a nonce that repeats, as after a restored snapshot, gives away at most
that two rows were equal.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from loginward.errors import StoreFault

KEY_OCTETS: Final = 32
NONCE_OCTETS: Final = 12  # RFC 8452 section 4


class Unsealable(StoreFault):
    """A sealed value is not what was sealed at this place with this key."""

    def __init__(self, table: str) -> None:
        super().__init__(f"a sealed row of {table} was changed, moved or mixed up")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value belongs; it opens nowhere else.

    Attributes:
        schema: Version of the schema that the value is encoded in.
        generation: How often the row had been written.
    """

    schema: int
    table: str
    row_key: bytes
    generation: int

    def associated(self) -> bytes:
        """Return the associated data; every part has its length, so no two places are alike."""
        table = self.table.encode()
        return b"".join(
            (
                self.schema.to_bytes(4, "big"),
                len(table).to_bytes(2, "big"),
                table,
                len(self.row_key).to_bytes(2, "big"),
                self.row_key,
                self.generation.to_bytes(8, "big"),
            )
        )


class Sealer:
    """Seals and unseals under one key of 32 octets."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_OCTETS:
            raise ValueError("a sealing key has 32 octets")
        self._cipher = AESGCMSIV(key)

    def seal(self, place: Place, plain: bytes) -> bytes:
        """Return nonce and ciphertext."""
        nonce = os.urandom(NONCE_OCTETS)
        return nonce + self._cipher.encrypt(nonce, plain, place.associated())

    def unseal(self, place: Place, sealed: bytes) -> bytes:
        """Return what was sealed at this place.

        Raises:
            Unsealable: An octet changed, or it was sealed for another place or key.
        """
        nonce, ciphertext = sealed[:NONCE_OCTETS], sealed[NONCE_OCTETS:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, place.associated())
        except (InvalidTag, ValueError) as error:
            raise Unsealable(place.table) from error
