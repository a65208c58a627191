"""A store on a real file with clocks that a test moves, and accounts to keep in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from loginward.core.attempts import Granted, Outcome
from loginward.core.facts import AccountFacts, LockoutPolicy
from loginward.crypto.gate import Gate
from loginward.crypto.keys import KeySource, load_keys
from loginward.crypto.password_hash import Cost, PasswordHasher
from loginward.store.store import Store
from loginward.store.timekeeping import Raw, TrustedTime

if TYPE_CHECKING:
    from pathlib import Path

    from loginward.store.attempts import DurableAttempts

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
FIVE = LockoutPolicy(threshold=5, window_s=900, duration_s=1800)
ALLOWED_S = 259200
CHEAP = Cost(memory_kib=64, passes=1)


@dataclass
class Machine:
    """The clocks of a machine that a test lets run, jump, and reboot."""

    wall: datetime = NOW
    up_s: float = 1000.0
    boots: int = 1

    def read(self) -> Raw:
        return Raw(self.wall, self.up_s, f"boot-{self.boots}")

    def run(self, **span: float) -> None:
        passed = timedelta(**span)
        self.wall += passed
        self.up_s += passed.total_seconds()

    def reboot(self, **off: float) -> None:
        self.wall += timedelta(**off)
        self.boots += 1
        self.up_s = 5.0


@dataclass
class Host:
    """A host with its state directory; `open` is a start of the daemon."""

    directory: Path
    machine: Machine = field(default_factory=Machine)
    opened: list[Store] = field(default_factory=list)

    @property
    def keys_directory(self) -> Path:
        return self.directory / "keys"

    @property
    def database(self) -> Path:
        return self.directory / "store.sqlite"

    def open(self) -> Store:
        keys = load_keys(KeySource.FILE, self.keys_directory, create=True)
        time = TrustedTime(self.machine.read, ALLOWED_S)
        store = Store(self.directory, self.keys_directory, keys, time)
        store.open()
        self.opened.append(store)
        return store

    def restart(self) -> Store:
        self.close()
        return self.open()

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def crash(self) -> None:
        """Let go of the store as a killed process does: nothing is written any more."""
        while self.opened:
            sole = self.opened.pop().file._sole
            assert sole is not None
            sole.release()

    def hasher(self) -> PasswordHasher:
        keys = load_keys(KeySource.FILE, self.keys_directory, create=False)
        return PasswordHasher(Gate(), keys.pepper, CHEAP)


def account(name: str = "ada", **facts: object) -> AccountFacts:
    defaults = {"account_id": f"id-{name}", "name": name, "read_at": NOW, "changed_at": NOW}
    return AccountFacts(**{**defaults, **facts})  # type: ignore[arg-type]


def wrong(attempts: DurableAttempts, facts: AccountFacts | None = None, times: int = 1) -> None:
    """Get a password wrong."""
    facts = facts or account()
    for _ in range(times):
        granted = attempts.reserve(facts, "sshd", FIVE)
        assert isinstance(granted, Granted), granted
        attempts.settle(facts, granted.reservation, Outcome.WRONG)
