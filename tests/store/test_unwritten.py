"""What waits in memory for a file that cannot be written: who may be pushed out, and who never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginward.core.attempts import Granted
from loginward.errors import StoreFault
from loginward.sqlite.faults import NotWritable
from loginward.store import unwritten
from loginward.store.attempts import DurableAttempts
from loginward.store.ledger import _AT_ONCE
from loginward.store.record import AGENT
from tests.store.stage import FIVE, Host, account, wrong

if TYPE_CHECKING:
    from loginward.store.store import Store

ROOT = Path(__file__).resolve().parents[2]


def full(function: object) -> None:
    raise NotWritable("the disk is full")


def test_whoever_is_locked_or_counted_is_not_pushed_out_by_whoever_is_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk a lock was lost to the 10,000th account that came after it."""
    monkeypatch.setattr(unwritten, "MOST", 3)
    attempts = DurableAttempts(store)
    with monkeypatch.context() as disk:
        disk.setattr(store.file, "write", full)
        wrong(attempts, account("locked"), times=5)
        wrong(attempts, account("counted"))
        for name in ("one", "two", "three"):
            store.save(account(name))

        assert store.lock_of("id-locked", AGENT) is not None
        assert store.ledger.record("id-counted") is not None
        assert [store.copy(f"id-{name}") is not None for name in ("one", "two", "three")] == [
            False,
            False,
            True,
        ]
        assert store.copy_by_name("one") is None
    store.tick()
    assert sorted(store.names()) == ["counted", "locked", "three"]


def test_with_no_room_left_a_guess_is_refused_and_no_count_is_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwritten, "MOST", 3)
    attempts = DurableAttempts(store)
    store.save(account("newcomer"))
    with monkeypatch.context() as disk:
        disk.setattr(store.file._commits, "run", full)
        for name in ("ada", "grace", "edsger"):
            wrong(attempts, account(name))

        with pytest.raises(NotWritable, match="no more is taken"):
            attempts.reserve(account("newcomer"), "sshd", FIVE)
        with pytest.raises(StoreFault):
            store.save(account("somebody"))
        assert any("no more is taken" in fault.problem for fault in store.faults())
        wrong(attempts, account("ada"), times=4)  # who is counted already goes on being so
        assert store.lock_of("id-ada", AGENT) is not None
    assert isinstance(attempts.reserve(account("newcomer"), "sshd", FIVE), Granted)
    assert store.faults() == ()
    for name in ("grace", "edsger"):
        record = store.ledger.record(f"id-{name}")
        assert record is not None
        assert len(record.tally(AGENT).failures) == 1


def test_one_login_takes_a_bounded_part_along_and_the_next_flush_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 accounts took 11 s in the way of the login that came first."""
    people = 2 * _AT_ONCE + 10
    with monkeypatch.context() as disk:
        disk.setattr(store.file, "write", full)
        for number in range(people):
            store.save(account(f"u{number}"))
    writes = list[object]()
    write = store.file.write
    monkeypatch.setattr(store.file, "write", lambda step: (writes.append(step), write(step))[1])

    store.save(account("first"))
    assert (len(writes), store.count()) == (2, 1 + _AT_ONCE)
    store.tick()
    assert store.count() == 1 + people
    assert len(writes) < 6


KILLED = """
import os, signal, sys
from pathlib import Path
from loginward.sqlite.faults import NotWritable
from loginward.store.attempts import DurableAttempts
from tests.store.stage import Host, account, wrong

host = Host(Path(sys.argv[1]))
store = host.open()
write, written = store.file.write, []

def full(step):
    raise NotWritable("the disk is full")

def cut_short(step):
    result = write(step)
    written.append(step)
    if len(written) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

store.file.write = full
for number in range(600):
    wrong(DurableAttempts(store), account(f"u{number}"), times=5)
store.file.write = cut_short
store.save(account("first"))
store.tick()
"""


def test_a_kill_between_two_parts_leaves_each_whole(host: Host) -> None:
    """I6: what was counted in memory and got into the file stays; the file believes itself."""
    run = subprocess.run(
        [sys.executable, "-c", KILLED, host.directory],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'agent'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr

    store = host.open()
    assert store.faults() == ()
    locked = [number for number in range(600) if store.lock_of(f"id-u{number}", AGENT) is not None]
    assert locked == list(range(2 * _AT_ONCE))
    assert store.count() == 1 + 2 * _AT_ONCE
