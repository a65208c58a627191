"""What the store costs: an attempt made durable, alone and in a crowd, beside the disk's own price."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from loginward.core.attempts import Granted, Outcome
from loginward.core.facts import AccountFacts, LockoutPolicy
from loginward.crypto.gate import Gate
from loginward.crypto.keys import KeySource, load_keys
from loginward.crypto.password_hash import PasswordHasher
from loginward.sqlite.commits import GroupCommit
from loginward.sqlite.database import Database
from loginward.store.attempts import DurableAttempts
from loginward.store.store import Store
from tests.store.stage import NOW, Machine, TrustedTime, account

ENDLESS = LockoutPolicy(threshold=1_000_000, window_s=900, duration_s=1800)


def run(rounds: int = 1000) -> dict[str, float]:
    """Return milliseconds (p50, p99) and rates; on the disk of the current folder."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        directory = Path(name)
        keys = load_keys(KeySource.FILE, directory / "keys", create=True)
        store = Store(directory, directory / "keys", keys, TrustedTime(Machine().read, 259200))
        store.open()
        found = {**_price_of_disk(directory, rounds), **_attempts(store, rounds)}
        found |= _crowd(store, 64, rounds // 10)
        found |= _reads(store, rounds)
        store.close()
    hasher = PasswordHasher(Gate(), keys.pepper)
    found["argon2id_ms"] = _median_ms(lambda: hasher.hash(b"password", "bench"), 5)
    return {key: round(value, 4) for key, value in found.items()}


def _price_of_disk(directory: Path, rounds: int) -> dict[str, float]:
    with (directory / "append").open("ab", buffering=0) as file:

        def append() -> None:
            file.write(os.urandom(400))
            os.fdatasync(file.fileno())

        appended = _median_ms(append, rounds)
    database = Database(directory / "bare.sqlite", ("CREATE TABLE t (k PRIMARY KEY, v BLOB);\n",))
    database.prepare()
    commits = GroupCommit(database)

    def commit() -> None:
        octets = os.urandom(400)
        commits.run(lambda c: c.execute("INSERT OR REPLACE INTO t VALUES (1, ?)", (octets,)))

    bare = _median_ms(commit, rounds)
    database.close()
    return {"fdatasync_append_ms": appended, "bare_commit_ms": bare}


def _attempts(store: Store, rounds: int) -> dict[str, float]:
    attempts = DurableAttempts(store)
    people = [account(f"user-{number}") for number in range(50)]
    for facts in people:
        store.save(facts)
    reserved, settled = list[float](), list[float]()
    for number in range(rounds):
        facts = people[number % len(people)]
        begin = time.perf_counter()
        granted = attempts.reserve(facts, "sshd 203.0.113.7", ENDLESS)
        between = time.perf_counter()
        assert isinstance(granted, Granted)
        attempts.settle(facts, granted.reservation, Outcome.ALLOWED)
        reserved.append(between - begin)
        settled.append(time.perf_counter() - between)
    return {
        "reserve_p50_ms": statistics.median(reserved) * 1e3,
        "reserve_p99_ms": sorted(reserved)[rounds * 99 // 100] * 1e3,
        "settle_p50_ms": statistics.median(settled) * 1e3,
    }


def _crowd(store: Store, size: int, each: int) -> dict[str, float]:
    attempts = DurableAttempts(store)

    def work(facts: AccountFacts) -> None:
        for _ in range(each):
            granted = attempts.reserve(facts, "sshd", ENDLESS)
            assert isinstance(granted, Granted)
            attempts.settle(facts, granted.reservation, Outcome.ALLOWED)

    threads = [threading.Thread(target=work, args=(account(f"c-{n}"),)) for n in range(size)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {f"attempts_per_s_at_{size}": size * each / (time.perf_counter() - begin)}


def _reads(store: Store, rounds: int) -> dict[str, float]:
    facts = account("user-1")
    ages = iter(range(rounds + 1))

    def save_younger() -> None:
        store.save(account("user-1", read_at=NOW.replace(microsecond=next(ages))))

    return {
        "copy_by_name_ms": _median_ms(lambda: store.copy_by_name("user-1"), rounds),
        "generation_ms": _median_ms(lambda: store.generation(facts.account_id), rounds),
        "save_unchanged_ms": _median_ms(save_younger, rounds),
    }


def _median_ms(work: object, rounds: int) -> float:
    assert callable(work)
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent) * 1e3


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:24} {value:12.4f}")
