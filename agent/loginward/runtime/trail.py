"""The files of the audit trail: one a day, JSON lines, appended to, never rewritten.

A name is NUMBER-DAY.jsonl. The number tells their order even when the clock is set back.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAME: Final = re.compile(r"(\d{8})-(\d{4}-\d{2}-\d{2})\.jsonl")
_BLOCK_OCTETS: Final = 256 * 1024


@dataclass(frozen=True, slots=True, order=True)
class TrailFile:
    """One file of the trail."""

    number: int
    day: date
    path: Path


@dataclass(frozen=True, slots=True)
class Line:
    """A whole line, and where it ends: file number and octet."""

    number: int
    end: int
    octets: bytes


def trail_files(folder: Path) -> list[TrailFile]:
    """Return the files of a trail, oldest first; none where the folder cannot be read."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    found = []
    for name in names:
        match = _NAME.fullmatch(name)
        if match is not None:
            try:
                day = date.fromisoformat(match[2])
            except ValueError:
                continue
            found.append(TrailFile(int(match[1]), day, folder / name))
    return sorted(found)


class TrailWriter:
    """Appends to the trail; for one thread. What could not be written is written first next time.

    Args:
        folder: Made if it is not there, for its owner alone.
        keep_d: Returns for how many days files are kept; older ones are removed.

    Attributes:
        unsynced: Something was written that `sync` has not yet made durable.
    """

    def __init__(self, folder: Path, keep_d: Callable[[], int]) -> None:
        self._folder = folder
        self._keep_d = keep_d
        self._descriptor = -1
        self._file: TrailFile | None = None
        self._rest = b""
        self.unsynced = False

    @property
    def owes(self) -> bool:
        """Whether octets wait for the disk."""
        return bool(self._rest)

    def append(self, lines: bytes, day: date) -> None:
        """Write whole lines to the day's file.

        Raises:
            OSError: They are kept and written before anything else by the next call.
        """
        self._rest += lines
        if self._must_open(day):
            self._open(day)
        while self._rest:
            written = os.write(self._descriptor, self._rest)
            self.unsynced = True
            self._rest = self._rest[written:]

    def sync(self) -> None:
        """Make durable what was written.

        Raises:
            OSError: As the operating system says.
        """
        if self._descriptor >= 0:
            os.fdatasync(self._descriptor)
        self.unsynced = False

    def close(self) -> None:
        """Close the file; idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _must_open(self, day: date) -> bool:
        if self._descriptor < 0 or self._file is None:
            return True
        if os.fstat(self._descriptor).st_nlink == 0:
            return True  # somebody removed it
        return self._file.day != day and not self._is_torn()

    def _is_torn(self) -> bool:
        """Whether the file ends within a line whose rest is still owed."""
        size = os.fstat(self._descriptor).st_size
        return bool(self._rest) and size > 0 and _last_octet(self._descriptor, size) != b"\n"

    def _open(self, day: date) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = trail_files(self._folder)
        last = files[-1] if files else None
        if last is None or last.day != day:
            number = 1 if last is None else last.number + 1
            last = TrailFile(number, day, self._folder / f"{number:08}-{day.isoformat()}.jsonl")
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(last.path, flags, 0o600)
        size = os.fstat(descriptor).st_size
        if size > 0 and _last_octet(descriptor, size) != b"\n" and self._descriptor < 0:
            self._rest = b"\n" + self._rest  # torn by a crash: readers skip that line
        if self.unsynced:
            self.sync()
        self.close()
        self._descriptor, self._file = descriptor, last
        _sync_folder(self._folder)
        self._drop_old(files, day)

    def _drop_old(self, files: list[TrailFile], day: date) -> None:
        keep = timedelta(days=self._keep_d())
        for file in files:
            if day - file.day > keep and file != self._file:
                file.path.unlink(missing_ok=True)


def _last_octet(descriptor: int, size: int) -> bytes:
    return os.pread(descriptor, 1, size - 1)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines_after(folder: Path, number: int, end: int) -> Iterator[Line]:
    """Return the whole lines after a place, through later files; a torn last line waits."""
    for file in trail_files(folder):
        if file.number < number:
            continue
        at = end if file.number == number else 0
        with contextlib.suppress(FileNotFoundError):  # its days are over
            yield from _lines_from(file, at)


def _lines_from(file: TrailFile, at: int) -> Iterator[Line]:
    rest = b""
    with file.path.open("rb") as stream:
        stream.seek(at)
        while block := stream.read(_BLOCK_OCTETS):
            *whole, rest = (rest + block).split(b"\n")
            for octets in whole:
                at += len(octets) + 1
                yield Line(file.number, at, octets)


def lines_backward(folder: Path, needle: bytes = b"", days: int | None = None) -> Iterator[Line]:
    """Return the whole lines, newest first; only those that hold the needle.

    `days`: of so many days with events at most; None: all there are.
    """
    for file in itertools.islice(reversed(trail_files(folder)), days):
        with contextlib.suppress(FileNotFoundError):  # its days are over
            yield from _lines_backward_from(file, needle)


def _lines_backward_from(file: TrailFile, needle: bytes) -> Iterator[Line]:
    for end, octets in _pieces_backward(file.path):
        if needle not in octets:
            continue
        at = end
        for line in reversed(octets[:-1].split(b"\n")):
            if needle in line:
                yield Line(file.number, at, line)
            at -= len(line) + 1


def _pieces_backward(path: Path) -> Iterator[tuple[int, bytes]]:
    """Return pieces of whole lines from the end of a file, each with where it ends."""
    with path.open("rb") as stream:
        start = stream.seek(0, os.SEEK_END)
        held = b""
        torn = True  # what follows the last line end
        while start > 0:
            block_at = max(0, start - _BLOCK_OCTETS)
            stream.seek(block_at)
            held = stream.read(start - block_at) + held
            start = block_at
            if torn:
                cut = held.rfind(b"\n") + 1
                if cut == 0:
                    continue
                held, torn = held[:cut], False
            first = held.find(b"\n") + 1
            if start == 0:
                first = 0
            elif first == 0:
                continue  # a line longer than a block
            if first < len(held):
                yield start + len(held), held[first:]
                held = held[:first]
