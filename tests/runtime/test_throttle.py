"""Bounds by source: spraying stops, the people of that place go on."""

from __future__ import annotations

import threading
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from loginward.runtime import throttle as module
from loginward.runtime.sources import Sources
from loginward.runtime.throttle import Bounds, Throttle
from tests.doubles.moving import MovingClock

HERE = Sources(("address 192.0.2.1",), "sshd 192.0.2.1")
THERE = Sources(("address 192.0.2.2",), "sshd 192.0.2.2")
MAIL = Sources(("client uid 97",), "dovecot uid 97")
WINDOW = timedelta(minutes=15)


class Bounded(Throttle):
    """A throttle under bounds that the test may change, as a reload does."""

    def __init__(self, clock, per_min):
        super().__init__(clock)
        self.bounds = Bounds(per_min=per_min, window=WINDOW)

    def asked(self, sources):
        super().asked(sources, self.bounds)

    def throttled_until(self, sources, account_id):
        return super().throttled_until(sources, account_id, self.bounds)


def made(per_min=60):
    clock = MovingClock()
    return Bounded(clock, per_min), clock


def spray(throttle, sources, count):
    for number in range(count):
        throttle.failed(sources, f"account{number}")


def test_the_eleventh_account_failing_from_one_source_is_refused():
    throttle, clock = made()
    spray(throttle, HERE, 9)
    assert throttle.throttled_until(HERE, "ann") is None
    throttle.failed(HERE, "account9")
    assert throttle.throttled_until(HERE, "ann") == clock.now() + WINDOW
    assert throttle.throttled_until(THERE, "ann") is None


def test_an_account_that_failed_there_already_goes_on_to_its_own_lock():
    """Five failures of one account from one source lock it; that is not throttled."""
    throttle, _ = made()
    spray(throttle, HERE, 10)
    assert throttle.throttled_until(HERE, "account3") is None


def test_an_account_proven_there_within_thirty_days_is_not_kept_out():
    throttle, clock = made()
    throttle.proven(HERE, "ann")
    clock.pass_s(29 * 86400)
    spray(throttle, HERE, 10)
    assert throttle.throttled_until(HERE, "ann") is None
    assert throttle.throttled_until(HERE, "bob") is not None
    clock.pass_s(2 * 86400)
    spray(throttle, HERE, 10)
    assert throttle.throttled_until(HERE, "ann") is not None


def test_the_bound_ends_with_its_window():
    throttle, clock = made()
    spray(throttle, HERE, 10)
    clock.pass_s(WINDOW.total_seconds() - 1)
    until = throttle.throttled_until(HERE, "ann")
    assert until == clock.now() + timedelta(seconds=1)
    clock.pass_s(1)
    assert throttle.throttled_until(HERE, "ann") is None


def test_a_client_has_a_wider_bound_that_grows_with_its_users():
    throttle, clock = made()
    spray(throttle, MAIL, 49)
    assert throttle.throttled_until(MAIL, "ann") is None
    throttle.failed(MAIL, "account49")
    assert throttle.throttled_until(MAIL, "ann") is not None
    for number in range(600):
        throttle.proven(MAIL, f"user{number}")
    assert throttle.throttled_until(MAIL, "ann") is None
    clock.pass_s(8 * 86400)
    spray(throttle, MAIL, 50)
    assert throttle.throttled_until(MAIL, "ann") is not None


def test_checks_a_minute():
    throttle, clock = made(per_min=3)
    for _ in range(3):
        throttle.asked(HERE)
    assert throttle.throttled_until(HERE, "ann") is None
    clock.pass_s(10)
    throttle.asked(HERE)
    assert throttle.throttled_until(HERE, "ann") == clock.now() + timedelta(seconds=50)
    clock.pass_s(50)
    assert throttle.throttled_until(HERE, "ann") is None


def test_no_bound_and_no_source_never_throttle():
    throttle, _ = made(per_min=None)
    for _ in range(500):
        throttle.asked(HERE)
        throttle.asked(MAIL)
    assert throttle.throttled_until(HERE, "ann") is None
    nobody = Sources((), "login tty1")
    spray(throttle, nobody, 100)
    assert throttle.throttled_until(nobody, "ann") is None


