"""One process a store: an advisory lock on its folder, held as long as the store is open.

A reservation of another process is taken for one of a dead process, so two at once would lose each
other's verdicts. On the folder, since it can be locked where nothing can be written: flock(2).
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from loginward.errors import StoreFault

if TYPE_CHECKING:
    from pathlib import Path


class SoleUse:
    """The sole use of a folder; its owner's end, however it comes, frees it.

    Raises:
        StoreFault: Another process has it, or it cannot be had.
    """

    def __init__(self, directory: Path) -> None:
        try:
            self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise StoreFault(f"{directory}: {error.strerror}", "check the folder") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise StoreFault(
                f"{directory}: another process has the store open", "stop the other daemon"
            ) from error

    def release(self) -> None:
        """Let another process have it; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
