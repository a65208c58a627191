"""The generation counter beside the key: finds an older database file put back.

Restoring both files goes unseen without a TPM; the counter's MAC only tells damage from age.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from loginward.crypto.keys import sync_directory
from loginward.crypto.tags import equal, keyed
from loginward.sqlite.faults import NotWritable

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "generation"


class Counter:
    """A number in a file, raised after the database has it."""

    def __init__(self, directory: Path, key: bytes) -> None:
        self._path = directory / _NAME
        self._key = key

    def read(self) -> int | None:
        """Return the number; None where the file is missing or not ours."""
        try:
            number, mac = self._path.read_text("ascii").split()
        except (OSError, ValueError):
            return None
        if not number.isdecimal() or not equal(mac.encode(), self._mac(number)):
            return None
        return int(number)

    def write(self, number: int) -> None:
        """Keep the number durably.

        Raises:
            NotWritable: The file cannot be written.
        """
        draft = self._path.with_suffix(".new")
        text = f"{number} {self._mac(str(number)).decode()}\n"
        try:
            descriptor = os.open(
                draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600
            )
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            draft.replace(self._path)
            sync_directory(self._path.parent)
        except OSError as error:
            raise NotWritable(
                f"{self._path}: {error.strerror}", "free some space, or make it writable"
            ) from error

    def _mac(self, number: str) -> bytes:
        return keyed(self._key, b"generation", number.encode()).hex().encode()
