"""Password hashes as the embedded directory computes and compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.crypto.gate import GateBusy, Work
from loginward.crypto.password_hash import cost_of
from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from loginward.core.clock import Deadline
    from loginward.core.secret import Secret
    from loginward.crypto.password_hash import PasswordHasher

BUSY = "argon2"


class Hashing:
    """Computes hashes through the gate, each account its own source.

    Args:
        hasher: Without a pepper, so that a backup can be restored on another host.
    """

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher

    def matches(self, phc: str, typed: Secret, account_id: str, deadline: Deadline) -> bool:
        """Return whether what was typed is the password of that hash.

        Raises:
            DirectoryUnavailable: The time is over, or the hash is unreadable.
        """
        if deadline.passed:  # a long history takes as many computations
            raise DirectoryUnavailable(BUSY, "no time is left to compare one more hash")
        try:
            return self._hasher.verify(phc, typed.reveal(), account_id, wait_s=deadline.left)
        except GateBusy as busy:
            raise DirectoryUnavailable(BUSY, str(busy)) from busy
        except ValueError as error:
            raise DirectoryUnavailable("embedded", "a password hash is unreadable") from error

    def new(self, password: Secret, account_id: str, deadline: Deadline) -> str:
        """Return a hash for a password that somebody waits to have set.

        Raises:
            DirectoryUnavailable: No computation was free in time.
        """
        try:
            return self._hasher.hash(password.reveal(), account_id, wait_s=deadline.left)
        except GateBusy as busy:
            raise DirectoryUnavailable(BUSY, str(busy)) from busy

    def imported(self, password: Secret) -> str:
        """Return a hash for an import, after every check that somebody waits for."""
        return self._hasher.hash(password.reveal(), "import", work=Work.VERIFIER)


def is_hash(text: str) -> bool:
    """Return whether a text is a password hash that can be checked here."""
    try:
        cost_of(text)
    except ValueError:
        return False
    return True
