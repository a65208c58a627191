"""Which time to believe while nobody trustworthy says it.

Within a boot time passes by CLOCK_BOOTTIME (clock_gettime(2)); the wall clock may correct that a
little and never jump. Across a reboot the wall clock alone tells how long the machine was off:
that much is a *gap*, which may make copies older but ends no lock until a directory has been
reached over verified TLS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

# Steering by NTP stays below 500 parts per million (adjtimex(2)); the rest is for one leap second
# and for reading two clocks one after the other.
_DRIFT: Final = 500e-6
_RESOLUTION_S: Final = 0.0005  # what is believed is worked out once in so long, not for each asker
_SLACK: Final = timedelta(seconds=5)
_MOST_GAPS: Final = 16


@dataclass(frozen=True, slots=True)
class Raw:
    """The clocks as the operating system shows them.

    Attributes:
        wall: CLOCK_REALTIME, aware UTC.
        boottime: Seconds of CLOCK_BOOTTIME.
        boot_id: Changes with every boot.
    """

    wall: datetime
    boottime: float
    boot_id: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Time that the machine seems to have been off, on the word of the wall clock alone.

    Attributes:
        ended: The believed time (aware UTC) at which running went on.
        length: How much of the time before it nobody has vouched for.
    """

    ended: datetime
    length: timedelta


@dataclass(frozen=True, slots=True)
class Mark:
    """The high-water mark: what is kept of the believed time.

    Attributes:
        wall: The latest believed time, aware UTC.
        serves_allowance: False after a jump that only a directory can explain.
        gaps: Oldest first.
    """

    wall: datetime
    boottime: float
    boot_id: str
    serves_allowance: bool = True
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """The believed time was set by somebody who may: to be audited."""

    before: datetime
    after: datetime


class TrustedTime:
    """The believed time.

    Args:
        read: Reads the clocks.
        boottime: Reads the one of them that never goes back alone, which is quicker.
        allowed_s: `policy.offline.allowed_s`: a larger jump across a reboot is not believed.
    """

    def __init__(
        self,
        read: Callable[[], Raw],
        allowed_s: int,
        boottime: Callable[[], float] | None = None,
    ) -> None:
        self._read = read
        self._boottime = boottime or (lambda: read().boottime)
        self._allowed = timedelta(seconds=allowed_s)
        self._lock = threading.Lock()
        raw = read()
        self._base = Mark(raw.wall, raw.boottime, raw.boot_id)
        self._floor = raw.wall
        self._read_at = float("-inf")  # boottime at which the floor was worked out

    def resume(self, mark: Mark | None) -> None:
        """Go on from the mark of an earlier process; None: this host kept none yet."""
        if mark is None:
            return
        raw = self._read()
        with self._lock:
            if raw.boot_id == mark.boot_id:
                self._base = mark
            else:
                self._base = self._after_reboot(mark, raw)
            self._floor = self._base.wall
            self._read_at = float("-inf")

    def now(self) -> datetime:
        """Return the believed time, aware UTC; it goes back only by `confirm`."""
        if 0 <= self._boottime() - self._read_at < _RESOLUTION_S:
            return self._floor
        raw = self._read()
        with self._lock:
            believed = self._believed(raw)
            self._floor = max(self._floor, believed)
            self._read_at = raw.boottime
            return self._floor

    @property
    def serves_allowance(self) -> bool:
        """Whether copies may let somebody in: False after a jump that nobody has explained."""
        return self._base.serves_allowance

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The gaps that nobody has vouched for; no timed lock runs down in them."""
        return self._base.gaps

    def mark(self) -> Mark:
        """Return what to keep for the next process."""
        now = self.now()
        raw = self._read()
        with self._lock:
            return replace(self._base, wall=now, boottime=raw.boottime, boot_id=raw.boot_id)

    def confirm(self) -> Correction | None:
        """Believe the wall clock: a directory answered over verified TLS, or an operator says so.

        Returns:
            What it changed, if that is more than the clocks drift apart by themselves.
        """
        before = self.now()
        raw = self._read()
        with self._lock:
            self._base = Mark(raw.wall, raw.boottime, raw.boot_id)
            self._floor = raw.wall
            self._read_at = float("-inf")
        if abs(raw.wall - before) <= _SLACK:
            return None
        return Correction(before, raw.wall)

    def _believed(self, raw: Raw) -> datetime:
        passed_s = max(0.0, raw.boottime - self._base.boottime)
        expected = self._base.wall + timedelta(seconds=passed_s)
        if abs(raw.wall - expected) <= _SLACK + timedelta(seconds=passed_s * _DRIFT):
            return raw.wall
        return expected

    def _after_reboot(self, mark: Mark, raw: Raw) -> Mark:
        """Return the base of a new boot: its time off is a gap, if it is believed at all."""
        running = mark.wall + timedelta(seconds=raw.boottime)
        off = raw.wall - running
        if off > self._allowed or off < timedelta(0):
            # Behind the mark the clock shows nothing; far ahead it is not believed.
            serves = mark.serves_allowance and off < timedelta(0)
            return Mark(running, raw.boottime, raw.boot_id, serves, mark.gaps)
        gaps = (*mark.gaps, Gap(raw.wall, off))
        while len(gaps) > _MOST_GAPS:  # the two oldest become one that counts for both
            first, second, *rest = gaps
            gaps = (Gap(second.ended, first.length + second.length), *rest)
        return Mark(raw.wall, raw.boottime, raw.boot_id, mark.serves_allowance, gaps)


def stretch(gaps: tuple[Gap, ...], since: datetime | None) -> timedelta:
    """Return by how much a span that began at `since` has to be longer; None: before them all."""
    return sum(
        (gap.length for gap in gaps if since is None or since < gap.ended), start=timedelta(0)
    )
