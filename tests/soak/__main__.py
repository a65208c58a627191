"""`make soak`: 100,000 logins through PAM, our module and OpenLDAP, and the memory it leaves."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.bench.bench_pam import SETTLE_S, USERS, Bench
from tests.live import people
from tests.live.slapd import Slapd

LOGINS = 100_000
STEPS = 10
MOST_MB = 60.0


def main() -> int:
    """Print the agent's resident memory along the way; 1 if it ends over the aim.

    `python -m tests.soak [LOGINS]`.
    """
    logins = int(sys.argv[1]) if len(sys.argv) > 1 else LOGINS
    step = logins // STEPS
    with tempfile.TemporaryDirectory(prefix="lwsoak") as made:
        folder = Path(made)
        folder.chmod(0o755)
        bulk = people.bulk(USERS + 1)  # as ppolicy leaves them: with pwdChangedTime
        with Slapd(folder / "slapd", bulk, lastbind=False) as slapd, Bench(folder, slapd) as bench:
            print(f"{0:>7} logins {bench.agent_mb():8.1f} MB", flush=True)
            for done in range(step, logins + 1, step):
                measured = bench.round("ours", 8, step)
                print(
                    f"{done:>7} logins {bench.agent_mb():8.1f} MB {measured.per_s:8.0f} a second",
                    flush=True,
                )
            time.sleep(SETTLE_S)
            left_mb = bench.agent_mb()
            print(f"at rest {left_mb:15.1f} MB")
            return int(left_mb > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
