"""Who makes room at the login door, and who never has to."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from loginward.core.requests import Peer
from loginward.doors.login.connection import Connection, Turn
from loginward.doors.login.crowd import Crowd
from loginward.doors.login.limits import Limits, Source

ALICE, BOB, ROOT = 1001, 1002, 0


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as one:
        yield one


class Filled:
    """A crowd whose connections are named by when they came."""

    def __init__(self, sock: socket.socket, **limits: int) -> None:
        self.crowd = Crowd(Limits(**limits))
        self._sock = sock
        self._now = 0.0

    def comes(self, uid: int, turn: Turn = Turn.CLIENT_BEGINS) -> Connection:
        self._now += 1.0
        peer = Peer(uid=uid, real_uid=uid)
        until = self._now + 3.0
        one = Connection(self._sock, peer, self._now, until, source=Source(uid), turn=turn)
        self.crowd.add(one)
        return one

    def goes_for(self, uid: int) -> list[float] | None:
        """Return when those came who go for a newcomer; None: the newcomer goes."""
        going = self.crowd.in_the_way_of(Source(uid))
        return None if going is None else [one.since for one in going]


def test_where_there_is_room_nobody_goes(sock: socket.socket) -> None:
    full = Filled(sock, connections=3)
    full.comes(ALICE)
    full.comes(BOB)
    assert full.goes_for(ROOT) == []
    full.comes(BOB)
    assert full.goes_for(ROOT) != []


def test_whoever_holds_most_makes_room_not_whoever_came_first(sock: socket.socket) -> None:
    full = Filled(sock, connections=4)
    full.comes(ALICE)
    second = full.comes(BOB)
    full.comes(BOB)
    full.comes(BOB)
    assert full.goes_for(ROOT) == [second.since]


def test_who_has_asked_something_is_never_pushed_aside(sock: socket.socket) -> None:
    full = Filled(sock, connections=2)
    full.comes(ALICE, Turn.DAEMON)
    full.comes(ALICE, Turn.CLIENT_TYPES)
    assert full.goes_for(ROOT) is None


def test_a_user_at_the_own_bound_pushes_only_the_own_aside(sock: socket.socket) -> None:
    full = Filled(sock, connections=9, per_uid_connections=2)
    full.comes(BOB)
    own = full.comes(ALICE)
    full.comes(ALICE)
    assert full.goes_for(ALICE) == [own.since]
    assert full.goes_for(BOB) == []
    busy = Filled(sock, connections=9, per_uid_connections=1)
    busy.comes(BOB)
    busy.comes(ALICE, Turn.CLIENT_TYPES)
    assert busy.goes_for(ALICE) is None


def test_who_owes_a_frame_is_overdue_at_the_very_moment(sock: socket.socket) -> None:
    full = Filled(sock, connections=9)
    late = full.comes(ALICE)
    ours = full.comes(ALICE, Turn.DAEMON)
    assert full.crowd.overdue(late.until - 0.001) == []
    assert full.crowd.overdue(late.until) == [late]
    assert ours not in full.crowd.overdue(ours.until + 99.0)


def test_those_that_are_over_are_held_and_not_alive(sock: socket.socket) -> None:
    full = Filled(sock, connections=9)
    full.comes(ALICE)
    over = full.comes(BOB, Turn.OVER)
    assert (len(full.crowd), full.crowd.alive) == (2, 1)
    full.crowd.forget(over)
    assert over not in full.crowd
    assert len(full.crowd) == 1
