"""Several threads at one record: what one of them found is not taken for what another left."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from loginward.core.attempts import Granted
from loginward.core.facts import LockoutPolicy
from loginward.sqlite.faults import NotWritable
from loginward.store.attempts import DurableAttempts
from loginward.store.record import AGENT, Record
from tests.doubles.flapping import FlappingCommits
from tests.doubles.switching import switching_often
from tests.store.stage import FIVE, NOW, Host, account, wrong

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from loginward.core.facts import AccountFacts
    from loginward.store.store import Store


def full(_: object) -> None:
    raise NotWritable("disk full")


def pending(store: Store) -> int:
    """Return how many attempts are counted as under way, in memory or in the file."""
    record = store.ledger.record("id-ada")
    assert record is not None
    return len(record.tally(AGENT).pending)


def guess(store: Store) -> None:
    """Reserve an attempt, as a login does before its password is checked."""
    assert isinstance(DurableAttempts(store).reserve(account(), "sshd", FIVE), Granted)


@pytest.mark.parametrize("waits", [False, True])
def test_a_guess_kept_in_memory_while_another_is_written_is_counted_like_it_i6(
    store: Store, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    """The disk gets room between the failed write of one and the moment it is kept in memory."""
    store.save(account())
    write = store.file.write
    if waits:
        with monkeypatch.context() as disk:
            disk.setattr(store.file, "write", full)
            guess(store)

    def overtaken(step: Callable[[sqlite3.Connection], object]) -> object:
        def then_another(connection: sqlite3.Connection) -> object:
            result = step(connection)
            monkeypatch.setattr(store.file, "write", full)
            guess(store)
            monkeypatch.setattr(store.file, "write", write)
            return result

        return write(then_another)

    monkeypatch.setattr(store.file, "write", overtaken)
    guess(store)
    store.tick()

    assert pending(store) == 2 + waits
    assert not store.ledger._unwritten.is_owing


def test_a_guess_written_just_after_one_that_had_waited_is_counted_too_i6(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waited is in the file, but still in memory: the next guess goes on from both."""
    store.save(account())
    write = store.file.write
    with monkeypatch.context() as disk:
        disk.setattr(store.file, "write", full)
        guess(store)

    def durable_then_another(step: Callable[[sqlite3.Connection], object]) -> object:
        monkeypatch.setattr(store.file, "write", write)
        result = write(step)
        guess(store)
        return result

    monkeypatch.setattr(store.file, "write", durable_then_another)
    guess(store)

    assert pending(store) == 3
    assert not store.ledger._unwritten.is_owing


def test_a_guess_whose_commit_fails_once_it_is_made_counts_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(account())
    write = store.file.write

    def fails_late(step: Callable[[sqlite3.Connection], object]) -> object:
        def cut_short(connection: sqlite3.Connection) -> None:
            step(connection)
            raise NotWritable("disk full")

        return write(cut_short)

    with monkeypatch.context() as disk:
        disk.setattr(store.file, "write", fails_late)
        guess(store)
        assert pending(store) == 1
    guess(store)
    assert pending(store) == 2


