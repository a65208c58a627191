"""One process a file: an advisory lock beside it, held as long as the file is open.

Not on the file itself: SQLite's own locks on it end when any descriptor of it is closed
(https://sqlite.org/howtocorrupt.html section 2.2).
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from loginward.errors import StoreFault

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """The lock of a file.

    Raises:
        StoreFault: Another process holds it, or it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        beside = path.with_name(f"{path.name}.lock")
        try:
            descriptor = os.open(
                beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise StoreFault(f"{beside}: {error.strerror}", "check the folder") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreFault(
                f"{path}: another process has it open", "only the daemon opens it; ask the daemon"
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another process have the file; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
