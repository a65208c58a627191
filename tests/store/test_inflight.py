"""No more wrong binds in flight than the directory has attempts left."""

from __future__ import annotations

import threading
from datetime import timedelta

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.facts import LockoutPolicy
from loginward.core.status import LockCause
from loginward.store.inflight import InFlightAttempts
from loginward.store.timekeeping import TrustedTime
from tests.store.stage import ALLOWED_S, FIVE, NOW, Machine, account


class Clock:
    def __init__(self, machine: Machine) -> None:
        self._time = TrustedTime(machine.read, ALLOWED_S)
        self.machine = machine

    def now(self):
        return self._time.now()

    def monotonic(self) -> float:
        return self.machine.up_s

    boottime = monotonic


def attempts() -> tuple[InFlightAttempts, Machine]:
    machine = Machine()
    return InFlightAttempts(Clock(machine)), machine


def granted(keeper: InFlightAttempts, facts, policy=FIVE) -> list[str]:
    reservations = []
    while isinstance(got := keeper.reserve(facts, "sshd", policy), Granted):
        reservations.append(got.reservation)
    return reservations


def test_in_flight_are_the_threshold_less_what_the_directory_counted() -> None:
    keeper, _ = attempts()
    failed = account(failures=(NOW, NOW), counts=True)

    assert len(granted(keeper, failed)) == 3
    assert keeper.reserve(failed, "sshd", FIVE) == AtLimit(in_flight=3)


def test_failures_older_than_the_window_leave_their_attempts() -> None:
    keeper, _ = attempts()
    old = account(failures=(NOW - timedelta(seconds=900),) * 4)

    assert len(granted(keeper, old)) == 5
    endless = LockoutPolicy(threshold=5, window_s=None, duration_s=None)
    assert len(granted(InFlightAttempts(Clock(Machine())), old, endless)) == 1


def test_failures_seen_after_the_facts_were_read_count_until_they_are_read_again() -> None:
    keeper, machine = attempts()
    facts = account(failures=(NOW - timedelta(seconds=1),) * 3)
    for reservation in granted(keeper, facts):
        machine.run(seconds=1)
        keeper.settle(facts, reservation, Outcome.WRONG)

    locked = keeper.reserve(facts, "sshd", FIVE)
    assert isinstance(locked, LockedNow)
    assert locked.lock.cause is LockCause.BY_DIRECTORY
    assert locked.lock.until == NOW + timedelta(seconds=2 + 1800)
    machine.run(seconds=1)
    unlocked = account(failures=(), read_at=machine.wall)  # an unlock made in the directory
    assert isinstance(keeper.reserve(unlocked, "sshd", FIVE), Granted)


def test_a_lone_attempt_is_never_held_back_where_nothing_is_readable() -> None:
    keeper, _ = attempts()
    facts = account(failures=None)
    for _ in range(20):
        got = keeper.reserve(facts, "sshd", FIVE)
        assert isinstance(got, Granted)
        keeper.settle(facts, got.reservation, Outcome.WRONG)
    first = keeper.reserve(facts, "sshd", FIVE)
    assert isinstance(first, Granted)
    assert keeper.reserve(facts, "sshd", FIVE) == AtLimit(in_flight=1)
    keeper.settle(facts, first.reservation, Outcome.ALLOWED)
    assert len(granted(keeper, facts)) == 5


def test_endings_other_than_wrong_give_the_attempt_back() -> None:
    keeper, _ = attempts()
    facts = account()
    for outcome in (Outcome.ALLOWED, Outcome.PROVEN, Outcome.NO_VERDICT):
        reservations = granted(keeper, facts)
        assert len(reservations) == 5
        for reservation in reservations:
            assert keeper.settle(facts, reservation, outcome) is None
            assert keeper.settle(facts, reservation, Outcome.WRONG) is None
    assert len(granted(keeper, facts)) == 5


def test_an_unlock_forgets_the_failures_seen() -> None:
    keeper, _ = attempts()
    facts = account()
    for reservation in granted(keeper, facts):
        keeper.settle(facts, reservation, Outcome.WRONG)
    assert isinstance(keeper.reserve(facts, "sshd", FIVE), LockedNow)

    keeper.clear(facts.account_id)
    keeper.clear("id-nobody")

    assert isinstance(keeper.reserve(facts, "sshd", FIVE), Granted)


def test_forty_guesses_at_once_test_no_more_than_are_left_i6() -> None:
    keeper, _ = attempts()
    facts, checked = account(failures=(NOW,)), []

    def guess() -> None:
        got = keeper.reserve(facts, "sshd", FIVE)
        while isinstance(got, AtLimit):
            got = keeper.reserve(facts, "sshd", FIVE)
        if isinstance(got, Granted):
            checked.append(got)
            keeper.settle(facts, got.reservation, Outcome.WRONG)

    threads = [threading.Thread(target=guess) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(checked) == 4


def test_memory_is_bounded_and_attempts_in_flight_are_kept() -> None:
    keeper, _ = attempts()
    held = keeper.reserve(account("held"), "sshd", FIVE)
    for number in range(20_100):
        facts = account(f"user-{number}", failures=None)
        got = keeper.reserve(facts, "sshd", FIVE)
        keeper.settle(facts, got.reservation, Outcome.WRONG)

    assert len(keeper._accounts) <= 20_001
    assert held.reservation in keeper._accounts["id-held"].in_flight
