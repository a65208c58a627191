"""The one place that reads the clocks; everything else is told the time."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loginward.store.timekeeping import Raw, TrustedTime

if TYPE_CHECKING:
    from collections.abc import Callable

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Elsewhere CLOCK_MONOTONIC itself counts the time that a machine is suspended.
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def read_raw() -> Raw:
    """Return the clocks as the operating system shows them now."""
    return Raw(
        wall=datetime.now(UTC),
        boottime=read_boottime(),
        boot_id=_boot_id(),
    )


def read_boottime() -> float:
    """Return seconds since boot, suspended time included."""
    return time.clock_gettime(_BOOT_CLOCK)


@functools.cache
def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""  # no such file, no telling boots apart: within one it is


class SystemClock:
    """The clocks of this machine; `now` is the believed time where one is kept.

    Args:
        believed: Returns the believed time (aware UTC); None: the wall clock as it is.
    """

    def __init__(self, believed: Callable[[], datetime] | None = None) -> None:
        self._believed = believed

    def now(self) -> datetime:
        """Return the believed wall time, aware, UTC."""
        return datetime.now(UTC) if self._believed is None else self._believed()

    def monotonic(self) -> float:
        """Return seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def boottime(self) -> float:
        """Return seconds since boot, suspended time included."""
        return read_boottime()


def trusted_time(allowed_s: int) -> TrustedTime:
    """Return the believed time of this machine, not yet resumed from a mark."""
    return TrustedTime(read_raw, allowed_s, read_boottime)
