"""Many client processes that guess one person's password at the same moment.

    python -m tests.live.guesses RUN NAME FIRST COUNT

says `ready`, waits for a line, and guesses `COUNT` times at once, each a password of its own.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from loginward.core.reasons import Verdict
from tests.runtime.daemon import converse

TOP = Path(__file__).resolve().parents[2]
PROCESSES, EACH = 10, 10


def guess_at_once(run: Path, name: str) -> None:
    """Guess a hundred times, from ten processes; none may be let in."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.live.guesses", run, name, str(first), str(EACH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TOP,
        )
        for first in range(0, PROCESSES * EACH, EACH)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        said, _ = process.communicate(timeout=50)
        assert (said, process.returncode) == (f"{EACH} refused\n", 0)


def main() -> None:
    """Be one of the processes."""
    run, name, first, count = sys.argv[1:]

    def refused(nth: int) -> bool:
        result, _ = converse(Path(run), name, b"guess %d" % nth, rhost=f"203.0.113.{nth}")
        return result.verdict is Verdict.REFUSE

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(int(count)) as pool:
        numbers = range(int(first), int(first) + int(count))
        print(sum(pool.map(refused, numbers)), "refused", flush=True)


if __name__ == "__main__":
    main()
