"""RFC 5080 section 2.2.2: what is a request again, what is another one, and for how long."""

from __future__ import annotations

import pytest

from loginward.doors.radius import duplicates
from loginward.doors.radius.duplicates import KEPT_S, Duplicates, Seen

KEY = (3, "192.0.2.1", 1645, 7)
ONE, OTHER = bytes(16), bytes(range(16))


@pytest.fixture
def known():
    known = Duplicates()
    seen, entry = known.look(KEY, ONE, 0.0)
    assert seen is Seen.NEW
    return known, entry


def test_in_flight_until_it_is_answered_then_answered_alike(known):
    known, entry = known
    assert known.look(KEY, ONE, 1.0) == (Seen.IN_FLIGHT, entry)
    entry.reply = b"reply"
    seen, again = known.look(KEY, ONE, 2.0)
    assert (seen, again.reply) == (Seen.ANSWERED, b"reply")


@pytest.mark.parametrize(
    "other", [(4, *KEY[1:]), (3, "192.0.2.2", 1645, 7), (3, "192.0.2.1", 1646, 7), (*KEY[:3], 8)]
)
def test_another_socket_address_port_or_identifier_is_another_request(known, other):
    known, _ = known
    assert known.look(other, ONE, 0.0)[0] is Seen.NEW
    assert known.look(KEY, ONE, 0.0)[0] is Seen.IN_FLIGHT


def test_another_authenticator_takes_the_place(known):
    known, entry = known
    entry.reply = b"reply"
    assert known.look(KEY, OTHER, 1.0)[0] is Seen.NEW
    assert known.look(KEY, OTHER, 1.0)[0] is Seen.IN_FLIGHT
    assert known.look(KEY, ONE, 1.0)[0] is Seen.NEW, "the first is gone for good"
    assert len(known) == 1


def test_it_is_forgotten_after_its_time_and_no_earlier(known):
    known, _ = known
    assert 5 <= KEPT_S <= 30
    assert known.look(KEY, ONE, KEPT_S - 0.1)[0] is Seen.IN_FLIGHT
    assert known.look(KEY, ONE, KEPT_S)[0] is Seen.NEW


def test_what_was_dropped_may_be_asked_again_but_not_what_took_its_place(known):
    known, entry = known
    known.look(KEY, OTHER, 1.0)
    known.forget(KEY, entry)
    assert known.look(KEY, OTHER, 1.0)[0] is Seen.IN_FLIGHT
    _, other = known.look(KEY, OTHER, 1.0)
    known.forget(KEY, other)
    assert known.look(KEY, OTHER, 1.0)[0] is Seen.NEW


def test_the_oldest_goes_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(duplicates, "_MOST", 10)
    known = Duplicates()
    for n in range(50):
        known.look((*KEY[:3], n), ONE, 0.0)
    assert len(known) == 10
    assert known.look((*KEY[:3], 49), ONE, 0.0)[0] is Seen.IN_FLIGHT
    assert known.look((*KEY[:3], 0), ONE, 0.0)[0] is Seen.NEW
