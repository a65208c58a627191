"""The list of sessions: what PAM opened and did not close."""

from __future__ import annotations

import os
import subprocess

from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.host.sessions import Sessions, is_running
from tests.doubles.moving import NOW, MovingClock


def request(name="ann", *, uid=0, pid=10, named=False, tty="pts/1", **more):
    return LoginRequest(
        door=Door.LOGIN, phase=Phase.OPEN, name=name, service="sshd", tty=tty,
        peer=Peer(uid=uid, real_uid=uid, pid=pid, named=named), **more,
    )  # fmt: skip


def sessions(alive=lambda _: True):
    return Sessions(MovingClock(), alive)


def test_a_session_is_listed_from_open_to_close():
    kept = sessions()
    kept.opened(request(rhost="192.0.2.1"))
    kept.opened(request("bob", pid=11))

    ann, bob = kept.all()
    assert (ann.name, ann.service, ann.since, ann.tty, ann.rhost) == (
        "ann", "sshd", NOW, "pts/1", "192.0.2.1",
    )  # fmt: skip
    kept.closed(request(rhost="192.0.2.1"))
    assert kept.all() == (bob,)


def test_two_sessions_of_one_person_are_closed_one_by_one():
    kept = sessions()
    kept.opened(request(pid=10))
    kept.opened(request(pid=11))
    kept.closed(request(pid=12))
    assert len(kept.all()) == 1
    kept.closed(request(pid=11))
    assert kept.all() == ()
    kept.closed(request(pid=11))


def test_spellings_of_a_name_are_one_account():
    kept = sessions()
    kept.opened(request("Ann"))
    assert len(kept.of("ann")) == 1
    kept.closed(request("ANN"))
    assert kept.all() == ()


def test_who_is_neither_root_nor_named_is_not_believed():
    kept = sessions()
    kept.opened(request(uid=1000))
    assert kept.all() == ()
    kept.opened(request(uid=1001, named=True))
    kept.closed(request(uid=1000))
    assert len(kept.all()) == 1


def test_the_session_of_a_process_that_died_ends():
    process = subprocess.Popen(["sleep", "60"])
    kept = Sessions(MovingClock())
    kept.opened(request(pid=process.pid))
    kept.opened(request("bob", pid=0))
    kept.opened(request("carl", pid=os.getpid()))
    assert len(kept.all()) == 3
    process.kill()
    process.wait()
    assert [one.name for one in kept.all()] == ["bob", "carl"]
    assert is_running(1)


def test_the_list_is_bounded():
    kept = sessions()
    for pid in range(1, 3001):
        kept.opened(request(pid=pid))
    assert len(kept.all()) == 2000
