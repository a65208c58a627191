"""The embedded directory with 100,000 accounts, side by side with one of 100."""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from loginward.core.attempts import Granted, Outcome
from loginward.core.clock import Deadline
from loginward.core.evidence import Proven
from loginward.core.facts import LockoutPolicy
from loginward.core.passwords import PasswordRules
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus
from loginward.crypto.gate import Gate
from loginward.crypto.password_hash import PasswordHasher
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.embedded.book import Book
from loginward.directory.embedded.directory import EmbeddedDirectory
from loginward.directory.embedded.facts import SiteRules
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.hashing import Hashing
from loginward.directory.embedded.importing import Imported
from loginward.directory.port import Act, Verb

PASSWORD = b"bench-horse-battery"
LOCKOUT = LockoutPolicy(threshold=5, window_s=900, duration_s=1800)
LOCKED_EVERY = 1000


class WallClock:
    """The machine's clocks."""

    def now(self):
        return datetime.now(UTC)

    def monotonic(self):
        return time.monotonic()

    def boottime(self):
        return time.monotonic()


class Bench:
    """A directory of so many accounts, one in a thousand locked."""

    def __init__(self, path, count, hasher, phc):
        self.clock = WallClock()
        site = SiteRules(PasswordRules(max_age_s=90 * 86400), LOCKOUT)
        self.directory = EmbeddedDirectory(Book(path, site, self.clock, Hashing(hasher)))
        entries = [
            {"username": f"user{n}", "password_hash": phc, "groups": ["staff"]}
            for n in range(count)
        ]
        octets = json.dumps(entries).encode()
        began = time.perf_counter()
        self.directory.add(NewAccount(name="meanwhile"))
        with self._logins() as waits_s:
            imported = self.directory.import_accounts(octets, Format.JSON, lambda _: None)
        self.import_s = time.perf_counter() - began
        self.longest_wait_ms = max(waits_s) * 1000
        assert isinstance(imported, Imported), imported
        for n in range(0, count, LOCKED_EVERY):
            self.act(f"user{n}", Verb.LOCK)
        self.count = count

    @contextmanager
    def _logins(self):
        """Count logins of somebody until the block is left; give how long each took, in s."""
        ended, waits_s = threading.Event(), [0.0]

        def work():
            while not ended.wait(0.002):
                began = time.perf_counter()
                facts = self.directory.find("meanwhile", self.deadline())
                reserved = self.directory.reserve(facts, "bench", LOCKOUT)
                self.directory.settle(facts, reserved.reservation, Outcome.ALLOWED)
                waits_s.append(time.perf_counter() - began)

        worker = threading.Thread(target=work)
        worker.start()
        try:
            yield waits_s
        finally:
            ended.set()
            worker.join()

    def deadline(self):
        return Deadline.after(60, self.clock)

    def act(self, name, verb):
        facts = self.directory.find(name, self.deadline())
        self.directory.act(facts, Act(verb=verb), self.deadline())

    def login(self, number, *, check):
        """One login as the runtime makes it; without `check` the hash is left out."""
        facts = self.directory.find(f"USER{number}", self.deadline())
        reserved = self.directory.reserve(facts, "bench", LOCKOUT)
        assert isinstance(reserved, Granted), reserved
        if check:
            checked = self.directory.check(facts, Secret(PASSWORD), self.deadline())
            assert isinstance(checked, Proven)
        self.directory.read(facts, self.deadline())
        self.directory.settle(facts, reserved.reservation, Outcome.ALLOWED)

    def logins_ms(self, times, *, check):
        """Return the median of logins of accounts all over the directory, in ms."""
        numbers = [(n * 7919 + 1) % self.count for n in range(times)]
        numbers = [n for n in numbers if n % LOCKED_EVERY] or [1]
        return _median_ms(lambda n: self.login(n, check=check), numbers)

    def reservations_per_s(self, threads, each):
        """Return how many attempts a second are recorded durably, several at a time."""

        def work(first):
            for n in range(each):
                number = (first + n * threads) % self.count
                facts = self.directory.find(f"user{number or 1}", self.deadline())
                reserved = self.directory.reserve(facts, "bench", LOCKOUT)
                if isinstance(reserved, Granted):
                    self.directory.settle(facts, reserved.reservation, Outcome.ALLOWED)

        workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return threads * each / (time.perf_counter() - began)


def run() -> dict[str, float]:
    """Return medians in ms or s, counts a second, and the ratio of a large to a small one."""
    hasher = PasswordHasher(Gate(), None)
    phc = hasher.hash(PASSWORD, "bench")
    with tempfile.TemporaryDirectory() as folder:
        small = Bench(Path(folder) / "small.db", 100, hasher, phc)
        large = Bench(Path(folder) / "large.db", 100_000, hasher, phc)
        for bench in (small, large):
            bench.logins_ms(50, check=False)  # caches warm
        directory = large.directory
        result = {
            "import_100k_s": large.import_s,
            "import_100k_longest_login_ms": large.longest_wait_ms,
            "users_status_locked_s": _median_ms(
                lambda _: directory.accounts_with(PasswordStatus.LOCKED), range(5)
            )
            / 1000,
            "users_status_expired_s": _median_ms(
                lambda _: directory.accounts_with(PasswordStatus.EXPIRED), range(5)
            )
            / 1000,
            "users_all_s": _median_ms(lambda _: directory.accounts_with(), [1]) / 1000,
            "export_with_hashes_s": _median_ms(
                lambda _: sum(map(len, directory.export_accounts(Format.JSON, with_hashes=True))),
                [1],
            )
            / 1000,
            "login_100_ms": small.logins_ms(30, check=True),
            "login_100k_ms": large.logins_ms(30, check=True),
            "login_without_hash_100_ms": small.logins_ms(500, check=False),
            "login_without_hash_100k_ms": large.logins_ms(500, check=False),
            "reserve_settle_per_s_1": large.reservations_per_s(1, 500),
            "reserve_settle_per_s_8": large.reservations_per_s(8, 200),
        }
        result["login_ratio"] = result["login_100k_ms"] / result["login_100_ms"]
        found = len(directory.accounts_with(PasswordStatus.LOCKED))
        assert found == 100_000 // LOCKED_EVERY, found
        for bench in (small, large):
            bench.directory.close()
    return {name: round(value, 4) for name, value in result.items()}


def _median_ms(work, arguments):
    took = []
    for argument in arguments:
        began = time.perf_counter()
        work(argument)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
