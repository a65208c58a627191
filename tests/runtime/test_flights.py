"""Checks in flight: equal passwords share one; who waits for an end is told of it."""

from __future__ import annotations

import random
import threading
import time

import pytest

from loginward.core.clock import Deadline
from loginward.core.evidence import NoVerdict, Proof, Proven, Wrong
from loginward.core.secret import Secret
from loginward.crypto.tags import Tagger
from loginward.runtime.clock import SystemClock
from loginward.runtime.flights import Flight, Flights

RIGHT, WRONG = Secret(b"right"), Secret(b"wrong")


def soon(seconds=5.0):
    return Deadline.after(seconds, SystemClock())


@pytest.fixture
def flights():
    return Flights(Tagger())


def in_threads(count, work):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads


class Landing(threading.Event):
    """Counts who waits for it."""

    def __init__(self):
        super().__init__()
        self.waiting = threading.Semaphore(0)

    def wait(self, timeout=None):
        self.waiting.release()
        return super().wait(timeout)


def test_eight_equal_logins_at_once_are_one_check(flights):
    leader = flights.join("id", RIGHT, soon())
    assert isinstance(leader, Flight)
    leader.landed, shown = Landing(), []
    threads = in_threads(7, lambda _: shown.append(flights.join("id", RIGHT, soon())))
    for _ in threads:
        assert leader.landed.waiting.acquire(timeout=5)
    verdict = Proven(proof=Proof.BIND)
    flights.land(leader, verdict)
    for thread in threads:
        thread.join(5)
    assert len(shown) == 7
    assert all(one is verdict for one in shown)


def test_another_password_or_account_flies_by_itself(flights):
    assert isinstance(flights.join("id", RIGHT, soon()), Flight)
    assert isinstance(flights.join("id", WRONG, soon()), Flight)
    assert isinstance(flights.join("other", RIGHT, soon()), Flight)


def test_account_and_password_do_not_run_together(flights):
    assert isinstance(flights.join("ab", Secret(b"c"), soon()), Flight)
    assert isinstance(flights.join("a", Secret(b"bc"), soon()), Flight)


def test_the_whole_tag_is_kept_of_a_flight(flights):
    """security.md 7: a shared verdict compares whole HMAC-SHA-256."""
    assert len(flights.join("id", RIGHT, soon()).tag) == 32


def test_who_waits_in_vain_is_told_at_its_deadline(flights):
    flights.join("id", RIGHT, soon())
    began = time.monotonic()
    assert flights.join("id", RIGHT, soon(0.05)) is None
    assert time.monotonic() - began < 2


def test_a_landed_flight_is_no_memory(flights):
    leader = flights.join("id", RIGHT, soon())
    flights.land(leader, Wrong())
    assert isinstance(flights.join("id", RIGHT, soon()), Flight)


def test_a_flight_that_lands_twice_leaves_its_successor_alone(flights):
    first = flights.join("id", RIGHT, soon())
    flights.land(first, NoVerdict("abandoned"))
    second = flights.join("id", RIGHT, soon())
    flights.land(first, Wrong())
    assert flights.join("id", RIGHT, soon(0.01)) is None
    flights.land(second, Wrong())


def test_an_end_wakes_who_waits_for_one(flights):
    leader = flights.join("id", RIGHT, soon())
    seen, woken = flights.ends(), []
    (waiter,) = in_threads(1, lambda _: woken.append(flights.wait_for_end(seen, soon())))
    flights.land(leader, Wrong())
    waiter.join(5)
    assert woken == [True]
    assert flights.wait_for_end(seen, soon(0)), "an end between is not missed"
    assert not flights.wait_for_end(flights.ends(), soon(0.01))


def test_the_end_of_an_attempt_without_a_flight_wakes_too(flights):
    """Offline nobody joins a flight, and reservations are as scarce."""
    seen = flights.ends()
    flights.note_end()
    assert flights.wait_for_end(seen, soon(0))


def test_nothing_is_left_of_flights_that_ended(flights):
    """And under a storm: at most one check at a time of one password, every follower answered."""
    in_air, most, lock = [0], [0], threading.Lock()
    answered = []

    def log_in(worker):
        pick = random.Random(worker)
        for _ in range(100):
            found = flights.join("id", RIGHT, soon())
            if isinstance(found, Flight):
                with lock:
                    in_air[0] += 1
                    most[0] = max(most[0], in_air[0])
                if pick.random() < 0.3:
                    time.sleep(0.0005)
                with lock:
                    in_air[0] -= 1
                flights.land(found, Wrong(said=str(worker)))
                found = Wrong()
            answered.append(found)

    for thread in in_threads(8, log_in):
        thread.join(20)
    assert most[0] == 1
    assert len(answered) == 800
    assert all(isinstance(one, Wrong) for one in answered)
    assert flights._by_account == {}
