"""The clock of the machine set by a year, below the real daemon, offline (libfaketime)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.core.reasons import Reason
from tests.live import people
from tests.live.daemon import Agent
from tests.live.site import acquaint, site_at
from tests.live.slapd import now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("offline-store")]

RIGHT, WRONG = people.PASSWORD, "not-the-password"
YEARS = {"+365d": 1, "-365d": -1}


@pytest.fixture
def clock() -> Iterator[tuple[Agent, Path]]:
    """An agent without its directory, whose wall clock is what a file says; and that file."""
    libraries = list(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "libfaketime is missing: apt-get install faketime"
    with site_at((*people.matrix(now()), *people.bulk(2))) as (slapd, agent):
        acquaint(agent)
        agent.stop()
        slapd.stop()
        set_to = agent.folder / "clock"
        set_to.write_text("+0\n")
        agent.environment = {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(set_to),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",  # within a boot, those clocks are set by nobody
        }
        agent.start()
        yield agent, set_to


def test_a_clock_set_by_a_year_ends_no_lock_and_ages_no_copy(clock: tuple[Agent, Path]) -> None:
    """I12, Q10: forward and back, while it runs and over a restart; locks stay, copies serve."""
    agent, set_to = clock
    for _ in range(5):
        assert agent.ask("bulk1", WRONG) is Reason.WRONG_CREDENTIALS
    for offset, years in YEARS.items():
        set_to.write_text(f"{offset}\n")
        for restarted in (False, True):
            if restarted:
                agent.stop()
                agent.start()
                shown = agent.log.read_text().splitlines()[-1]
                assert shown.startswith(str(now().year + years)), "the clock was not set"
            assert agent.ask("bulk1", RIGHT) is Reason.ACCOUNT_LOCKED
            assert agent.ask("lockperm", RIGHT) is Reason.ACCOUNT_LOCKED
            assert agent.ask("bulk0", RIGHT) is Reason.OK
            written = agent.trail("bulk0")[-1].at.timestamp()
            assert abs(written - time.time()) < 60, "the trail follows the clock"


def test_after_the_time_allowed_offline_nobody_gets_in_and_a_deny_stays(
    clock: tuple[Agent, Path],
) -> None:
    """R27, I9: the machine slept four days, and its own clock of running says so."""
    agent, set_to = clock
    assert agent.ask("bulk0", RIGHT) is Reason.OK
    agent.stop()
    del agent.environment["DONT_FAKE_MONOTONIC"]
    set_to.write_text("+4d\n")
    agent.start()
    assert agent.ask("bulk0", RIGHT) is Reason.OFFLINE_TOO_LONG
    assert agent.ask("lockperm", RIGHT) is Reason.ACCOUNT_LOCKED
