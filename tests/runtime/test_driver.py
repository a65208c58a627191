"""Faults and outages under way: nobody is let in, nobody waits for ever, nothing is counted."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loginward.core.reasons import Reason
from loginward.errors import DirectoryUnavailable
from tests.runtime.people import RIGHT, person


def broken(fault):
    def check(self, account, password, deadline):
        raise fault

    return check


@pytest.fixture
def ann(host):
    host.people(person("ann"))
    return host


def test_a_fault_of_ours_in_a_check_holds_no_attempt_back(ann, monkeypatch):
    """Fail closed, and whoever comes next is still checked, however often that happened."""
    with monkeypatch.context() as patch:
        patch.setattr(type(ann.parts.embedded), "check", broken(RuntimeError("ours")))
        for n in range(8):
            with pytest.raises(RuntimeError):
                ann.ask("ann", b"guess number %d" % n)
    assert ann.failures("ann") == 0
    assert ann.ask("ann", RIGHT).reason is Reason.OK


def test_an_outage_in_a_check_is_no_wrong_password(ann, monkeypatch):
    """R58: counted for nobody, told as what it is, noted in the event."""
    with monkeypatch.context() as patch:
        fault = DirectoryUnavailable("read", "cut")
        patch.setattr(type(ann.parts.embedded), "check", broken(fault))
        for n in range(8):
            turn = ann.ask("ann", b"guess number %d" % n)
            assert turn.reason is Reason.DIRECTORY_UNAVAILABLE
        assert "directory: read" in ann.event(turn).evidence
    assert ann.failures("ann") == 0
    assert ann.ask("ann", RIGHT).reason is Reason.OK


def test_who_shares_a_check_that_breaks_is_refused_at_once(ann, monkeypatch):
    """Nobody waits for a flight that will never land."""
    entered, go = threading.Event(), threading.Event()

    def check(self, account, password, deadline):
        entered.set()
        go.wait(10)
        raise RuntimeError("ours")

    monkeypatch.setattr(type(ann.parts.embedded), "check", check)
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(ann.ask, "ann", RIGHT)
        assert entered.wait(10)
        follower = pool.submit(ann.ask, "ann", RIGHT)
        go.set()
        with pytest.raises(RuntimeError):
            leader.result(10)
        # It may have come after the landing, and met the same fault itself.
        with contextlib.suppress(RuntimeError):
            assert follower.result(10).reason is Reason.DIRECTORY_UNAVAILABLE


def test_an_outage_while_reading_is_told_and_nothing_is_checked(ann, monkeypatch):
    def find(self, name, deadline):
        raise DirectoryUnavailable("connect", "cut")

    monkeypatch.setattr(type(ann.parts.embedded), "find", find)
    assert ann.ask("ann", RIGHT).reason is Reason.DIRECTORY_UNAVAILABLE
    assert ann.acct("ann").reason is Reason.DIRECTORY_UNAVAILABLE
