"""The real login socket before clients who mean harm: good logins go on, guesses stay few."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import time
from collections.abc import Iterator

import pytest

from loginward.core.reasons import Reason
from tests.live import people
from tests.live.daemon import Agent
from tests.live.guesses import guess_at_once
from tests.live.nuisance import BEGIN, nuisance
from tests.live.site import site_at
from tests.live.slapd import Slapd, now
from tests.runtime.daemon import served
from tests.runtime.people import person

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("door")]

GOOD_S = 1.0
IDLE = 1000
RIGHT = people.PASSWORD


@contextlib.contextmanager
def behind(use_lockout: bool) -> Iterator[tuple[Slapd, Agent]]:
    crowd = (*people.matrix(now()), *people.bulk(4))
    with site_at(crowd, use_lockout=use_lockout) as made:
        yield made


@pytest.fixture(scope="module", params=[True, False], ids=["lockout-told", "lockout-hidden"])
def site(request: pytest.FixtureRequest) -> Iterator[tuple[Slapd, Agent]]:
    with behind(request.param) as made:
        yield made


def test_a_hundred_guesses_of_ten_processes_are_three_binds(site: tuple[Slapd, Agent]) -> None:
    """I6: slapd itself says how many passwords were tested; it locks after three."""
    slapd, agent = site
    guess_at_once(agent.run_dir, "bulk3")
    assert slapd.bound("bulk3") == people.MAX_FAILURE
    assert agent.ask("bulk3", RIGHT) is Reason.ACCOUNT_LOCKED
    assert slapd.bound("bulk3") == people.MAX_FAILURE


def test_a_hundred_guesses_of_ten_processes_are_five_in_the_embedded_directory() -> None:
    """I6: five are checked, whatever runs at once."""
    with served() as daemon:
        daemon.people(person("ann"))
        guess_at_once(daemon.run, "ann")
        checked = [row.more.get("checked", "") for row in daemon.events("ann")]
        assert sum(one == "wrong" for one in checked) == 5
        assert daemon.account("ann").status.lock.failures == 5


def test_idle_slow_and_senseless_clients_hold_up_nobody(
    site: tuple[Slapd, Agent], capsys: pytest.CaptureFixture[str]
) -> None:
    """A thousand connections open, half of them in a conversation; an octet a second; garbage."""
    _, agent = site
    assert agent.ask("bulk0", RIGHT) is Reason.OK
    path = os.fspath(agent.run_dir / "login.sock")
    took = []
    with contextlib.ExitStack() as stack:
        for nth in range(IDLE):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(path)
            if nth % 2:
                with contextlib.suppress(OSError):  # one too many: it may be closed already
                    connection.sendall(BEGIN)
        for kind in ("drip", "garbage"):
            stack.enter_context(nuisance(agent.run_dir, kind))
        for _ in range(10):
            began = time.monotonic()
            assert agent.ask("bulk0", RIGHT) is Reason.OK
            took.append(time.monotonic() - began)
    with capsys.disabled():
        print(
            f"\ngood logins beside a thousand idle ones: at most {max(took) * 1000:.0f} ms, "
            f"median {statistics.median(took) * 1000:.0f} ms"
        )
    assert max(took) < GOOD_S
    assert agent.ask("bulk0", RIGHT) is Reason.OK
