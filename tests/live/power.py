"""What a power cut would leave of a daemon's files: what it wrote, as far as it had flushed it.

strace(1) shows every write, flush and answer in their order. `Power.cut` applies to a copy of the
files as they were only those writes whose flush had returned before an answer was sent: the worst
that a disk may do which honours fdatasync(2), short of tearing what was never promised.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from loginward.wire.login import Decoder, Result

STRACE = "/usr/bin/strace"
CALLS = "pwrite64,ftruncate,fdatasync,fsync,sendto"
OPTIONS = ("-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}")
OCTETS = re.compile(rb"\\x([0-9a-f]{2})")
CALL = re.compile(rb'(\w+)\((\d+)<([^>]*)>(?:, "([^"]*)"(\.\.\.)?)?(?:, (\d+))?(?:, (\d+))?')
ENDED = re.compile(rb"<\.\.\. (\w+) resumed>.*= (-?\d+)")


@dataclass
class Trace:
    """What is replayed: the image so far, what is not flushed yet, and calls that have not ended."""

    images: dict[Path, bytearray]
    waiting: dict[Path, list[tuple[int, bytes]]] = field(default_factory=dict)
    open_calls: dict[bytes, tuple[Path, int]] = field(default_factory=dict)

    def wrote(self, path: Path, at: int, octets: bytes) -> None:
        self.waiting.setdefault(path, []).append((at, octets))

    def flushed(self, path: Path, count: int) -> None:
        """Make durable the `count` oldest writes, those that had come before the flush began."""
        writes = self.waiting.get(path, [])
        for at, octets in writes[:count]:
            image = self.images.setdefault(path, bytearray())
            image.extend(bytes(max(0, at + len(octets) - len(image))))
            image[at : at + len(octets)] = octets
        del writes[:count]


class Power:
    """The power of a running daemon.

    Args:
        pid: The daemon; nobody may be signing in when this is made.
        state: Its state_dir.
        folder: For the copies; must not exist.
    """

    def __init__(self, pid: int, state: Path, folder: Path) -> None:
        assert Path(STRACE).exists(), f"{STRACE} is missing: apt-get install strace"
        folder.mkdir()
        self._state, self._before, self._log = state, folder / "before", folder / "strace"
        shutil.copytree(state, self._before)
        self._strace = subprocess.Popen(
            [STRACE, *OPTIONS, "-o", str(self._log), "-p", str(pid)],
            stderr=subprocess.PIPE,
        )
        assert self._strace.stderr is not None
        said = self._strace.stderr.readline()
        assert b"attached" in said, said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._strace.terminate()
        self._strace.communicate(timeout=20)

    def cut(self, answers: int, into: Path) -> None:
        """Write what would be there had the power gone right after so many answers."""
        shutil.copytree(self._before, into)
        files = [path for path in self._before.rglob("*") if path.is_file()]
        trace = Trace({self._moved(path): bytearray(path.read_bytes()) for path in files})
        seen = 0
        for line in self._log.read_bytes().splitlines():
            seen += self._follow(trace, line)
            if seen == answers:
                break
        assert seen == answers, f"{seen} answers were sent"
        for path, image in trace.images.items():
            target = into / path.relative_to(self._state)
            if target.suffix != "-shm" and not path.name.endswith("-shm"):
                target.write_bytes(image)  # the shared index is made anew from the log
            else:
                target.unlink(missing_ok=True)

    def _moved(self, path: Path) -> Path:
        return self._state / path.relative_to(self._before)

    def _follow(self, trace: Trace, line: bytes) -> bool:
        """Apply one line of strace; return whether it sends the end of a conversation."""
        thread, _, text = line.partition(b" ")
        ended = ENDED.match(text.strip())
        if ended is not None:
            begun = trace.open_calls.pop(thread, None)
            if begun is not None and ended[2] == b"0":
                trace.flushed(*begun)
            return False
        call = CALL.match(text.strip())
        if call is None:
            return False
        if call[1] == b"sendto":
            return _ends(_octets(call[4] or b""))
        path = Path(_octets(call[3]).decode())
        if not path.is_relative_to(self._state):
            return False
        if call[1] == b"pwrite64":
            assert call[5] is None, "strace cut a write short"
            trace.wrote(path, int(call[7]), _octets(call[4]))
        elif call[1] == b"ftruncate":
            raise AssertionError(f"{path} was truncated: replaying that is not written")
        elif text.rstrip().endswith(b"<unfinished ...>"):
            trace.open_calls[thread] = (path, len(trace.waiting.get(path, ())))
        elif text.rstrip().endswith(b"= 0"):
            trace.flushed(path, len(trace.waiting.get(path, ())))
        return False


def _octets(shown: bytes) -> bytes:
    return bytes(int(pair, 16) for pair in OCTETS.findall(shown))


def _ends(sent: bytes) -> bool:
    decoder = Decoder()
    decoder.feed(sent)
    while (message := decoder.next_message()) is not None:
        if isinstance(message, Result):
            return True
    return False
