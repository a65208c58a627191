"""The RADIUS door without its directory: silent, unless the site keeps verifiers for its people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.status import Lock, LockCause
from loginward.wire.radius.packet import Code
from tests.doubles.waiting import eventually
from tests.runtime.paper import CONFIG
from tests.runtime.people import RIGHT, WRONG
from tests.runtime.radius import config, served

ACCEPT, REJECT = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT
KEPT = "offline_verifiers: true"
STATUS = "status_server: silent-when-unusable"


@pytest.fixture
def open_door(hosts, paper, tmp_path):
    """Return the maker of a door whose directory is elsewhere; ann has got in there once."""
    doors = []

    def make(more="", policy="{throttle: {per_source_per_min: null}}"):
        host = hosts(CONFIG + config(tmp_path, more=more, policy=policy))
        host.paper = paper()
        settled = host.parts.clock.now() - timedelta(days=1)
        for name in ("ann", "bob", "locked"):
            host.paper.put(name, RIGHT, changed_at=settled)
        doors.append(served(host))
        door = doors[-1].__enter__()
        with door.nas() as nas:
            assert nas.login("ann", RIGHT).code is ACCEPT
            host.paper.move("locked", locks=(Lock(id="l", cause=LockCause.BY_ADMIN, until=None),))
            assert nas.login("locked", RIGHT).code is REJECT
        host.parts.verifiers.idle()
        return door

    yield make
    for door in doors:
        door.__exit__(None, None, None)


def is_silent(door, name, password):
    """Say whether a login is met with silence, which is counted."""
    counters = door.door._open._server.counters

    def silent():
        return counters.read().get(("vpn", "silent"), 0)

    before = silent()
    with door.nas() as nas:
        nas.sock.send(nas.request(name, password))
        eventually(lambda: silent() > before, f"{name} was answered")
    return True


def test_by_default_nobody_is_answered_for_another_server_may_know(open_door):
    door = open_door()
    door.host.paper.down = True
    for name, password in (("ann", RIGHT), ("ann", WRONG), ("bob", RIGHT), ("nobody", RIGHT)):
        assert is_silent(door, name, password)
    assert door.host.failures("ann") == 0


def test_who_is_known_to_be_locked_is_rejected_all_the_same(open_door):
    door = open_door()
    door.host.paper.down = True
    with door.nas() as nas:
        assert nas.login("locked", RIGHT).code is REJECT


@pytest.mark.parametrize(
    ("more", "policy"),
    [
        (KEPT, "{throttle: {per_source_per_min: null}}"),
        ("", "{offline: {verifiers: [radius]}, throttle: {per_source_per_min: null}}"),
    ],
)
def test_with_verifiers_those_who_got_in_before_are_checked_here(open_door, more, policy):
    """R18: right gets in, five wrong ones lock; who never got in is met with silence."""
    door = open_door(more=f"{more}\n{STATUS}", policy=policy)
    door.host.paper.down = True
    with door.nas() as nas:
        assert nas.login("ann", RIGHT).code is ACCEPT
        assert door.last("ann").offline
        assert is_silent(door, "bob", RIGHT)
        assert nas.login("locked", RIGHT).code is REJECT
        assert nas.exchange(nas.status()).code is ACCEPT, "there are people whom it can judge"
        for n in range(5):
            assert nas.login("ann", b"guess number %d" % n).code is REJECT
        locked = nas.login("ann", RIGHT)
        assert locked.code is REJECT
        assert door.event(locked).reason.value == "account-locked"


def test_after_too_long_offline_the_door_rejects(open_door, hands):
    door = open_door(more=KEPT)
    door.host.paper.down = True
    hands.pass_by(timedelta(days=4))
    with door.nas() as nas:
        assert nas.login("ann", RIGHT).code is REJECT
    assert door.last("ann").reason.value == "offline-too-long"


def test_without_verifiers_and_without_a_server_status_is_silent_where_the_site_says_so(open_door):
    """The directory on paper has no server that is known to answer."""
    door = open_door(more=STATUS)
    door.host.paper.down = True
    with door.nas(patience_s=0.3) as nas, pytest.raises(TimeoutError):
        nas.exchange(nas.status())
