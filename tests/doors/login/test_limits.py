"""No asker takes more of the door than its share, and root's is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loginward.doors.login.limits import Allowance, Limits, Source
from loginward.doors.login.turnstile import Turnstile

LIMITS = Limits(workers=8, per_uid_checks=4, per_rhost_checks=3)
ALICE, BOB = Source(1001), Source(1002)
ROOT, HOST = Source(0), Source(0, "203.0.113.7")


def passing(turnstile: Turnstile[str]) -> list[str]:
    taken = []
    while (entry := turnstile.take()) is not None:
        taken.append(entry[1])
    return taken


def test_a_quarter_of_the_workers_is_kept_for_root() -> None:
    assert Limits(workers=16).shared_workers == 12
    assert Limits(workers=2).shared_workers == 1


def test_one_uid_has_four_in_flight_and_the_others_go_on() -> None:
    turnstile: Turnstile[str] = Turnstile(LIMITS)
    for n in range(10):
        turnstile.offer(ALICE, f"alice{n}")
    turnstile.offer(BOB, "bob")
    turnstile.offer(ROOT, "root")

    assert passing(turnstile) == ["alice0", "bob", "root", "alice1", "alice2", "alice3"]
    assert (turnstile.in_flight, turnstile.waiting) == (6, 6)
    turnstile.done(ALICE)
    assert passing(turnstile) == ["alice4"]


def test_all_others_together_leave_root_its_workers() -> None:
    turnstile: Turnstile[str] = Turnstile(LIMITS)
    for uid in range(1000, 1010):
        turnstile.offer(Source(uid), str(uid))

    assert len(passing(turnstile)) == LIMITS.shared_workers
    turnstile.offer(ROOT, "root")
    assert passing(turnstile) == ["root"]


def test_one_remote_host_is_bounded_too() -> None:
    turnstile: Turnstile[str] = Turnstile(LIMITS)
    for n in range(5):
        turnstile.offer(HOST, f"host{n}")
    turnstile.offer(Source(0, "198.51.100.1"), "other")

    assert passing(turnstile) == ["host0", "other", "host1", "host2"]


@given(st.lists(st.tuples(st.sampled_from([ALICE, BOB, ROOT, HOST]), st.booleans()), max_size=80))
def test_bounds_hold_whatever_comes_and_goes(steps: list[tuple[Source, bool]]) -> None:
    turnstile: Turnstile[int] = Turnstile(LIMITS)
    flying: list[Source] = []
    for n, (source, comes) in enumerate(steps):
        if comes:
            turnstile.offer(source, n)
        elif flying:
            turnstile.done(flying.pop(0))
        while (entry := turnstile.take()) is not None:
            flying.append(entry[0])
        assert turnstile.in_flight == len(flying)
        for who in (ALICE, BOB, ROOT, HOST):
            assert flying.count(who) <= who.checks_at_once(LIMITS)
        assert sum(not who.is_root for who in flying) <= LIMITS.shared_workers


def test_a_burst_is_spent_and_earned_again() -> None:
    allowance = Allowance(Limits(questions=3, questions_per_s=0.5))

    assert [allowance.take(1001, 10.0) for _ in range(4)] == [True, True, True, False]
    assert allowance.take(1002, 10.0), "another uid has its own"
    assert not allowance.take(1001, 11.9)
    assert allowance.take(1001, 12.0)
    assert not allowance.take(1001, 12.0)


def test_root_has_no_allowance_to_spend() -> None:
    allowance = Allowance(Limits(questions=1))

    assert all(allowance.take(0, 0.0) for _ in range(100))


def test_uids_that_have_earned_everything_again_are_forgotten() -> None:
    allowance = Allowance(Limits(connections=10, questions=5, questions_per_s=1.0))
    for uid in range(1000, 1100):
        allowance.take(uid, float(uid))

    assert len(allowance._spent) <= 11


def test_who_has_spent_all_is_not_forgotten_in_a_crowd() -> None:
    allowance = Allowance(Limits(connections=2, questions=1, questions_per_s=0.5))

    assert all(allowance.take(uid, 10.0) for uid in range(1001, 1011))
    assert not any(allowance.take(uid, 10.0) for uid in range(1001, 1011))
