"""A PAM login (authenticate and account phase) through us and through nslcd, same slapd, same run.

Rounds are interleaved and medians reported, because one machine's figures move; the ratio counts.
Needs root: the peer and the driver run in a mount namespace of their own.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.bench import nslcd
from tests.live import people
from tests.live.daemon import READS_ONLY, Agent, configure
from tests.live.slapd import Slapd

TOP = Path(__file__).resolve().parents[2]
USERS = 2000
ROUNDS = 5
LOGINS = 1500
SETTLE_S = 10  # Argon2id's working memory is returned when no verifier is being made
UNHINDERED = "policy: {throttle: {per_source_per_min: null}}\n"


@dataclass(frozen=True)
class Measured:
    """One round: milliseconds a login, and logins a second."""

    p50_ms: float
    p99_ms: float
    per_s: float


def run() -> dict[str, float]:
    """Return the medians over the rounds, and the ratios to the peer."""
    with tempfile.TemporaryDirectory(prefix="lwbench") as made:
        folder = Path(made)
        folder.chmod(0o755)
        bulk = people.bulk(USERS + 1)  # as ppolicy leaves them: with pwdChangedTime
        with Slapd(folder / "slapd", bulk, lastbind=False) as slapd, Bench(folder, slapd) as bench:
            return bench.run()


class Bench:
    """The agent and the peer, each serving, and the driver that logs in."""

    def __init__(self, folder: Path, slapd: Slapd) -> None:
        self._folder = folder
        self._slapd = slapd
        self._agent = Agent(folder)
        self._driver = folder / "pam_load"
        self._confdir = folder / "pam.d"

    def __enter__(self) -> Self:
        source = TOP / "tests/bench/pam_load.c"
        subprocess.run(["gcc", "-O2", "-o", self._driver, source, "-lpam"], check=True)
        root = nslcd.unpack()
        self._confdir.mkdir()
        module = TOP / "build/pam_loginward.so"
        self._write("ours", f"{module} socket={self._folder}/run/login.sock nodelay")
        self._write("peer", f"{nslcd.module(root)} no_warn minimum_uid=0")
        conf = nslcd.write_conf(
            self._folder,
            uri=self._slapd.tls_url,
            base=people.PEOPLE,
            bind_dn=people.SVC_RO,
            bind_password=people.PASSWORD,
            ca_file=str(self._slapd.ca_file),
        )
        self._peer_start = nslcd.start_line(root, conf)
        configure(self._folder, self._slapd, UNHINDERED, READS_ONLY)
        self._agent.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._agent.stop()

    def run(self) -> dict[str, float]:
        """Return every figure."""
        rounds: dict[tuple[str, int], list[Measured]] = {}
        idle_mb = self.agent_mb()
        for _ in range(ROUNDS):
            for at_once in (1, 8):
                for who in ("ours", "peer"):
                    rounds.setdefault((who, at_once), []).append(self.round(who, at_once))
        figures: dict[str, float] = {}
        for (who, at_once), measured in rounds.items():
            for key in ("p50_ms", "p99_ms", "per_s"):
                median = statistics.median(getattr(one, key) for one in measured)
                figures[f"{who}_{at_once}_{key}"] = median
        figures["p50_ours_to_peer"] = figures["ours_1_p50_ms"] / figures["peer_1_p50_ms"]
        figures["rate_at_8_ours_to_peer"] = figures["ours_8_per_s"] / figures["peer_8_per_s"]
        figures["agent_idle_mb"], figures["agent_under_load_mb"] = idle_mb, self.agent_mb()
        time.sleep(SETTLE_S)
        figures["agent_after_mb"] = self.agent_mb()
        return figures

    def round(self, who: str, at_once: int, logins: int = LOGINS) -> Measured:
        """Log in so often, so many at once, through one of the two."""
        line = f"{self._driver} {self._confdir} {who} bulk%d {USERS} {logins} {at_once} 0"
        script = f"set -e\n{self._peer_start if who == 'peer' else ''}\n{line} && s=0 || s=$?\n"
        script += "kill $nslcd\n" if who == "peer" else ""
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script + "exit $s"],
            input=people.PASSWORD + "\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode:
            raise RuntimeError(f"{who}: a login ended otherwise: {done.stderr[-500:]}")
        total, *times = done.stdout.split()[1:]
        spent = sorted(int(us) / 1000 for us in times)
        return Measured(
            p50_ms=statistics.median(spent),
            p99_ms=spent[len(spent) * 99 // 100],
            per_s=logins / (int(total) / 1e6),
        )

    def agent_mb(self) -> float:
        """Return the agent's resident memory, megabytes."""
        status = Path(f"/proc/{self._agent.pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(resident.split()[1]) / 1024

    def _write(self, service: str, module: str) -> None:
        (self._confdir / service).write_text(f"auth required {module}\naccount required {module}\n")


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:26} {value:10.3f}")
