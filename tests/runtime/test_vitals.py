"""What hangs is seen, by name, and whoever only waits is not taken for it."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from loginward.crypto.password_hash import PasswordHasher
from loginward.doors.login.limits import Limits
from loginward.doors.login.listen import listen
from loginward.doors.login.server import LoginServer
from loginward.runtime.trail import TrailWriter
from loginward.runtime.vitals import HANGS_AFTER_S, Vitals
from loginward.runtime.watcher import Watcher
from tests.doubles.waiting import eventually
from tests.runtime.people import RIGHT, person

LOOKS_S = 5.0


@dataclass
class Clock:
    at: float = 100.0

    def monotonic(self) -> float:
        return self.at

    boottime = monotonic

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


class Barrier:
    """Holds up whoever comes by."""

    def __init__(self) -> None:
        self.held, self._open = threading.Event(), threading.Event()

    def __call__(self, *_arguments, **_more):
        self.held.set()
        assert self._open.wait(20)

    @contextmanager
    def holding(self):
        try:
            assert self.held.wait(10)
            yield
        finally:
            self._open.set()


def after(vitals: Vitals, clock: Clock, seconds: float = HANGS_AFTER_S) -> tuple[str, ...]:
    """Look as often as the daemon does, and return what the last look saw."""
    seen = vitals.hanging()
    end = clock.at + seconds
    while clock.at < end:
        clock.at += LOOKS_S
        seen = vitals.hanging()
    return seen


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def looked_at(host, clock):
    """Return the vitals of a host, by a clock of the test's."""
    host.people(person("ann"))
    host.parts.vitals._clock = clock
    return host.parts.vitals


def test_a_turn_that_goes_on_for_too_long_is_told_once_and_so_is_its_end(clock, caplog):
    caplog.set_level(logging.WARNING)
    vitals, turns = Vitals(clock), [7]
    vitals.watch("audit", lambda: turns[0])
    vitals.watch("verifiers", lambda: None)

    assert after(vitals, clock, HANGS_AFTER_S - LOOKS_S) == ()
    assert after(vitals, clock, 3 * LOOKS_S) == ("audit",)
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    turns[0] += 1
    assert vitals.hanging() == ()
    assert "audit gets on again" in caplog.text
    turns[0] += 1
    assert after(vitals, clock, HANGS_AFTER_S - LOOKS_S) == ()


def test_nobody_hangs_because_the_machine_stood_still(clock):
    vitals = Vitals(clock)
    vitals.watch("audit", lambda: 1)
    assert after(vitals, clock, 30) == ()
    clock.at += 3600
    assert vitals.hanging() == ()
    assert after(vitals, clock) == ("audit",)


def test_a_host_at_rest_hangs_nowhere(host, looked_at, clock):
    watcher = Watcher(host.parts)
    looked_at.watch("watcher", lambda: watcher.turn)
    host.ask("ann", RIGHT)
    watcher.start()
    assert after(looked_at, clock, HANGS_AFTER_S / 2) == ()
    watched, written = watcher.turn, host.parts.audit.turn
    eventually(lambda: watcher.turn != watched, "the watcher stands still")
    eventually(lambda: host.parts.audit.turn != written, "the audit stands still")
    assert after(looked_at, clock, HANGS_AFTER_S / 2) == ()
    watcher.stop()
    assert host.admin.health().hanging == ()


def test_an_audit_thread_that_hangs_in_a_write(host, looked_at, clock, monkeypatch):
    barrier = Barrier()
    monkeypatch.setattr(TrailWriter, "append", barrier)
    host.ask("ann", RIGHT)
    with barrier.holding():
        assert after(looked_at, clock) == ("audit",)
        assert host.admin.health().hanging == ("audit",)


def test_a_watcher_that_hangs_in_a_look(host, looked_at, clock, monkeypatch):
    barrier = Barrier()
    watcher = Watcher(host.parts)
    looked_at.watch("watcher", lambda: watcher.turn)
    monkeypatch.setattr(type(watcher._accounts), "moved", lambda *_a, **_m: iter((barrier(),)))
    watcher.start()
    with barrier.holding():
        eventually(lambda: "watcher" in after(looked_at, clock), "it is not missed", 5)
    monkeypatch.undo()
    watcher.stop()


def test_a_verifier_that_is_never_done(site, clock, monkeypatch):
    barrier = Barrier()
    site.parts.vitals._clock = clock
    monkeypatch.setattr(PasswordHasher, "hash", barrier)
    site.ask("ann", RIGHT)
    with barrier.holding():
        eventually(lambda: "verifiers" in after(site.parts.vitals, clock), "it is not missed", 5)


@pytest.mark.parametrize("name", ["store", "embedded directory"])
def test_a_commit_that_hangs(host, looked_at, clock, name):
    barrier = Barrier()
    write = host.parts.store.file.write if name == "store" else host.parts.embedded._book.write
    hanging = threading.Thread(target=write, args=(barrier,))
    hanging.start()
    with barrier.holding():
        eventually(lambda: name in after(looked_at, clock), "it is not missed", 5)
    hanging.join(10)


def test_a_login_door_that_hangs_with_one_connection(host, looked_at, clock, monkeypatch):
    barrier = Barrier()
    path = host.folder / "door" / "login.sock"
    server = LoginServer(host.service, listen(path), Limits(), host.parts.clock, dict)
    looked_at.watch("login door", lambda: server.turn)
    monkeypatch.setattr(LoginServer, "_accept", barrier)
    serving = threading.Thread(target=server.run)
    serving.start()
    assert "login door" not in after(looked_at, clock)  # nobody came: it waits
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        with barrier.holding():
            eventually(lambda: "login door" in after(looked_at, clock), "it is not missed", 5)
    monkeypatch.undo()
    server.stop()
    serving.join(10)
