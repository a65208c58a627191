"""When an empty answer means that somebody left (security 13)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.store.removals import Missing, Removals
from tests.store.stage import account

if TYPE_CHECKING:
    from loginward.store.store import Store
    from tests.store.stage import Host


def populated(host: Host, people: int) -> Store:
    store = host.open()
    for number in range(people):
        store.save(account(f"user-{number}"))
    return store


def ask(removals: Removals, number: int, *, canary_read: bool = True) -> Missing:
    return removals.missing(account(f"user-{number}"), canary_read=canary_read)


def test_two_empty_answers_a_minute_apart_remove(host: Host) -> None:
    store = populated(host, 3)
    removals = Removals(store)
    before = store.generation("id-user-0")

    assert ask(removals, 0) is Missing.HOLDS
    host.machine.run(seconds=59)
    assert ask(removals, 0) is Missing.HOLDS
    host.machine.run(seconds=1)
    assert ask(removals, 0) is Missing.REMOVED
    assert store.copy_by_name("user-0").removed
    assert store.generation("id-user-0") > before
    removals = Removals(host.restart())
    assert ask(removals, 0) is Missing.REMOVED
    assert "user-0" in host.opened[0].names()


def test_without_a_canary_nothing_is_removed(host: Host) -> None:
    removals = Removals(populated(host, 3))
    for canary_read in (False, True, False):
        assert ask(removals, 0, canary_read=canary_read) is Missing.HOLDS
        host.machine.run(seconds=61)
    assert ask(removals, 0) is Missing.REMOVED


def test_reading_the_same_id_again_ends_it(host: Host) -> None:
    store = populated(host, 3)
    removals = Removals(store)
    for _ in range(2):
        ask(removals, 0)
        host.machine.run(seconds=60)
    assert store.copy_by_name("user-0").removed

    saved = store.save(replace(account("user-0"), read_at=host.machine.wall))

    assert not saved.facts.removed
    assert saved.previous is not None
    assert saved.previous.removed
    assert ask(removals, 0) is Missing.HOLDS


def test_between_the_answers_a_reading_starts_it_anew(host: Host) -> None:
    store = populated(host, 3)
    removals = Removals(store)
    ask(removals, 0)
    store.save(replace(account("user-0"), read_at=host.machine.wall))
    host.machine.run(seconds=61)

    assert ask(removals, 0) is Missing.HOLDS


def test_many_at_once_are_a_fault_and_their_copies_hold(host: Host) -> None:
    store = populated(host, 40)
    removals = Removals(store)
    answers = []
    for number in range(5):
        ask(removals, number)
        host.machine.run(seconds=61)
        answers.append(ask(removals, number))

    # 5 % of 40 are two; the third is too many, and the two before it come back.
    assert answers == [Missing.REMOVED] * 2 + [Missing.HOLDS] * 3
    assert any("vanished" in noted.problem for noted in store.faults())
    assert not any(store.copy_by_name(f"user-{number}").removed for number in range(5))
    host.machine.run(hours=2)
    assert [ask(removals, number) for number in range(5)] == [Missing.HOLDS] * 5
    for number in range(5):
        assert len(store.faults()) == 1
        store.save(replace(account(f"user-{number}"), read_at=host.machine.wall))
        removals.seen(f"id-user-{number}")
    assert store.faults() == ()
    ask(removals, 0)
    host.machine.run(seconds=60)
    assert ask(removals, 0) is Missing.REMOVED


def test_people_who_leave_one_by_one_are_no_fault(host: Host) -> None:
    store = populated(host, 3)
    removals = Removals(store)
    for number in range(2):
        ask(removals, number)
        host.machine.run(minutes=11)
        assert ask(removals, number) is Missing.REMOVED
        host.machine.run(minutes=11)
    assert store.faults() == ()


def test_an_account_that_is_not_kept_is_not_judged(host: Host) -> None:
    assert ask(Removals(host.open()), 7) is Missing.HOLDS
