"""How often the root helper clears an account's tally, whoever asks (security.md 12).

Whoever takes over the daemon's user could otherwise guess at local accounts without end, five
passwords at a time. The helper cannot tell whom the directory has; it can tell how often it was
asked. Source: proc(5) /proc/uptime, which no corrected clock moves, and which starts anew with /run.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 5  # of one account, within an hour
WITHIN_S: Final = 3600.0


def uptime_s() -> float:
    """Return seconds since boot."""
    return float(Path("/proc/uptime").read_text("ascii").split()[0])


class Clears:
    """Counts by uid, in a folder that only root can write, or in the memory of one long process.

    Args:
        folder: Of files named by uid; None: nothing outlives this process, which is the only one.
        now_s: Returns seconds that never go back.
    """

    def __init__(self, folder: Path | None, now_s: Callable[[], float] = uptime_s) -> None:
        self._folder = folder
        self._now_s = now_s
        self._kept: dict[int, list[float]] = {}

    def take(self, uid: int) -> bool:
        """Count one clearing; False, and nothing is counted, if there were enough.

        Raises:
            OSError: It cannot be counted, so nothing may be cleared.
            ValueError: What was counted cannot be read.
        """
        if self._folder is None:
            return self._counted(self._kept.setdefault(uid, []))
        with (self._folder / str(uid)).open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # each question may have a process of its own
            file.seek(0)
            times = [float(word) for word in file.read().split()]
            if not self._counted(times):
                return False
            file.truncate(0)
            file.write(" ".join(map(str, times)))
        return True

    def _counted(self, times: list[float]) -> bool:
        now_s = self._now_s()
        times[:] = [then for then in times if now_s - then < WITHIN_S]
        if len(times) >= MOST:
            return False
        times.append(now_s)
        return True