def test_who_gave_up_waiting_for_the_disk_is_counted_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that is run after its login went on without it does nothing."""
    store.save(account())
    write, late = store.file.write, []

    def hangs(step: Callable[[sqlite3.Connection], object]) -> None:
        late.append(step)
        raise NotWritable("the disk does not answer")

    with monkeypatch.context() as disk:
        disk.setattr(store.file, "write", hangs)
        guess(store)
    with pytest.raises(NotWritable):
        write(late[0])
    store.tick()

    assert pending(store) == 1


def test_a_login_goes_on_while_the_commit_of_another_hangs(store: Store) -> None:
    """A flush that never returned held every login that wrote."""
    store.save(account())
    store.file._commits._patience_s = 0.05
    entered, go_on = threading.Event(), threading.Event()

    def hangs(_: sqlite3.Connection) -> None:
        entered.set()
        assert go_on.wait(10)

    hanging = threading.Thread(target=store.file.write, args=(hangs,))
    hanging.start()
    assert entered.wait(10)

    wrong(DurableAttempts(store), times=5)

    assert store.lock_of("id-ada", AGENT) is not None
    assert ["does not answer" in fault.problem for fault in store.faults()] == [True]
    assert store.file.turn is not None
    go_on.set()
    hanging.join(10)
    store.tick()
    assert store.faults() == ()
    assert store.file.turn is None
    assert not store.ledger._unwritten.is_owing


@pytest.mark.parametrize("seed", range(3))
def test_many_threads_on_a_disk_that_comes_and_goes_lose_no_guess_and_double_none_i6(
    host: Host, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Some of them also give up waiting for a commit that comes after all."""
    store, loose = host.open(), LockoutPolicy(10**6, 10**6, 10**6)
    attempts, names = DurableAttempts(store), ("ada", "grace")
    real = store.file._commits
    real._patience_s = 0.002
    granted = {name: set[str]() for name in names}

    def guesses(name: str) -> None:
        for _ in range(20):
            got = attempts.reserve(account(name), "sshd", loose)
            assert isinstance(got, Granted)
            granted[name].add(got.reservation)
        store.ledger.flush()

    with monkeypatch.context() as disk, switching_often():
        disk.setattr(store.file, "_commits", FlappingCommits(real, seed))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(guesses, names * 4))
    real._patience_s = 10
    store.tick()
    host.crash()

    store = host.open()
    for name in names:
        record = store.ledger.record(f"id-{name}")
        assert record is not None
        kept = [one.reservation for one in record.tally(AGENT).pending]
        assert sorted(kept) == sorted(granted[name])


def younger(by_s: int) -> AccountFacts:
    return account(read_at=NOW + timedelta(seconds=by_s))


def test_a_reading_that_comes_back_after_a_lock_does_not_hide_it_r60(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a login's look at the copy and its renewal another one trips the lock."""
    before = store.save(account()).generation
    latest = store.ledger.latest

    def overtaken(account_id: str) -> Record | None:
        found = latest(account_id)
        monkeypatch.setattr(store.ledger, "latest", latest)
        wrong(DurableAttempts(store), times=5)
        return found

    monkeypatch.setattr(store.ledger, "latest", overtaken)
    saved = store.save(younger(by_s=1))

    assert store.lock_of("id-ada", AGENT) is not None
    assert saved.generation == store.generation("id-ada") > before
    assert store.copy("id-ada") == younger(by_s=1)


def test_a_copy_forgotten_while_it_is_read_is_kept_again_by_the_next_login(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.open().save(account())
    store = host.restart()
    record = store.ledger.record

    def forgotten(account_id: str) -> Record | None:
        found = record(account_id)
        monkeypatch.setattr(store.ledger, "record", record)
        assert store.forget("ada")
        return found

    monkeypatch.setattr(store.ledger, "record", forgotten)
    store.save(younger(by_s=1))

    assert [kept.facts.name for kept in store.list()[0]] == ["ada"]


def test_what_waits_for_a_full_disk_is_not_lost_to_a_name_that_was_not_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new account of the same name lets the old one go once it is in the file, not before."""
    store.save(account())
    commits = store.file.write

    def full(function: Callable[[sqlite3.Connection], object]) -> object:
        def cut_short(connection: sqlite3.Connection) -> None:
            function(connection)
            raise NotWritable("disk full")

        return commits(cut_short)

    monkeypatch.setattr(store.file, "write", full)
    wrong(DurableAttempts(store), times=5)
    assert store.lock_of("id-ada", AGENT) is not None
    with pytest.raises(NotWritable):
        store.ledger.change(
            "id-other",
            lambda _: (Record(facts=account(account_id="id-other"), generation=1), None),
            only_durable=True,
        )

    assert store.lock_of("id-ada", AGENT) is not None
