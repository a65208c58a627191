"""I6: never more passwords tested than are left, whatever the order, threads and restarts."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.store.attempts import DurableAttempts, OfflineAttempts, resource, screen
from loginward.store.record import AGENT, OFFLINE
from loginward.store.store import Store
from tests.store.stage import FIVE, NOW, Host, account, wrong


def reserve(attempts: DurableAttempts, **kwargs: object) -> str:
    granted = attempts.reserve(account(**kwargs), "sshd", FIVE)
    assert isinstance(granted, Granted), granted
    return granted.reservation


def test_five_wrong_passwords_lock_and_the_lock_survives_a_restart_r15(host: Host) -> None:
    store = host.open()
    attempts = DurableAttempts(store)
    locks = [attempts.settle(account(), reserve(attempts), Outcome.WRONG) for _ in range(5)]

    assert locks[:4] == [None] * 4
    assert locks[4] is not None
    assert locks[4].until == NOW + timedelta(seconds=1800)
    store = host.restart()
    assert store.lock_of("id-ada", AGENT) == locks[4]
    assert DurableAttempts(store).reserve(account(), "su", FIVE) == LockedNow(locks[4])
    host.machine.run(seconds=1800)
    assert store.lock_of("id-ada", AGENT) is None
    reserve(DurableAttempts(store))


@pytest.mark.parametrize("jump", [timedelta(days=365), -timedelta(days=365)])
@pytest.mark.parametrize("when", ["while running", "between starts", "across a reboot"])
def test_a_clock_set_by_a_year_ends_no_lock_i12(host: Host, when: str, jump: timedelta) -> None:
    attempts = OfflineAttempts(host.open(), lambda: 20)
    wrong(attempts, times=5)

    if when != "while running":
        host.close()
    if when == "across a reboot":
        host.machine.reboot(minutes=1)
    host.machine.wall += jump
    store = host.opened[0] if host.opened else host.open()
    attempts = OfflineAttempts(store, lambda: 20)

    assert store.lock_of("id-ada", OFFLINE) is not None
    assert isinstance(attempts.reserve(account(), "sshd", FIVE), LockedNow)
    host.machine.run(seconds=1790)
    assert store.lock_of("id-ada", OFFLINE) is not None
    host.machine.run(seconds=80)  # the mark may be a minute old
    assert store.lock_of("id-ada", OFFLINE) is None


def test_being_off_does_not_serve_a_lock_down(host: Host) -> None:
    """security 15: no timed lock ends earlier than its duration of running time."""
    attempts = OfflineAttempts(host.open(), lambda: 20)
    wrong(attempts, times=5)
    host.machine.run(seconds=600)
    host.close()
    host.machine.reboot(hours=10)
    store = host.open()
    host.machine.run(seconds=1100)

    assert store.lock_of("id-ada", OFFLINE) is not None
    assert isinstance(OfflineAttempts(store, lambda: 20).reserve(account(), "x", FIVE), LockedNow)
    store.time.confirm()  # the directory answers: the machine really was off that long
    assert store.lock_of("id-ada", OFFLINE) is None


def test_right_logins_at_once_never_lock(store: Store) -> None:
    attempts = DurableAttempts(store)
    reservations = [reserve(attempts) for _ in range(5)]

    assert attempts.reserve(account(), "sshd", FIVE) == AtLimit(in_flight=5)
    for reservation in reservations:
        assert attempts.settle(account(), reservation, Outcome.ALLOWED) is None
    reserve(attempts)


def test_settling_twice_counts_once(store: Store) -> None:
    attempts = DurableAttempts(store)
    reservation = reserve(attempts)
    for _ in range(9):
        assert attempts.settle(account(), reservation, Outcome.WRONG) is None

    (kept,), _ = store.list()
    assert kept.locks == ()


def test_tallies_of_different_keepers_never_mix(store: Store) -> None:
    """security 2, 3, 6: a full lock screen, resource or offline tally closes that path alone."""
    keepers = [AGENT, OFFLINE, screen(1000), screen(1001), resource("mail")]
    for full in keepers[1:]:
        attempts = DurableAttempts(store, full)
        wrong(attempts, times=5)

        assert store.lock_of("id-ada", full) is not None
    assert store.lock_of("id-ada", AGENT) is None
    reserve(DurableAttempts(store, AGENT))


def test_attempts_left_by_a_dead_process_count_a_window_and_never_lock(host: Host) -> None:
    attempts = DurableAttempts(host.open())
    for _ in range(4):
        reserve(attempts)
    store = host.restart()
    attempts = DurableAttempts(store)

    mine = reserve(attempts)
    assert isinstance(attempts.reserve(account(), "sshd", FIVE), AtLimit)
    assert attempts.settle(account(), mine, Outcome.WRONG) is None
    assert store.lock_of("id-ada", AGENT) is None
    host.machine.run(seconds=FIVE.window_s or 0)
    assert [reserve(attempts) for _ in range(5)]


def test_many_guesses_offline_destroy_the_verifier_count(host: Host) -> None:
    """security 15: the count goes on over windows, locks, restarts and lost attempts."""
    store = host.open()
    for number in range(1, 8):
        attempts = OfflineAttempts(store, lambda: 20)
        reservation = reserve(attempts)
        if number % 2:
            attempts.settle(account(), reservation, Outcome.WRONG)
        store = host.restart()
        host.machine.run(hours=1)

    (kept,), _ = store.list()
    assert kept.guesses == 7
    attempts = OfflineAttempts(store, lambda: 20)
    attempts.settle(account(), reserve(attempts), Outcome.PROVEN)
    (kept,), _ = store.list()
    assert kept.guesses == 7


def test_an_attempt_cleared_in_flight_takes_no_guess_back(store: Store) -> None:
    attempts = OfflineAttempts(store, lambda: 20)
    attempts.settle(account(), reserve(attempts), Outcome.WRONG)
    in_flight = reserve(attempts)
    store.clear_tallies("id-ada")

    attempts.settle(account(), in_flight, Outcome.PROVEN)

    assert store.list()[0][0].guesses == 2


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(["reserve", *Outcome]), max_size=40), st.integers(1, 6))
def test_checks_in_a_window_never_exceed_the_threshold_i6(
    store: Store, steps: list[str | Outcome], threshold: int
) -> None:
    """Whatever the order, wrong answers and open attempts together stay within the threshold."""
    policy = FIVE.__class__(threshold, window_s=None, duration_s=None)
    facts = account(f"user-{random.random()}")
    attempts, open_, wrong = DurableAttempts(store), [], 0
    for step in steps:
        if step == "reserve":
            reserved = attempts.reserve(facts, "sshd", policy)
            if isinstance(reserved, Granted):
                open_.append(reserved.reservation)
            assert isinstance(reserved, LockedNow) == (wrong >= threshold)
        elif open_:
            lock = attempts.settle(facts, open_.pop(), step)
            was_locked = wrong >= threshold
            wrong = wrong + 1 if step is Outcome.WRONG and not was_locked else wrong
            if step is Outcome.ALLOWED and not was_locked:
                wrong = 0
            assert (lock is not None) == (wrong >= threshold and not was_locked)
        assert wrong + len(open_) <= threshold or wrong >= threshold


def test_threads_of_one_process_share_commits_and_keep_the_threshold_i6(store: Store) -> None:
    attempts, checked = DurableAttempts(store), []

    def guess() -> None:
        while not isinstance(got := attempts.reserve(account(), "sshd", FIVE), LockedNow):
            if isinstance(got, Granted):
                checked.append(got)
                attempts.settle(account(), got.reservation, Outcome.WRONG)

    threads = [threading.Thread(target=guess) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(checked) == 5
