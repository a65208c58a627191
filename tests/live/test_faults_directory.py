"""Every fault of the way to the directory, through the real daemon: in time, right, and soon over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Phase
from tests.live import people
from tests.live.daemon import Agent, agent_at
from tests.live.proxy import Fault, Proxy
from tests.live.site import open_folder
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("offline")]

PHASE_S = 3.0
AGAIN_S = 2.0  # from the end of a fault until the directory is asked again
STRANGERS = 40
RIGHT, WRONG = people.PASSWORD, "not-the-password"
# A cable pulled (nothing comes back, or a reset), a server that accepts and never answers, drips,
# hangs up, is busy or says that it is unavailable.
FAULTS = (
    Fault.SWALLOW,
    Fault.STALL,
    Fault.DRIP,
    Fault.RESET,
    Fault.HANG_UP,
    Fault.BUSY,
    Fault.UNAVAILABLE,
)


@dataclass
class Line:
    """An agent, and the proxy that stands between it and its directory."""

    slapd: Slapd
    proxy: Proxy
    agent: Agent
    numbers: Iterator[int]

    def stranger(self) -> str:
        """Return somebody whom this agent never met."""
        return f"bulk{next(self.numbers)}"

    def ask(self, name: str, password: str = RIGHT, phase: Phase = Phase.AUTHN) -> Reason:
        """Ask once; the answer must come within the time of a phase."""
        began = time.monotonic()
        reason = self.agent.ask(name, password, phase)
        took = time.monotonic() - began
        assert took < PHASE_S, f"{name}: {reason} took {took:.2f} s"
        return reason

    def mended(self) -> float:
        """End the fault; return how long a stranger is still turned away."""
        self.proxy.fault = Fault.NONE
        began, name = time.monotonic(), self.stranger()
        while self.ask(name) is not Reason.OK:
            assert time.monotonic() - began < 20, "the directory is not seen again"
            time.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    crowd = (*people.matrix(now()), *people.bulk(STRANGERS))
    with (
        open_folder() as folder,
        Slapd(folder / "slapd", crowd) as slapd,
        Proxy(slapd.port) as proxy,
        agent_at(folder / "agent", slapd, url=proxy.url) as agent,
    ):
        made = Line(slapd, proxy, agent, count())
        assert made.ask("active") is Reason.OK
        assert made.ask("lockperm") is Reason.ACCOUNT_LOCKED
        assert made.ask("expired") is Reason.PASSWORD_EXPIRED
        agent.await_verifiers(1)
        yield made


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.value)
def test_right_answers_in_time_and_soon_over(line: Line, fault: Fault) -> None:
    """R27, I9, R63: the verifier lets in, a deny sticks, nothing counts at the directory."""
    bound = line.slapd.failures("active")
    line.proxy.fault = fault
    try:
        assert line.ask("active") is Reason.OK
        assert line.ask("active", WRONG) is Reason.WRONG_CREDENTIALS
        assert line.ask("active", phase=Phase.ACCT) is Reason.OK
        assert line.ask("lockperm") is Reason.ACCOUNT_LOCKED
        assert line.ask("lockperm", phase=Phase.ACCT) is Reason.ACCOUNT_LOCKED
        assert line.ask("expired", phase=Phase.ACCT) is Reason.PASSWORD_EXPIRED
        assert line.ask("expired") is Reason.DIRECTORY_UNAVAILABLE  # its password is not proven
        assert line.ask(line.stranger()) is Reason.OFFLINE_NEVER_SEEN
        (server,) = line.agent.health().servers
        assert not server.usable
        assert server.last_problem
    finally:
        took = line.mended()
    print(f"{fault.value}: asked again after {took:.2f} s")
    assert took < AGAIN_S
    assert line.ask("active") is Reason.OK
    assert line.slapd.failures("active") == bound


def test_a_long_outage_is_over_as_soon_as_a_short_one(line: Line) -> None:
    """However often it was tried in vain, and nobody signing in meanwhile."""
    line.proxy.fault = Fault.RESET
    began = time.monotonic()
    while time.monotonic() - began < 5:
        assert line.ask("active") is Reason.OK
        time.sleep(0.2)
    assert line.mended() < AGAIN_S
