"""Attempts at the desk: what is not reserved before is counted after, and what cannot be counted."""

from __future__ import annotations

import pytest

from loginward.core.attempts import Granted, Outcome
from loginward.core.clock import Deadline
from loginward.core.evidence import Wrong
from loginward.core.facts import LockoutPolicy
from loginward.core.reasons import Reason
from loginward.core.requests import Peer
from loginward.directory.embedded.directory import EmbeddedDirectory
from loginward.errors import StoreFault
from loginward.runtime.flights import Flights
from loginward.store.attempts import DurableAttempts
from tests.runtime.people import NEXT, RIGHT, person

FIVE = LockoutPolicy(threshold=5, window_s=900, duration_s=1800)


@pytest.fixture
def proven(host, monkeypatch):
    """Somebody whose last proven password the directory takes no longer, at the same change time."""
    host.people(person("ann"))
    assert host.ask("ann", RIGHT).reason is Reason.OK
    monkeypatch.setattr(EmbeddedDirectory, "check", lambda *_: Wrong(said="embedded hash"))
    return host


def in_flight(host, count):
    embedded = host.parts.embedded
    ann = embedded.find("ann", Deadline.after(10, host.parts.clock))
    taken = [embedded.reserve(ann, "sshd 203.0.113.7", FIVE) for _ in range(count)]
    assert all(isinstance(one, Granted) for one in taken)
    return ann, taken


def test_a_last_proven_match_that_fails_counts(proven):
    """security.md 7: it was not reserved before, so it is counted after."""
    assert proven.ask("ann", RIGHT).reason is Reason.WRONG_CREDENTIALS
    assert proven.failures("ann") == 1


def test_it_counts_beside_as_many_in_flight_as_are_left(proven):
    """security.md 7: the check has been made, whatever is in flight; the fifth failure locks."""
    ann, taken = in_flight(proven, 5)
    assert proven.ask("ann", RIGHT).reason is Reason.WRONG_CREDENTIALS
    assert proven.failures("ann") == 1
    embedded = proven.parts.embedded
    locks = [embedded.settle(ann, one.reservation, Outcome.WRONG) for one in taken]
    assert [lock is not None for lock in locks] == [False, False, False, True, False]


def test_the_next_one_has_to_be_reserved(proven, monkeypatch):
    """Nothing is known any more to be the password."""
    monkeypatch.setattr(Flights, "wait_for_end", lambda *_: False)
    proven.ask("ann", RIGHT)
    in_flight(proven, 4)
    refused = proven.ask("ann", NEXT)
    assert proven.event(refused).reason is Reason.DIRECTORY_UNAVAILABLE
    assert proven.failures("ann") == 1


def test_what_cannot_be_counted_is_refused_at_once(host, monkeypatch):
    """A tally that cannot be believed closes the path; nobody waits for attempts in flight."""
    host.people(person("nobody"))
    waited = []
    monkeypatch.setattr(Flights, "wait_for_end", lambda *_: waited.append(1))

    def broken(*arguments, **more):
        raise StoreFault("store.db: a row was moved", "loginward doctor")

    monkeypatch.setattr(DurableAttempts, "reserve", broken)
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "screensaver"}
    refused = host.ask("nobody", RIGHT, **own)
    assert host.event(refused).reason is Reason.DIRECTORY_UNAVAILABLE
    assert waited == []
