"""Hashes passwords with Argon2id (RFC 9106) and keeps the parameters with each hash (PHC string).

RFC 9106 section 4 recommends 64 MiB and three passes where memory is scarce. One lane, so that a
computation takes one processor.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from loginward.crypto.gate import WAIT_S, Gate, Work

SALT_OCTETS: Final = 16
TAG_OCTETS: Final = 32
_PHC: Final = re.compile(
    r"\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
)
_MOST_MEMORY_KIB: Final = 262_144  # a hash that came from elsewhere must not take the machine
_MOST_WORK: Final = 4_194_304  # KiB times passes: about 3 s


@dataclass(frozen=True, slots=True)
class Cost:
    """What one computation costs."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 1

    def __post_init__(self) -> None:
        # 8 KiB a lane is the least that RFC 9106 section 3.1 allows.
        if not 8 * self.lanes <= self.memory_kib <= _MOST_MEMORY_KIB:
            raise ValueError("Argon2id memory is out of bounds")
        if self.memory_kib * self.passes > _MOST_WORK:
            raise ValueError("Argon2id work is out of bounds")


def cost_of(phc: str) -> Cost:
    """Return the cost of a PHC string, such as one from an import.

    Raises:
        ValueError: It is no Argon2id version 19 hash, or costs more than we compute.
    """
    found = _PHC.fullmatch(phc)
    if found is None:
        raise ValueError("not an argon2id PHC string of version 19")
    return Cost(*(int(number) for number in found.groups()))


class PasswordHasher:
    """Hashes and checks passwords, one gate for all of them.

    Args:
        pepper: Mixed into every password from outside the database; None where hashes have to
            verify on another host.
    """

    def __init__(self, gate: Gate, pepper: bytes | None, cost: Cost = Cost()) -> None:
        self._gate = gate
        self._pepper = pepper
        self._cost = cost

    @property
    def admitted(self) -> int:
        """Return how many computations of anybody's have begun so far."""
        return self._gate.admitted

    def hash(
        self,
        password: bytes,
        source: str,
        *,
        work: Work = Work.CHECK,
        wait_s: float = WAIT_S,
    ) -> str:
        """Return a new hash of the password as a PHC string.

        Args:
            password: As typed.
            source: Whose password it is, for fairness.
            work: Checks go before verifiers.
            wait_s: Seconds to wait for a turn, at most 10; a verifier's work waits on.

        Raises:
            GateBusy: See `Gate.turn`; a verifier waits as long as it takes.
        """
        kdf = Argon2id(
            salt=os.urandom(SALT_OCTETS),
            length=TAG_OCTETS,
            iterations=self._cost.passes,
            lanes=self._cost.lanes,
            memory_cost=self._cost.memory_kib,
        )
        patience = min(wait_s, WAIT_S) if work is Work.CHECK else None
        with self._gate.turn(work, source, patience):
            return kdf.derive_phc_encoded(self._peppered(password))

    def verify(
        self,
        phc: str,
        password: bytes,
        source: str,
        *,
        work: Work = Work.CHECK,
        wait_s: float = WAIT_S,
    ) -> bool:
        """Return whether the password is the one hashed; compared in constant time.

        Args:
            phc: Of this class, or of an import.
            password: As typed.
            source: Whose check it is, for fairness.
            work: Checks go before verifiers.
            wait_s: Seconds a check may wait for its turn, at most 10; a verifier's work waits on.

        Raises:
            GateBusy: See `Gate.turn`.
            ValueError: The string is no hash that we compute.
        """
        cost_of(phc)
        patience = min(wait_s, WAIT_S) if work is Work.CHECK else None
        with self._gate.turn(work, source, patience):
            try:
                Argon2id.verify_phc_encoded(self._peppered(password), phc)
            except InvalidKey:
                return False
            return True

    def needs_rehash(self, phc: str) -> bool:
        """Return whether the hash was made at another cost than ours is now."""
        return cost_of(phc) != self._cost

    def _peppered(self, password: bytes) -> bytes:
        if self._pepper is None:
            return password
        return hmac.digest(self._pepper, password, hashlib.sha256)
