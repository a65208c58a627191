"""Faults inside the login door: one costs its own connection, and an end of the door is seen."""

from __future__ import annotations

import contextlib

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Phase
from loginward.doors.login.connection import Connection
from loginward.doors.login.limits import Limits
from loginward.doors.login.server import FAULTS_IN_A_ROW
from loginward.doors.login.turnstile import Turnstile
from loginward.wire.login import Begin, Result
from tests.doors.login.serving import Door

BEGIN = Begin(phase=Phase.AUTHN, user="alice", service="sshd")


def broken(*_: object) -> None:
    raise KeyError("a bug")


def test_a_fault_at_a_connection_costs_that_one_alone(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Connection, "read", broken)
        for _ in range(3):
            with door.client() as client:
                with contextlib.suppress(ConnectionError):  # closed before anything was said
                    client.say(BEGIN)
                assert client.is_closed

    got = door.login()
    assert isinstance(got, Result)
    assert got.reason is Reason.OK
    assert door.count("faults") == 3
    assert door.server.is_well


def test_a_fault_while_one_is_handled_ends_no_worker(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client hangs up, and noting that fails: once for each worker, and some more."""
    add = door.server.counters.add

    def failing(name: str) -> None:
        add(name)
        if name == "hung_up":
            raise MemoryError

    monkeypatch.setattr(door.server.counters, "add", failing)
    monkeypatch.setattr(
        Connection, "check_still_waiting", lambda _: (_ for _ in ()).throw(EOFError)
    )
    for _ in range(2 * Limits().workers):
        with door.client() as client:
            client.say(BEGIN)
            assert client.is_closed
    monkeypatch.undo()

    assert isinstance(door.login(), Result)
    assert door.server.is_well
    door.wait_until(lambda: door.server.gauges() == dict.fromkeys(door.server.gauges(), 0))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_ended_is_missed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.login()
    assert door.server.is_well

    monkeypatch.setattr(Turnstile, "take", broken)
    with door.client() as client:
        client.say(BEGIN)
        door.wait_until(lambda: not door.server.is_well)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_door_that_cannot_go_on_ends_and_is_missed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.login()
    with monkeypatch.context() as patched:
        patched.setattr(door.server, "_poll", broken)
        with door.client():
            door.wait_until(lambda: not door.server.is_well)

    assert door.count("faults") == FAULTS_IN_A_ROW + 1