def test_a_clock_set_back_throttles_nobody_for_long():
    throttle, clock = made(per_min=1)
    spray(throttle, HERE, 10)
    throttle.asked(HERE)
    throttle.asked(HERE)
    clock.pass_s(-365 * 86400)
    assert throttle.throttled_until(HERE, "ann") is None


def test_tables_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "_SOURCES", 50)
    monkeypatch.setattr(module, "_PROVEN", 20)
    throttle, _ = made(per_min=3)
    for number in range(500):
        one = Sources((f"address 192.0.2.{number}",), "")
        throttle.asked(one)
        throttle.proven(one, "ann")
        throttle.failed(HERE, f"a{number}")
        throttle.proven(HERE, f"b{number}")
        throttle.asked(HERE)
    assert len(throttle._seen) == len(throttle._proven) == 50
    assert len(throttle._seen[HERE.keys[0]].failing) == 20
    assert len(throttle._seen[HERE.keys[0]].asked) == 4
    assert len(throttle._proven[HERE.keys[0]]) == 20


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["failed", "proven", "pass"]),
        st.sampled_from([HERE, THERE]),
        st.integers(min_value=0, max_value=14),
    ),
    max_size=80,
)


@settings(max_examples=200)
@given(_ACTS)
def test_the_bound_is_the_plain_rule(acts):
    """At most ten different accounts failing a window, except those proven there."""
    throttle, clock = made(per_min=None)
    failing, proven = {}, {}
    for act, sources, number in acts:
        key = (sources.keys[0], f"a{number}")
        if act == "pass":
            clock.pass_s(number * 60)
        elif act == "failed":
            throttle.failed(sources, key[1])
            failing[key] = clock.now()
        else:
            throttle.proven(sources, key[1])
            failing.pop(key, None)
            proven[key] = clock.now()
    now = clock.now()
    held = {key for key, at in failing.items() if now - at < WINDOW}
    for sources in (HERE, THERE):
        here = {account for place, account in held if place == sources.keys[0]}
        for number in range(15):
            name = f"a{number}"
            is_free = len(here) < 10 or name in here or (sources.keys[0], name) in proven
            assert (throttle.throttled_until(sources, name) is None) == is_free


def test_many_threads_leave_a_true_count():
    throttle, _ = made(per_min=None)

    def work(worker):
        for number in range(300):
            throttle.asked(HERE)
            throttle.failed(HERE, f"a{(worker * 300 + number) % 9}")
            throttle.proven(THERE, f"b{number}")
            throttle.throttled_until(HERE, "ann")

    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert throttle.throttled_until(HERE, "ann") is None
    throttle.failed(HERE, "one more")
    assert throttle.throttled_until(HERE, "ann") is not None


def test_other_bounds_hold_from_the_next_request_on_for_what_was_seen_before():
    throttle, clock = made(per_min=3)
    for _ in range(4):
        throttle.asked(HERE)
    assert throttle.throttled_until(HERE, "ann") is not None
    throttle.bounds = Bounds(per_min=10, window=WINDOW)
    for _ in range(6):
        throttle.asked(HERE)
        assert throttle.throttled_until(HERE, "ann") is None
    throttle.bounds = Bounds(per_min=2, window=WINDOW)
    throttle.asked(HERE)
    assert throttle.throttled_until(HERE, "ann") is not None
    clock.pass_s(61)
    spray(throttle, HERE, 10)
    throttle.bounds = Bounds(per_min=2, window=timedelta(seconds=30))
    clock.pass_s(31)
    assert throttle.throttled_until(HERE, "ann") is None


def test_of_two_bounds_the_later_end_is_told():
    """Who comes back when the first one ends would be refused again."""
    throttle, clock = made(per_min=3)
    spray(throttle, HERE, 10)
    for _ in range(4):
        throttle.asked(HERE)
    assert throttle.throttled_until(HERE, "account3") == clock.now() + timedelta(minutes=1)
    assert throttle.throttled_until(HERE, "ann") == clock.now() + WINDOW
