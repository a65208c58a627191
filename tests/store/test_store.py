"""What the store remembers of accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loginward.core.attempts import Outcome
from loginward.core.facts import Evidence, Fact, Origin
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause, UserState
from loginward.store.attempts import DurableAttempts, OfflineAttempts
from loginward.store.record import AGENT, OFFLINE
from loginward.store.store import Store
from tests.store.stage import FIVE, NOW, Host, account, wrong

LOCK = Lock(id="l1", cause=LockCause.BY_ADMIN, since=NOW)


def test_a_copy_comes_back_whole_in_any_spelling_of_the_name(store: Store) -> None:
    facts = account(
        "Ada Lovelace",
        state=UserState.SUSPENDED,
        state_since=NOW,
        due=(DueDate(NOW, ExpiryCause.AGING),),
        locks=(LOCK,),
        failures=None,
        groups=frozenset({"staff"}),
        unreadable=frozenset({Fact.FAILURES}),
        lockout=FIVE,
        evidence=(Evidence(Fact.LOCK, Origin.ATTRIBUTE, "pwdAccountLockedTime=..."),),
    )

    assert store.copy_by_name("ada lovelace") is None
    saved = store.save(facts)

    assert (saved.previous, saved.facts) == (None, facts)
    assert store.copy_by_name("  ADA\u00a0 lovelace ") == facts
    assert store.copy(facts.account_id) == facts


def test_copies_survive_a_restart(host: Host) -> None:
    host.open().save(account())

    assert host.restart().copy_by_name("ada") == account()


def test_the_generation_moves_with_the_substance_alone_r60(store: Store) -> None:
    first = store.save(account())
    younger = account(read_at=NOW + timedelta(seconds=1))
    same = store.save(younger)
    failed = store.save(replace(younger, failures=(NOW,)))
    locked = store.save(replace(younger, locks=(LOCK,)))

    assert first.generation == same.generation == failed.generation
    assert same.previous == account()
    assert locked.generation == first.generation + 1
    assert store.generation("id-ada") == locked.generation
    assert store.bump("id-ada") == store.generation("id-ada") == locked.generation + 1
    assert store.generation("id-nobody") == store.bump("id-nobody") == 0


def test_a_reading_that_was_overtaken_does_not_replace_a_younger_one(store: Store) -> None:
    locked = account(locks=(LOCK,), read_at=NOW + timedelta(seconds=1))
    store.save(locked)

    late = store.save(account())

    assert late.facts == store.copy("id-ada") == locked


def test_a_copy_that_only_grew_younger_is_remembered_and_written_later(host: Host) -> None:
    store = host.open()
    store.save(account())
    store = host.restart()
    before = store.file.read(store.file.rows.header).sequence

    younger = account(read_at=NOW + timedelta(seconds=59))
    assert store.save(younger).previous == account()
    youngest = account(read_at=NOW + timedelta(seconds=60))
    assert store.save(youngest).previous == younger

    assert store.file.read(store.file.rows.header).sequence == before
    assert store.copy_by_name("ada") == store.copy("id-ada") == youngest
    wrong(DurableAttempts(store))
    assert store.copy_by_name("ada") == youngest
    assert host.restart().copy_by_name("ada") == youngest


def test_the_age_of_copies_is_written_together(host: Host) -> None:
    store = host.open()
    people = [f"user-{number}" for number in range(600)]
    for name in people[:20]:
        store.save(account(name))
    younger = NOW + timedelta(seconds=30)
    for name in people[:20]:
        store.save(account(name, read_at=younger))
    store.tick()
    host.opened.pop().file.close()  # as if it had died after the tick
    store = host.open()
    assert all(store.copy_by_name(name).read_at == younger for name in people[:20])
    for name in people:
        store.save(account(name, read_at=younger))
    for name in people:
        store.save(account(name, read_at=younger + timedelta(seconds=1)))
    assert len(store.ledger._younger) < 600


def test_a_new_id_under_a_known_name_drops_what_was_kept_of_the_old_one(store: Store) -> None:
    store.save(account())
    wrong(DurableAttempts(store), times=5)

    saved = store.save(account(account_id="another"))

    assert saved.previous is None
    assert store.copy("id-ada") is None
    assert store.lock_of("another", AGENT) is None


def test_a_renamed_account_is_found_under_its_new_name_alone(store: Store) -> None:
    store.save(account())
    store.save(account(name="ada.king", account_id="id-ada"))

    assert store.copy_by_name("ada") is None
    assert store.copy_by_name("ada.king") is not None
    assert store.names() == ("ada.king",)


def test_forgetting_leaves_nothing_of_an_account(host: Host) -> None:
    store = host.open()
    store.save(account())
    store.save(account("grace"))

    assert store.forget("ADA")
    assert not store.forget("ada")

    assert store.copy("id-ada") is None
    assert store.copy_by_name("ada") is None
    assert store.generation("id-ada") == 0
    assert host.restart().names() == ("grace",)


def test_unlocking_ends_every_lock_of_ours_and_the_attempts_in_flight(store: Store) -> None:
    store.save(account())
    agent, offline = DurableAttempts(store), OfflineAttempts(store, lambda: 20)
    wrong(agent, times=4)
    last = agent.reserve(account(), "sshd", FIVE)
    wrong(offline, times=5)
    assert store.lock_of("id-ada", OFFLINE) is not None
    before = store.generation("id-ada")

    assert store.clear_tallies("id-ada")

    assert store.lock_of("id-ada", OFFLINE) is None
    assert agent.settle(account(), last.reservation, Outcome.WRONG) is None
    assert store.generation("id-ada") > before
    assert not store.clear_tallies("id-ada")
    assert not store.clear_tallies("id-nobody")


def test_another_account_serves_as_canary(host: Host) -> None:
    store = host.open()
    store.save(account())
    assert store.another("id-ada") is None
    store.save(account("grace"))

    assert store.another("id-ada") == account("grace")
    assert host.restart().another("id-grace") == account()


def test_what_is_kept_can_be_listed(store: Store) -> None:
    store.save(account("grace"))
    store.save(account())
    wrong(OfflineAttempts(store, lambda: 20), times=5)

    (ada, grace), broken = store.list()

    assert broken == ()
    assert (ada.facts.name, grace.facts.name) == ("ada", "grace")
    assert (ada.guesses, len(ada.locks), grace.locks) == (5, 1, ())
    assert not ada.has_verifier


def test_a_removed_account_is_not_saved(store: Store) -> None:
    with pytest.raises(ValueError, match="Removals"):
        store.save(account(removed=True))
