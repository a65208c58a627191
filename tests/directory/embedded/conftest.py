"""A small world around an embedded directory: a clock that is set, hashes that cost nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loginward.core.attempts import Granted, Outcome
from loginward.core.clock import Deadline
from loginward.core.facts import LockoutPolicy, status_at
from loginward.core.passwords import PasswordRules
from loginward.core.secret import Secret
from loginward.crypto.gate import Gate
from loginward.crypto.password_hash import Cost, PasswordHasher
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.embedded.book import Book
from loginward.directory.embedded.directory import EmbeddedDirectory
from loginward.directory.embedded.facts import SiteRules
from loginward.directory.embedded.hashing import Hashing
from loginward.directory.port import Act, Verb

SOURCE = "sshd 203.0.113.7"


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self._now = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)

    def now(self):
        return self._now

    def monotonic(self):
        return self._now.timestamp()

    boottime = monotonic

    def pass_by(self, span):
        self._now += span


class CountingHasher(PasswordHasher):
    """The real hasher at the least cost; counts, and can let something happen meanwhile."""

    def __init__(self):
        super().__init__(Gate(at_once=8, places=64), None, Cost(memory_kib=8, passes=1))
        self.computed = 0
        self.meanwhile = None

    def hash(self, password, source, **work):
        self.computed += 1
        phc = super().hash(password, source, **work)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return phc

    def verify(self, phc, password, source, **work):
        self.computed += 1
        return super().verify(phc, password, source, **work)


class World:
    """One directory and those who use it."""

    def __init__(self, path):
        self.path = path
        self.clock = SetClock()
        self.lockout = LockoutPolicy(threshold=5, window_s=900, duration_s=1800)
        self.passwords = PasswordRules()
        self.hasher = CountingHasher()
        self._open = None
        self.reopen()

    def reopen(self):
        self.close()
        site = SiteRules(self.passwords, self.lockout)
        self.book = Book(self.path, site, self.clock, Hashing(self.hasher))
        self.directory = self._open = EmbeddedDirectory(self.book)

    def close(self):
        if self._open is not None:
            self._open.close()

    def site(self, **passwords):
        self.passwords = replace(self.passwords, **passwords)
        return SiteRules(self.passwords, self.lockout)

    def rules(self, **passwords):
        self.directory.apply(self.site(**passwords))

    def deadline(self):
        return Deadline.after(10, self.clock)

    def add(self, name, password, **fields):
        account_id, _ = self.directory.add(NewAccount(name=name, **fields))
        self.act(name, Verb.SET_FIRST_PASSWORD, password)
        return account_id

    def facts(self, name):
        return self.directory.find(name, self.deadline())

    def status(self, name):
        return status_at(self.facts(name), self.clock.now())

    def act(self, name, verb, password=None):
        secret = None if password is None else Secret(password)
        return self.directory.act(
            self.facts(name), Act(verb=verb, password=secret), self.deadline()
        )

    def check(self, name, password):
        return self.directory.check(self.facts(name), Secret(password), self.deadline())

    def change(self, name, old, new):
        return self.directory.change(self.facts(name), Secret(old), Secret(new), self.deadline())

    def activate(self, name, token, new):
        return self.directory.activate_with_token(name, Secret(token), Secret(new), self.deadline())

    def reserve(self, name, source=SOURCE):
        return self.directory.reserve(self.facts(name), source, self.lockout)

    def settle(self, name, reserved, outcome):
        return self.directory.settle(self.facts(name), reserved.reservation, outcome)

    def guess(self, name, times=1):
        """Settle wrong passwords; return the lock of the last one."""
        lock = None
        for _ in range(times):
            reserved = self.reserve(name)
            assert isinstance(reserved, Granted)
            lock = self.settle(name, reserved, Outcome.WRONG)
        return lock

    def lock_by_guessing(self, name):
        return self.guess(name, self.lockout.threshold)

    def hashes_computed(self):
        return self.hasher.computed

    def during_next_hash(self, meanwhile):
        self.hasher.meanwhile = meanwhile

    def in_parallel(self, work, arguments, threads=8):
        """Call on several threads at once; return the results in the order of arguments."""
        go = threading.Event()

        def one(argument):
            go.wait(10)
            return work(argument)

        with ThreadPoolExecutor(threads) as pool:
            results = pool.map(one, arguments)
            go.set()
            return list(results)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "accounts.db")
    yield world
    world.close()


@pytest.fixture(scope="session")
def new_world():
    """Return the maker of worlds, for tests that need several."""
    return World
