"""The tally against a naive count, over any course of attempts, crashes, clears and policies."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.facts import LockoutPolicy
from loginward.core.lockout import RECOVERED_FOR_S, Tally, cleared, recovered, reserve, settle
from tests.core.people import NOW

policies = st.builds(
    LockoutPolicy,
    threshold=st.integers(1, 5),
    window_s=st.none() | st.integers(1, 100),
    duration_s=st.none() | st.integers(1, 200),
)


class Counting(RuleBasedStateMachine):
    """What a careful person would note on paper, beside the tally itself."""

    flights = Bundle("flights")

    def __init__(self) -> None:
        super().__init__()
        self.now, self.number = NOW, 0
        self.policy = LockoutPolicy(threshold=3, window_s=60, duration_s=120)
        self.tally = Tally()
        self.wrong: list = []  # when each wrong password was settled
        self.in_flight: dict = {}
        self.crashed: dict = {}
        self.opens_at = None  # when the lock ends; "never" without an end
        self.loosest = self.policy.threshold  # of all policies since the count last began
        self.locks: set[str] = set()

    @property
    def locked(self) -> bool:
        return self.opens_at == "never" or (self.opens_at is not None and self.now < self.opens_at)

    def forget(self) -> None:
        """Drop what is outlived, as any look at the paper does."""
        window_s = self.policy.window_s
        if window_s is not None:
            self.wrong = [at for at in self.wrong if self.now - at < timedelta(seconds=window_s)]
        held = timedelta(seconds=window_s or RECOVERED_FOR_S)
        self.crashed = {r: at for r, at in self.crashed.items() if self.now - at < held}
        if not self.locked:
            self.opens_at = None

    def begin_anew(self) -> None:
        self.wrong = []
        self.loosest = max(self.policy.threshold, len(self.in_flight) + len(self.crashed))

    @rule(target=flights)
    def attempt(self):
        name = self.reserve()
        return multiple() if name is None else name

    @rule(name=consumes(flights), outcome=st.sampled_from([*[Outcome.WRONG] * 6, *Outcome]))
    def end(self, name, outcome):
        self.settle(name, outcome)

    @rule(guesses=st.integers(1, 5))
    def guess(self, guesses):
        for _ in range(guesses):
            name = self.reserve()
            if name is not None:
                self.settle(name, Outcome.WRONG)

    def reserve(self) -> str | None:
        self.forget()
        self.number += 1
        name = str(self.number)
        self.tally, answer = reserve(
            self.tally, reservation=name, source="sshd", policy=self.policy, now=self.now
        )
        pending = len(self.in_flight) + len(self.crashed)
        if self.locked:
            assert isinstance(answer, LockedNow)
            return None
        if pending and pending + len(self.wrong) >= self.policy.threshold:
            assert answer == AtLimit(in_flight=pending)
            return None
        assert answer == Granted(name)
        self.in_flight[name] = self.now
        return name

    def settle(self, name: str, outcome: Outcome) -> None:
        known = self.in_flight.pop(name, None) is not None
        if known:
            self.forget()
        before = self.tally
        self.tally, tripped = settle(
            self.tally,
            reservation=name,
            outcome=outcome,
            lock_id=f"lock {name}",
            policy=self.policy,
            now=self.now,
        )
        if not known:
            assert (self.tally, tripped) == (before, None)
            return
        if outcome is Outcome.ALLOWED:
            self.begin_anew()
        counts = outcome is Outcome.WRONG and not self.locked
        if counts:
            self.wrong.append(self.now)
        trips = counts and len(self.wrong) >= self.policy.threshold
        assert (tripped is not None) == trips
        if trips:
            assert tripped.failures == len(self.wrong)
            assert tripped.id not in self.locks  # I8
            self.locks.add(tripped.id)
            self.opens_at = tripped.until or "never"
            self.begin_anew()
        assert len(self.tally.failures) == len(self.wrong)

    @rule()
    def clear(self):
        """An unlock or a reset."""
        self.tally = cleared(self.tally)
        self.in_flight, self.crashed, self.opens_at = {}, {}, None
        self.begin_anew()

    @rule()
    def crash(self):
        self.tally = recovered(self.tally)
        self.crashed |= self.in_flight
        self.in_flight = {}

    @rule(policy=policies)
    def reload(self, policy):
        self.policy = policy
        self.loosest = max(self.loosest, policy.threshold)

    @rule(seconds=st.sampled_from([1, 30, 59, 60, 61, 120, 250]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @invariant()
    def never_more_passwords_than_are_left(self):
        """I6: tested and wrong, or being tested, since the count last began."""
        assert len(self.wrong) + len(self.in_flight) + len(self.crashed) <= self.loosest

    @invariant()
    def the_tally_says_what_the_paper_says(self):
        names = {one.reservation for one in self.tally.pending if not one.recovered}
        assert names == set(self.in_flight)
        held = self.tally.lock is not None and self.tally.lock.holds(self.now)
        assert held == self.locked


TestCounting = Counting.TestCase
TestCounting.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
