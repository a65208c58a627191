"""Where the processor time of a RADIUS login goes: `python -m tests.bench.radius_profile SCENE`.

SCENE is one of bench_radius.py's, pap_128 say; the guesses of wrong_128 may run out before the end. py-spy(1) has to be on the PATH; it samples each of
our processes while the scene's load goes on, and only threads that hold the interpreter's lock.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench.bench_radius import USERS, bench_at
from tests.bench.processes import family, own_cpu_s

SECONDS = 12
RATE = 200  # samples a second, for each of which the process stands still
SHOWN = 40


def main() -> None:
    """Print, of each process that works, the shares of functions: with what they call, and alone."""
    spy = shutil.which("py-spy")
    if spy is None:
        sys.exit("py-spy is not on the PATH")
    with bench_at() as bench, tempfile.TemporaryDirectory() as made:
        server, (_, work) = bench.ours, bench.scenes()[sys.argv[1]]
        try:
            bench.start(server)
            bench.right(server, 128, USERS)
            pids = family(server.process.pid)
            used = {pid: own_cpu_s(pid) for pid in pids}
            logins = work(server).logins
            for pid in pids:
                spent = zip(used[pid], own_cpu_s(pid), strict=True)
                own, kernel = ((end - begin) / logins * 1e6 for begin, end in spent)
                print(f"{name_of(pid)}: {own:.0f} us a login, and {kernel:.0f} in the kernel")
            files = {pid: Path(made) / str(pid) for pid in pids}
            spies = [start_spy(spy, pid, file) for pid, file in files.items()]
            while any(one.poll() is None for one in spies):
                work(server)
            for pid, file in files.items():
                report(pid, file)
        finally:
            server.process.stop()


def start_spy(spy: str, pid: int, file: Path) -> subprocess.Popen[bytes]:
    """Sample one process for a while."""
    line = [spy, "record", "--gil", "-p", str(pid), "-d", str(SECONDS), "-r", str(RATE)]
    return subprocess.Popen(
        [*line, "-f", "raw", "-o", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def report(pid: int, file: Path) -> None:
    """Print one process's shares, of the samples in which it held the lock."""
    within, alone, files = Counter[str](), Counter[str](), Counter[str]()
    for line in file.read_text().splitlines() if file.exists() else ():
        stack, _, count = line.rpartition(" ")
        frames = [short(frame) for frame in stack.split(";")]
        alone[frames[-1]] += int(count)
        files[frames[-1].partition("  ")[2]] += int(count)
        for frame in set(frames):
            within[frame] += int(count)
    held = sum(alone.values())
    if not held:
        return
    print(f"\n== {name_of(pid)}: {held} of {SECONDS * RATE} samples held the lock")
    for title, shares in (("with what it calls", within), ("alone", alone), ("files", files)):
        print(f"-- {title}")
        for frame, count in shares.most_common(SHOWN):
            if count * 100 > held:
                print(f"{count / held:6.1%}  {frame}")


def name_of(pid: int) -> str:
    """Return what a process was started as."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return f"{' '.join(Path(word).name for word in words[:4])} ({pid})"


def short(frame: str) -> str:
    """Return a function and its file without the folders before it and the line."""
    function, _, place = frame.partition(" (")
    parts = place.rstrip(")").rpartition(":")[0].split("/")
    return f"{function}  {'/'.join(parts[-2:])}"


if __name__ == "__main__":
    main()
