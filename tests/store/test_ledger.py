"""A full disk, a read-only file system, and a model that the store agrees with."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.facts import AccountFacts
from loginward.core.names import index_form
from loginward.store.attempts import DurableAttempts
from loginward.store.record import AGENT
from tests.store.stage import FIVE, Host, account

ROOT = Path(__file__).resolve().parents[2]

# In a mount namespace of its own: nothing is mounted on this machine.
SMALL_DISK = """
set -e
mkdir -p "$1"
mount -t tmpfs -o size=400k,mode=700 tmpfs "$1"
exec "$2" -c "$3" "$1"
"""

PRELUDE = """
import os, subprocess, sys
from pathlib import Path
from loginward.core.attempts import Granted, LockedNow, Outcome
from loginward.core.secret import Secret
from loginward.sqlite.faults import NotWritable
from loginward.store.attempts import DurableAttempts
from loginward.store.verifiers import Verifiers
from tests.store.stage import FIVE, Host, account

host = Host(Path(sys.argv[1]))

def fill():
    with open(host.directory / "ballast", "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(512))
        except OSError:
            pass

def guess(attempts, facts):
    got = attempts.reserve(facts, "sshd", FIVE)
    if isinstance(got, Granted):
        attempts.settle(facts, got.reservation, Outcome.WRONG)
    return type(got).__name__
"""

FULL = (
    PRELUDE
    + """
store = host.open()
saved = store.save(account())
attempts = DurableAttempts(store)
assert guess(attempts, account()) == "Granted"
fill()
while not store.faults():
    store.save(account(f"filler-{os.urandom(4).hex()}", groups=frozenset({"x" * 3000})))
assert "full" in store.faults()[0].problem, store.faults()
verifiers = Verifiers(store, host.hasher(), lambda: 5)
verifiers.start()
verifiers.proven_online(account(), Secret(b"right"), saved.generation)
verifiers.idle()
verifiers.close()
assert store.ledger.record("id-ada").verifier is None      # none is made
grace = store.save(account("grace", groups=frozenset({"y" * 30000})))  # directory-owned: goes on
assert store.copy_by_name("GRACE") == grace.facts
big = frozenset({"x" * 90000})
store.save(account(groups=big))
said = [guess(attempts, account()) for _ in range(5)]       # agent-owned: counts in memory
assert said == ["Granted"] * 4 + ["LockedNow"], said
assert store.lock_of("id-ada", "agent") is not None
assert store.faults()
(host.directory / "ballast").unlink()
subprocess.run(["mount", "-o", "remount,size=20m", host.directory], check=True)
store.save(account("grace", groups=frozenset({"z"})))       # anybody's change
assert store.faults() == (), store.faults()
host.crash()
store = host.open()
assert store.lock_of("id-ada", "agent") is not None         # what memory counted is in the file
assert store.faults() == (), store.faults()
print("as designed")
"""
)

READ_ONLY = (
    PRELUDE
    + """
store = host.open()
store.save(account())
guess(DurableAttempts(store), account())
host.close()
subprocess.run(["mount", "-o", "remount,ro", host.directory], check=True)
store = host.open()
assert "read-only" in store.faults()[0].problem.lower(), store.faults()
assert store.copy_by_name("ada") == account()
attempts = DurableAttempts(store)
said = [guess(attempts, account()) for _ in range(5)]
assert said == ["Granted"] * 4 + ["LockedNow"], said
store.save(account("grace"))
assert store.copy_by_name("grace") == account("grace")
host.close()
subprocess.run(["mount", "-o", "remount,rw", host.directory], check=True)
store = host.open()
assert store.faults() == (), store.faults()
assert store.copy_by_name("ada") == account()
print("as designed")
"""
)

FULL_AT_START = (
    PRELUDE
    + """
store = host.open()
store.save(account())
host.close()
fill()
store = host.open()
assert store.faults(), "a full disk went unseen"
assert store.copy_by_name("ada") == account()
attempts = DurableAttempts(store)
said = [guess(attempts, account()) for _ in range(6)]
assert said == ["Granted"] * 5 + ["LockedNow"], (said, store.faults())
(host.directory / "ballast").unlink()
store.tick()                                                # room again, and no restart
assert store.faults() == (), store.faults()
store.save(account("grace"))
host.crash()
store = host.open()
assert store.faults() == (), store.faults()
assert store.lock_of("id-ada", "agent") is not None
assert store.copy_by_name("grace") == account("grace")
print("as designed")
"""
)


def on_small_disk(tmp_path: Path, script: str) -> None:
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", SMALL_DISK, "sh", tmp_path / "disk", sys.executable, script],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'agent'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "as designed\n"), run.stderr


def test_a_full_disk_lets_directory_owned_logins_go_on_and_counts_ours_in_memory(
    tmp_path: Path,
) -> None:
    on_small_disk(tmp_path, FULL)


def test_a_read_only_file_system_is_read_and_counted_in_memory(tmp_path: Path) -> None:
    on_small_disk(tmp_path, READ_ONLY)


def test_a_disk_full_at_start_keeps_the_copies(tmp_path: Path) -> None:
    on_small_disk(tmp_path, FULL_AT_START)


NAMES = st.sampled_from(["ada", "ADA", "grace", "Grace  Hopper", "edsger"])
IDS = st.sampled_from(["1", "2", "3"])


@dataclass
class Row:
    facts: AccountFacts
    failures: int = 0
    locked: bool = False
    open: list[str] = field(default_factory=list)


class AgainstAPlainDict(RuleBasedStateMachine):
    """The store, over restarts, is a dict by id and by name with five-strikes counters."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.host = Host(Path(self.directory.name))
        self.model = dict[str, Row]()

    @initialize()
    def start(self) -> None:
        self.store = self.host.open()
        self.attempts = DurableAttempts(self.store)

    @rule(account_id=IDS, name=NAMES, group=st.sampled_from(["", "staff"]))
    def save(self, account_id: str, name: str, group: str) -> None:
        facts = account(name, account_id=account_id, groups=frozenset({group}))
        saved = self.store.save(facts)
        before = self.model.get(account_id)
        assert saved.previous == (before.facts if before else None)
        row = Row(facts) if before is None else before
        row.facts = facts
        for other, kept in list(self.model.items()):
            if other != account_id and index_form(kept.facts.name) == index_form(name):
                del self.model[other]
        self.model[account_id] = row

    @rule(account_id=IDS)
    def reserve(self, account_id: str) -> None:
        row = self.model.get(account_id)
        if row is None:
            return
        got = self.attempts.reserve(row.facts, "sshd", FIVE)
        if row.locked:
            assert isinstance(got, LockedNow)
        elif row.failures + len(row.open) >= 5:
            assert isinstance(got, AtLimit)
        else:
            assert isinstance(got, Granted)
            row.open.append(got.reservation)

    @rule(account_id=IDS, outcome=st.sampled_from(Outcome))
    def settle(self, account_id: str, outcome: Outcome) -> None:
        row = self.model.get(account_id)
        if row is None or not row.open:
            return
        lock = self.attempts.settle(row.facts, row.open.pop(), outcome)
        if not row.locked:
            row.failures += outcome is Outcome.WRONG
            row.failures = 0 if outcome is Outcome.ALLOWED else row.failures
        tripped = not row.locked and row.failures >= 5
        row.locked |= tripped
        assert (lock is not None) == tripped

    @rule(account_id=IDS)
    def unlock(self, account_id: str) -> None:
        self.store.clear_tallies(account_id)
        row = self.model.get(account_id)
        if row is not None:
            self.model[account_id] = Row(row.facts)

    @rule(name=NAMES)
    def forget(self, name: str) -> None:
        found = [i for i, r in self.model.items() if index_form(r.facts.name) == index_form(name)]
        assert self.store.forget(name) == bool(found)
        for account_id in found:
            del self.model[account_id]

    @rule()
    def restart(self) -> None:
        for row in self.model.values():  # so that nothing recovered blurs the model
            while row.open:
                self.attempts.settle(row.facts, row.open.pop(), Outcome.NO_VERDICT)
        self.store = self.host.restart()
        self.attempts = DurableAttempts(self.store)

    @invariant()
    def agrees(self) -> None:
        if not self.host.opened:
            return
        assert sorted(self.store.names()) == sorted(r.facts.name for r in self.model.values())
        for account_id, row in self.model.items():
            assert self.store.copy(account_id) == row.facts
            assert self.store.copy_by_name(row.facts.name.upper()) == row.facts
            assert (self.store.lock_of(account_id, AGENT) is not None) == row.locked
        assert self.store.faults() == ()

    def teardown(self) -> None:
        self.host.close()
        self.directory.cleanup()


TestAgainstAPlainDict = AgainstAPlainDict.TestCase
TestAgainstAPlainDict.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
