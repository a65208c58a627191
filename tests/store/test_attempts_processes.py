"""I6 over processes: many that guess at once, some killed at any moment, one in another year."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loginward.store.record import AGENT
from tests.store.stage import Host, account

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'agent'}:{ROOT}"}


HAMMER = """
import sys, threading, time
from pathlib import Path
from loginward.core.attempts import Granted, LockedNow, Outcome
from loginward.errors import StoreFault
from loginward.store.attempts import DurableAttempts
from tests.store.stage import FIVE, Host, account
def opened():
    while True:
        try:
            return Host(Path(sys.argv[1])).open()
        except StoreFault as fault:
            assert "another process" in fault.problem, fault
            time.sleep(0.01)
attempts = DurableAttempts(opened())
def guess():
    while True:
        reserved = attempts.reserve(account(), "sshd", FIVE)
        if isinstance(reserved, LockedNow):
            return
        if isinstance(reserved, Granted):
            print("checked", flush=True)
            attempts.settle(account(), reserved.reservation, Outcome.WRONG)
threads = [threading.Thread(target=guess) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


# A process that forks the victims, so that fifty of them cost no fifty starts of Python.
MURDERER = """
import os, random, signal, sys
from pathlib import Path
from loginward.core.attempts import Outcome
from loginward.core.facts import LockoutPolicy
from loginward.store.attempts import DurableAttempts
from tests.store.stage import Host, account

many = LockoutPolicy(threshold=1_000_000, window_s=None, duration_s=None)

def record(out):
    attempts = DurableAttempts(Host(Path(sys.argv[1])).open())
    while True:
        granted = attempts.reserve(account(), "sshd", many)
        os.write(out, b"r")
        attempts.settle(account(), granted.reservation, Outcome.WRONG)
        os.write(out, b"c")

def tell(out):
    store = Host(Path(sys.argv[1])).open()
    record = store.ledger.record("id-ada")
    tally = record.tally("agent") if record else None
    counted = (len(tally.failures), len(tally.pending)) if tally else (0, 0)
    os.write(out, f"{counted[0]} {counted[1]} {len(store.faults())}".encode())

def fork(work):
    inside, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work(out)
        finally:
            os._exit(0)
    os.close(out)
    return pid, inside

def drained(inside):
    said = b""
    while octets := os.read(inside, 65536):
        said += octets
    os.close(inside)
    return said

for _ in range(60):
    pid, inside = fork(record)
    said = b""
    for _ in range(random.randint(0, 16)):
        said += os.read(inside, 1)
    os.kill(pid, signal.SIGKILL)
    said += drained(inside)
    os.waitpid(pid, 0)
    pid, inside = fork(tell)
    print(said.count(b"r"), said.count(b"c"), drained(inside).decode(), flush=True)
    os.waitpid(pid, 0)
"""


# The real clocks of a real process, through the real start.
GUESSER = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from loginward.core.attempts import LockedNow, Outcome
from loginward.store.attempts import OfflineAttempts
from loginward.store.timekeeping import Raw
from tests.store.stage import FIVE, Host, Machine, account
class Real(Machine):
    def read(self):
        boot = Path('/proc/sys/kernel/random/boot_id').read_text().strip()
        up = time.clock_gettime(time.CLOCK_BOOTTIME)
        return Raw(datetime.now(UTC), up, boot)
store = Host(Path(sys.argv[1]), Real()).open()
attempts = OfflineAttempts(store, lambda: 20)
for _ in range(5):
    got = attempts.reserve(account(), 'sshd', FIVE)
    if isinstance(got, LockedNow):
        break
    attempts.settle(account(), got.reservation, Outcome.WRONG)
print(type(got).__name__, datetime.now(UTC).year)
store.close()
"""


def child(script: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@pytest.fixture
def children() -> Iterator[Callable[[str, Path], subprocess.Popen[str]]]:
    """Start processes that do not outlive the test, however it ends."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, directory: Path) -> subprocess.Popen[str]:
        started.append(child(script, directory))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_hundred_guesses_of_many_processes_test_five_passwords_i6(
    host: Host, children: Callable[[str, Path], subprocess.Popen[str]]
) -> None:
    """One after the other: where two had the store, each would take the other's for dead ones."""
    host.open().save(account())
    host.close()
    hammers = [children(HAMMER, host.directory) for _ in range(4)]
    checked = sum(one.communicate(timeout=50)[0].count("checked") for one in hammers)

    assert [one.returncode for one in hammers] == [0] * 4
    assert checked == 5
    assert host.open().lock_of("id-ada", AGENT) is not None


def test_kill_9_loses_no_recorded_attempt(
    host: Host, children: Callable[[str, Path], subprocess.Popen[str]]
) -> None:
    """What a victim saw recorded is there after it was killed at a random moment; 60 rounds."""
    output, _ = (process := children(MURDERER, host.directory)).communicate(timeout=50)
    rounds = [tuple(map(int, line.split())) for line in output.splitlines()]

    assert (process.returncode, len(rounds)) == (0, 60)
    reserved = counted = 0
    for said_reserved, said_counted, failures, pending, faults in rounds:
        reserved += said_reserved
        counted += said_counted
        assert counted <= failures
        assert reserved <= failures + pending
        assert faults == 0
    assert counted >= 60


def test_a_year_forward_under_libfaketime_ends_no_lock(host: Host) -> None:
    """One year ahead, one year behind, and now again."""
    said = []
    for prefix in ([], ["faketime", "+1 year"], ["faketime", "-1 year"], []):
        run = subprocess.run(
            [*prefix, sys.executable, "-c", GUESSER, str(host.directory)],
            env=ENVIRONMENT | {"DONT_FAKE_MONOTONIC": "1"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        said.append(run.stdout.split())

    year = int(said[0][1])
    assert said == [
        ["Granted", str(year)],
        ["LockedNow", str(year + 1)],
        ["LockedNow", str(year - 1)],
        ["LockedNow", str(year)],
    ]
