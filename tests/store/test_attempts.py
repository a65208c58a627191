"""I6: never more passwords tested than are left, whoever hammers and whatever dies."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.store.attempts import DurableAttempts, OfflineAttempts, resource, screen
from loginward.store.record import AGENT, OFFLINE
from loginward.store.store import Store
from tests.store.stage import FIVE, NOW, Host, account

ROOT = Path(__file__).resolve().parents[2]
WINDOW = timedelta(seconds=FIVE.window_s or 0)

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


def child(script: str, directory: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'agent'}:{ROOT}"}
    return subprocess.Popen(
        [sys.executable, "-c", script, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
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


def reserve(attempts: DurableAttempts, **kwargs: object) -> str:
    granted = attempts.reserve(account(**kwargs), "sshd", FIVE)
    assert isinstance(granted, Granted), granted
    return granted.reservation


def test_five_wrong_passwords_lock_and_the_lock_survives_a_restart_r15(host: Host) -> None:
    store = host.open()
    attempts = DurableAttempts(store)
    locks = [attempts.settle(account(), reserve(attempts), Outcome.WRONG) for _ in range(5)]

    assert locks[:4] == [None] * 4
    assert locks[4] is not None
    assert locks[4].until == NOW + timedelta(seconds=1800)
    store = host.restart()
    assert store.lock_of("id-ada", AGENT) == locks[4]
    assert DurableAttempts(store).reserve(account(), "su", FIVE) == LockedNow(locks[4])
    host.machine.run(seconds=1800)
    assert store.lock_of("id-ada", AGENT) is None
    reserve(DurableAttempts(store))


@pytest.mark.parametrize("jump", [timedelta(days=365), -timedelta(days=365)])
@pytest.mark.parametrize("when", ["while running", "between starts", "across a reboot"])
def test_a_clock_set_by_a_year_ends_no_lock_i12(host: Host, when: str, jump: timedelta) -> None:
    attempts = OfflineAttempts(host.open(), lambda: 20)
    for _ in range(5):
        attempts.settle(account(), reserve(attempts), Outcome.WRONG)

    if when != "while running":
        host.close()
    if when == "across a reboot":
        host.machine.reboot(minutes=1)
    host.machine.wall += jump
    store = host.opened[0] if host.opened else host.open()
    attempts = OfflineAttempts(store, lambda: 20)

    assert store.lock_of("id-ada", OFFLINE) is not None
    assert isinstance(attempts.reserve(account(), "sshd", FIVE), LockedNow)
    host.machine.run(seconds=1790)
    assert store.lock_of("id-ada", OFFLINE) is not None
    host.machine.run(seconds=80)  # the mark may be a minute old
    assert store.lock_of("id-ada", OFFLINE) is None


def test_being_off_does_not_serve_a_lock_down(host: Host) -> None:
    """security 15: no timed lock ends earlier than its duration of running time."""
    attempts = OfflineAttempts(host.open(), lambda: 20)
    for _ in range(5):
        attempts.settle(account(), reserve(attempts), Outcome.WRONG)
    host.machine.run(seconds=600)
    host.close()
    host.machine.reboot(hours=10)
    store = host.open()
    host.machine.run(seconds=1100)

    assert store.lock_of("id-ada", OFFLINE) is not None
    assert isinstance(OfflineAttempts(store, lambda: 20).reserve(account(), "x", FIVE), LockedNow)
    store.time.confirm()  # the directory answers: the machine really was off that long
    assert store.lock_of("id-ada", OFFLINE) is None


def test_right_logins_at_once_never_lock(store: Store) -> None:
    attempts = DurableAttempts(store)
    reservations = [reserve(attempts) for _ in range(5)]

    assert attempts.reserve(account(), "sshd", FIVE) == AtLimit(in_flight=5)
    for reservation in reservations:
        assert attempts.settle(account(), reservation, Outcome.ALLOWED) is None
    reserve(attempts)


def test_settling_twice_counts_once(store: Store) -> None:
    attempts = DurableAttempts(store)
    reservation = reserve(attempts)
    for _ in range(9):
        assert attempts.settle(account(), reservation, Outcome.WRONG) is None

    (kept,), _ = store.list()
    assert kept.locks == ()


def test_tallies_of_different_keepers_never_mix(store: Store) -> None:
    """security 2, 3, 6: a full lock screen, resource or offline tally closes that path alone."""
    keepers = [AGENT, OFFLINE, screen(1000), screen(1001), resource("mail")]
    for full in keepers[1:]:
        attempts = DurableAttempts(store, full)
        for _ in range(5):
            attempts.settle(account(), reserve(attempts), Outcome.WRONG)

        assert store.lock_of("id-ada", full) is not None
    assert store.lock_of("id-ada", AGENT) is None
    reserve(DurableAttempts(store, AGENT))


def test_attempts_left_by_a_dead_process_count_a_window_and_never_lock(host: Host) -> None:
    attempts = DurableAttempts(host.open())
    for _ in range(4):
        reserve(attempts)
    store = host.restart()
    attempts = DurableAttempts(store)

    mine = reserve(attempts)
    assert isinstance(attempts.reserve(account(), "sshd", FIVE), AtLimit)
    assert attempts.settle(account(), mine, Outcome.WRONG) is None
    assert store.lock_of("id-ada", AGENT) is None
    host.machine.run(seconds=FIVE.window_s or 0)
    assert [reserve(attempts) for _ in range(5)]


def test_many_guesses_offline_destroy_the_verifier_count(host: Host) -> None:
    """security 15: the count goes on over windows, locks, restarts and lost attempts."""
    store = host.open()
    for number in range(1, 8):
        attempts = OfflineAttempts(store, lambda: 20)
        reservation = reserve(attempts)
        if number % 2:
            attempts.settle(account(), reservation, Outcome.WRONG)
        store = host.restart()
        host.machine.run(hours=1)

    (kept,), _ = store.list()
    assert kept.guesses == 7
    attempts = OfflineAttempts(store, lambda: 20)
    attempts.settle(account(), reserve(attempts), Outcome.PROVEN)
    (kept,), _ = store.list()
    assert kept.guesses == 7


def test_an_attempt_cleared_in_flight_takes_no_guess_back(store: Store) -> None:
    attempts = OfflineAttempts(store, lambda: 20)
    attempts.settle(account(), reserve(attempts), Outcome.WRONG)
    in_flight = reserve(attempts)
    store.clear_tallies("id-ada")

    attempts.settle(account(), in_flight, Outcome.PROVEN)

    assert store.list()[0][0].guesses == 2


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(["reserve", *Outcome]), max_size=40), st.integers(1, 6))
def test_checks_in_a_window_never_exceed_the_threshold_i6(
    store: Store, steps: list[str | Outcome], threshold: int
) -> None:
    """Whatever the order, wrong answers and open attempts together stay within the threshold."""
    policy = FIVE.__class__(threshold, window_s=None, duration_s=None)
    facts = account(f"user-{random.random()}")
    attempts, open_, wrong = DurableAttempts(store), [], 0
    for step in steps:
        if step == "reserve":
            reserved = attempts.reserve(facts, "sshd", policy)
            if isinstance(reserved, Granted):
                open_.append(reserved.reservation)
            assert isinstance(reserved, LockedNow) == (wrong >= threshold)
        elif open_:
            lock = attempts.settle(facts, open_.pop(), step)
            was_locked = wrong >= threshold
            wrong = wrong + 1 if step is Outcome.WRONG and not was_locked else wrong
            if step is Outcome.ALLOWED and not was_locked:
                wrong = 0
            assert (lock is not None) == (wrong >= threshold and not was_locked)
        assert wrong + len(open_) <= threshold or wrong >= threshold


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


def test_threads_of_one_process_share_commits_and_keep_the_threshold_i6(store: Store) -> None:
    attempts, checked = DurableAttempts(store), []

    def guess() -> None:
        while not isinstance(got := attempts.reserve(account(), "sshd", FIVE), LockedNow):
            if isinstance(got, Granted):
                checked.append(got)
                attempts.settle(account(), got.reservation, Outcome.WRONG)

    threads = [threading.Thread(target=guess) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(checked) == 5


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
    """The real clocks of a real process, one year ahead, through the real start."""
    script = (
        "import sys, time\nfrom datetime import datetime, UTC\nfrom pathlib import Path\n"
        "from loginward.core.attempts import LockedNow, Outcome\n"
        "from loginward.store.attempts import OfflineAttempts\n"
        "from loginward.store.timekeeping import Raw\n"
        "from tests.store.stage import FIVE, Host, Machine, account\n"
        "class Real(Machine):\n"
        "    def read(self):\n"
        "        boot = Path('/proc/sys/kernel/random/boot_id').read_text().strip()\n"
        "        up = time.clock_gettime(time.CLOCK_BOOTTIME)\n"
        "        return Raw(datetime.now(UTC), up, boot)\n"
        "store = Host(Path(sys.argv[1]), Real()).open()\n"
        "attempts = OfflineAttempts(store, lambda: 20)\n"
        "for _ in range(5):\n"
        "    got = attempts.reserve(account(), 'sshd', FIVE)\n"
        "    if isinstance(got, LockedNow):\n"
        "        break\n"
        "    attempts.settle(account(), got.reservation, Outcome.WRONG)\n"
        "print(type(got).__name__, datetime.now(UTC).year)\n"
        "store.close()\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'agent'}:{ROOT}"}
    environment |= {"DONT_FAKE_MONOTONIC": "1"}
    said = []
    for prefix in ([], ["faketime", "+1 year"], ["faketime", "-1 year"], []):
        run = subprocess.run(
            [*prefix, sys.executable, "-c", script, str(host.directory)],
            env=environment,
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
