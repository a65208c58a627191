"""Counting and locking, one rule at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.facts import LockoutPolicy
from loginward.core.lockout import (
    RECOVERED_FOR_S,
    Failure,
    Pending,
    Tally,
    cleared,
    recovered,
    reserve,
    settle,
)
from loginward.core.status import LockCause
from tests.core import people
from tests.core.people import HOUR, NOW, lock

POLICY = LockoutPolicy(threshold=5, window_s=900, duration_s=1800)
FOR_EVER = LockoutPolicy(threshold=5, window_s=None, duration_s=None)
SECOND = timedelta(seconds=1)


def reserved(tally, number, policy=POLICY, now=NOW, source="sshd"):
    return reserve(tally, reservation=str(number), source=source, policy=policy, now=now)


def settled(tally, number, outcome, policy=POLICY, now=NOW):
    return settle(
        tally,
        reservation=str(number),
        outcome=outcome,
        lock_id=f"lock-{number}",
        policy=policy,
        now=now,
    )


def attempted(tally, number, outcome, policy=POLICY, now=NOW, source="sshd"):
    tally, granted = reserved(tally, number, policy, now, source)
    assert isinstance(granted, Granted)
    return settled(tally, number, outcome, policy, now)


def wrong(times, policy=POLICY, now=NOW, tally=None):
    tally = tally or Tally()
    for number in range(times):
        tally, tripped = attempted(tally, number, Outcome.WRONG, policy, now)
        assert tripped is None
    return tally


def test_r15_q1_the_nth_failure_locks_whatever_the_door():
    """Three at PAM and two at RADIUS are five (R16: with what locked and for how long)."""
    tally = Tally()
    for number, source in enumerate(["sshd", "sudo", "login", "radius ap-1"]):
        tally, tripped = attempted(tally, number, Outcome.WRONG, source=source)
        assert tripped is None
    tally, tripped = attempted(tally, 4, Outcome.WRONG, source="radius ap-2")
    assert tripped is tally.lock is not None
    assert (tripped.id, tripped.cause, tripped.since) == ("lock-4", LockCause.THRESHOLD, NOW)
    assert (tripped.source, tripped.failures) == ("radius ap-2", 5)
    assert tripped.until == NOW + timedelta(seconds=1800)


def test_a_lock_without_a_duration_has_no_end():
    tally, tripped = attempted(wrong(4, FOR_EVER), 9, Outcome.WRONG, FOR_EVER)
    assert tripped is not None
    assert tripped.until is None
    assert isinstance(reserved(tally, 10, FOR_EVER, NOW + 9999 * HOUR)[1], LockedNow)


@given(st.integers(1, 8), st.integers(0, 7))
def test_i6_no_more_are_checked_at_once_than_are_left(threshold, failed):
    policy = LockoutPolicy(threshold=threshold, window_s=900, duration_s=1800)
    tally = wrong(min(failed, threshold - 1), policy)
    granted = 0
    for number in range(100, 200):
        tally, answer = reserved(tally, number, policy)
        granted += isinstance(answer, Granted)
    assert granted == threshold - min(failed, threshold - 1)


def test_the_last_place_in_flight_is_waited_for():
    tally = wrong(4)
    tally, first = reserved(tally, "a")
    same, second = reserved(tally, "b")
    assert (first, second) == (Granted("a"), AtLimit(in_flight=1))
    assert same == tally
    tally, _ = settled(tally, "a", Outcome.ALLOWED)
    assert isinstance(reserved(tally, "b")[1], Granted)


def test_right_logins_at_once_never_lock():
    tally = Tally()
    for number in range(5):
        tally, _ = reserved(tally, number)
    for number in range(5):
        tally, tripped = settled(tally, number, Outcome.ALLOWED)
        assert tripped is None
    assert tally == Tally()


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        pytest.param(Outcome.ALLOWED, 0, id="Q7-let-in-forgets"),
        pytest.param(Outcome.PROVEN, 3, id="right-but-not-let-in-keeps"),
        pytest.param(Outcome.NO_VERDICT, 3, id="silence-never-counts"),
        pytest.param(Outcome.WRONG, 4, id="wrong-counts"),
    ],
)
def test_outcomes(outcome, left):
    tally, _ = attempted(wrong(3), 9, outcome)
    assert len(tally.failures) == left
    assert tally.pending == ()


def test_i7_guesses_at_a_locked_account_change_nothing():
    tally = wrong(4)
    for number in ("a", "b"):  # the second is in flight when the first one locks
        tally = Tally(
            failures=tally.failures,
            pending=(*tally.pending, Pending(number, NOW, "sshd")),
        )
    tally, tripped = settled(tally, "a", Outcome.WRONG)
    assert tripped is not None
    tally, again = settled(tally, "b", Outcome.WRONG, now=NOW + HOUR / 4)
    assert again is None
    assert tally == Tally(lock=tripped)
    for seconds in (0, 1, 1799):
        same, refused = reserved(tally, "c", now=NOW + seconds * SECOND)
        assert (same, refused) == (tally, LockedNow(tripped))


@pytest.mark.parametrize("window_s", [900, 9000, None])
def test_a_lock_ends_by_itself_and_the_count_begins_anew(window_s):
    policy = LockoutPolicy(threshold=5, window_s=window_s, duration_s=1800)
    tally, _ = attempted(wrong(4, policy), 9, Outcome.WRONG, policy)
    tally, granted = reserved(tally, 10, policy, now=NOW + timedelta(seconds=1800))
    assert isinstance(granted, Granted)
    assert (tally.lock, tally.failures) == (None, ())


@pytest.mark.parametrize(
    ("window_s", "age_s", "forgotten"),
    [(900, 899, False), (900, 900, True), (None, 10**8, False)],
)
def test_failures_are_forgotten_after_their_window(window_s, age_s, forgotten):
    policy = LockoutPolicy(threshold=5, window_s=window_s, duration_s=1800)
    tally, _ = reserved(wrong(4, policy), "a", policy, NOW + timedelta(seconds=age_s))
    assert (tally.failures == ()) == forgotten


def test_i12_a_clock_set_back_forgets_nothing():
    tally, _ = reserved(wrong(4), "a", now=NOW - 9000 * HOUR)
    assert len(tally.failures) == 4
    held = Tally(lock=lock())
    assert isinstance(reserved(held, "a", now=NOW - 9000 * HOUR)[1], LockedNow)


@pytest.mark.parametrize("number", ["a", "never-reserved"])
def test_settling_twice_or_what_was_never_reserved_changes_nothing(number):
    tally, _ = attempted(Tally(), "a", Outcome.WRONG)
    assert settled(tally, number, Outcome.WRONG) == (tally, None)


def test_i8_an_attempt_in_flight_cannot_trip_what_was_cleared_meanwhile():
    tally, _ = reserved(wrong(4), "a")
    after = cleared(tally)
    assert after == Tally(epoch=tally.epoch + 1)
    assert settled(after, "a", Outcome.WRONG) == (after, None)


def test_what_a_crash_left_in_flight_counts_for_a_window_and_never_locks():
    tally = Tally()
    for number in range(5):
        tally, _ = reserved(tally, number)
    tally = recovered(tally)
    assert isinstance(reserved(tally, "a", now=NOW + 899 * SECOND)[1], AtLimit)
    for number in range(5):
        assert settled(tally, number, Outcome.WRONG) == (tally, None)
    tally, answer = reserved(tally, "a", now=NOW + 900 * SECOND)
    assert isinstance(answer, Granted)
    assert [pending.reservation for pending in tally.pending] == ["a"]


def test_without_a_window_what_a_crash_left_counts_for_a_quarter_of_an_hour():
    tally = recovered(Tally(pending=(Pending("x", NOW, "sshd"),)))
    once = LockoutPolicy(threshold=1, window_s=None, duration_s=None)
    just_before = NOW + (RECOVERED_FOR_S - 1) * SECOND
    assert isinstance(reserved(tally, "a", once, just_before)[1], AtLimit)
    assert isinstance(reserved(tally, "a", once, just_before + SECOND)[1], Granted)


def test_a_check_that_takes_long_stays_in_flight():
    tally, _ = reserved(Tally(), "slow")
    tally, _ = reserved(tally, "next", now=NOW + 9000 * HOUR)
    assert [pending.reservation for pending in tally.pending] == ["slow", "next"]


def test_a_policy_made_stricter_locks_with_the_next_failure():
    strict = LockoutPolicy(threshold=3, window_s=900, duration_s=1800)
    tally, answer = reserved(wrong(4), "a", strict)
    assert isinstance(answer, Granted)  # nobody has locked it: the right password still works
    assert isinstance(reserved(tally, "b", strict)[1], AtLimit)
    tally, tripped = settled(tally, "a", Outcome.WRONG, strict)
    assert tripped is not None
    assert tripped.failures == 5


@given(people.moments, st.sampled_from(Outcome))
def test_a_lock_outlived_while_a_check_ran_is_over(now, outcome):
    tally = Tally(lock=lock(), pending=(Pending("a", NOW, "sshd"),))
    after, _ = settled(tally, "a", outcome, now=now)
    assert (after.lock is None) == (now >= NOW + HOUR)


@pytest.mark.parametrize("locked_since", [NOW - SECOND, NOW, NOW + SECOND, None])
def test_what_was_counted_after_an_unlock_that_is_found_late_stays(locked_since):
    """I6: up to the moment itself all goes, a lock of unknown age too."""
    times = (NOW - SECOND, NOW, NOW + SECOND)
    held = replace(lock(until=None), since=locked_since)
    tally = Tally(
        failures=tuple(Failure(at, "sshd") for at in times),
        pending=tuple(Pending(str(at), at, "sshd") for at in times),
        lock=held,
        epoch=3,
    )
    after = cleared(tally, NOW)
    assert [one.at for one in after.failures] == [one.at for one in after.pending] == [times[2]]
    assert after.lock == (held if locked_since == times[2] else None)
    assert after.epoch == 4
