"""RFC 5080 section 2.1.1: a State cannot be guessed, serves once, and its own user alone."""

from __future__ import annotations

import os

import pytest

from loginward.doors.radius import challenges
from loginward.doors.radius.challenges import KEPT_S, STATE_OCTETS, Challenges


class Talk:
    def __init__(self):
        self.hung_up = 0

    def hang_up(self):
        self.hung_up += 1


@pytest.fixture
def waiting():
    return Challenges(os.urandom)


def test_a_state_serves_once(waiting):
    talk = Talk()
    state = waiting.keep(talk, "vpn", b"ann", 0.0)
    assert len(state) == STATE_OCTETS
    assert waiting.take(state, "vpn", b"ann", 1.0) is talk
    assert waiting.take(state, "vpn", b"ann", 1.0) is None
    assert len(waiting) == 0


@pytest.mark.parametrize(("client", "user"), [("wifi", b"ann"), ("vpn", b"bob"), ("vpn", b"")])
def test_nobody_else_goes_on_and_nobody_else_ends_it(waiting, client, user):
    talk = Talk()
    state = waiting.keep(talk, "vpn", b"ann", 0.0)
    assert waiting.take(state, client, user, 1.0) is None
    assert waiting.take(state, "vpn", b"ann", 1.0) is talk
    assert talk.hung_up == 0


def test_no_two_states_are_alike(waiting):
    assert len({waiting.keep(Talk(), "vpn", b"ann", 0.0) for _ in range(100)}) == 100


def test_after_two_minutes_it_has_ended(waiting):
    late, later = Talk(), Talk()
    state = waiting.keep(late, "vpn", b"ann", 0.0)
    assert waiting.take(state, "vpn", b"ann", KEPT_S) is None
    waiting.keep(later, "vpn", b"bob", 0.0)
    waiting.forget_old(KEPT_S)
    assert (late.hung_up, later.hung_up, len(waiting)) == (1, 1, 0)


def test_the_oldest_ends_where_too_many_wait(waiting, monkeypatch):
    monkeypatch.setattr(challenges, "_MOST", 3)
    talks = [Talk() for _ in range(5)]
    states = [waiting.keep(talk, "vpn", b"ann", 0.0) for talk in talks]
    assert [talk.hung_up for talk in talks] == [1, 1, 0, 0, 0]
    assert waiting.take(states[0], "vpn", b"ann", 0.0) is None
    assert waiting.take(states[4], "vpn", b"ann", 0.0) is talks[4]
