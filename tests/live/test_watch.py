"""The watch over a real slapd: what is done there is told here once, and an outage once too (R39)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Phase
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.daemon import READS, Agent, agent_at
from tests.live.site import open_folder, site_at
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("watch")]

RIGHT = people.PASSWORD
LOCAL = "games"  # a name that /etc/passwd has everywhere
LOCKED = "000001010000Z"
PUSHED_S = 0.5  # 0.05 on a quiet machine


@dataclass
class Site:
    slapd: Slapd
    agent: Agent

    def meet(self, name: str) -> None:
        """Let this agent know somebody."""
        self.slapd.add(people.Person(name, ("pwdReset: FALSE",)))
        assert self.agent.ask(name, RIGHT) is Reason.OK
        self.look()

    def look(self) -> None:
        """Wait until everybody has been looked at from now on."""
        began = now()
        eventually(
            lambda: (seen := self.agent.health().watched_at) is not None and seen >= began,
            "nobody looks",
        )

    def await_told(self, name: str, *transitions: str) -> None:
        eventually(
            lambda: self.agent.transitions(name) == list(transitions),
            lambda: self.agent.transitions(name),
        )

    def searches(self, name: str) -> int:
        """Return how often somebody has been looked up by name."""
        return len(self.slapd.said(rf'SRCH .*filter="\(&\(uid={name}\)'))

    @staticmethod
    def await_pushed(agent: Agent) -> None:
        eventually(lambda: agent.health().watch == "push", lambda: agent.health().watch_problem)

    def said_of_outages(self) -> int:
        return self.agent.log.read_text().count("watch: the directory does not answer")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with site_at() as (slapd, agent):
        yield Site(slapd, agent)


def test_what_is_done_in_the_directory_is_told_once(site: Site) -> None:
    site.meet("watched")
    site.slapd.change("watched", {"pwdAccountLockedTime": [LOCKED]})
    site.await_told("watched", "locked")
    site.slapd.change("watched", {"pwdAccountLockedTime": []})
    site.await_told("watched", "locked", "unlocked")
    ends = f"{now() + timedelta(seconds=2):%Y%m%d%H%M%SZ}"
    site.slapd.change("watched", {"pwdEndTime": [ends]})
    site.await_told("watched", "locked", "unlocked", "suspended")
    site.look()
    site.look()
    assert site.agent.transitions("watched") == ["locked", "unlocked", "suspended"]


def test_a_login_costs_a_bind_and_no_search(site: Site) -> None:
    """Whoever the directory would tell of is at hand; who is refused is still looked up."""
    site.await_pushed(site.agent)
    site.meet("frugal")
    assert site.agent.ask("frugal", RIGHT) is Reason.OK
    searched, bound = site.searches("frugal"), site.slapd.bound("frugal")
    for _ in range(5):
        assert site.agent.ask("frugal", RIGHT) is Reason.OK
    assert site.searches("frugal") == searched
    assert site.slapd.bound("frugal") == bound + 5
    assert site.agent.ask("frugal", "wrong") is Reason.WRONG_CREDENTIALS
    assert site.agent.ask("frugal", RIGHT) is Reason.OK
    assert site.searches("frugal") == searched + 1, "the failure that was counted is read"
    assert site.agent.ask("frugal", RIGHT, Phase.ACCT) is Reason.OK
    assert site.searches("frugal") == searched + 2, "no bind follows, so that it is read"


def test_where_changes_are_pushed_nothing_waits_for_a_poll(site: Site) -> None:
    """A lock is told at once and refused without a bind, an unlock lets the next login in."""
    hourly = READS.replace("poll_s: 1", "poll_s: 3600")
    with open_folder() as folder, agent_at(folder / "agent", site.slapd, accounts=hourly) as agent:
        site.await_pushed(agent)
        site.slapd.add(people.Person("pushed", ("pwdReset: FALSE",)))
        assert agent.ask("pushed", RIGHT) is Reason.OK
        eventually(lambda: agent.health().at_hand > 0, "nobody is at hand")
        site.slapd.change("pushed", {"pwdAccountLockedTime": [LOCKED]})
        locked_at = now()
        eventually(lambda: agent.transitions("pushed") == ["locked"], "not told")
        told = next(row for row in agent.trail("pushed") if row.event == "transition")
        assert (told.at - locked_at).total_seconds() < PUSHED_S
        bound = site.slapd.bound("pushed")
        assert agent.ask("pushed", RIGHT) is Reason.ACCOUNT_LOCKED
        assert site.slapd.bound("pushed") == bound
        site.slapd.change("pushed", {"pwdAccountLockedTime": []})
        assert agent.ask("pushed", RIGHT) is Reason.OK


def test_an_unlock_that_a_login_meets_first_is_told_once(site: Site) -> None:
    site.meet("metfirst")
    site.slapd.change("metfirst", {"pwdAccountLockedTime": [LOCKED]})
    assert site.agent.ask("metfirst", RIGHT) is Reason.ACCOUNT_LOCKED
    site.slapd.change("metfirst", {"pwdAccountLockedTime": []})
    assert site.agent.ask("metfirst", RIGHT) is Reason.OK
    site.await_told("metfirst", "locked", "unlocked")
    site.look()
    site.look()
    assert site.agent.transitions("metfirst") == ["locked", "unlocked"]


def test_an_outage_is_one_line_and_no_transition(site: Site) -> None:
    site.meet("steady")
    before = site.said_of_outages()
    site.slapd.stop()
    eventually(lambda: site.said_of_outages() > before, "the outage is not told")
    time.sleep(3)  # three polls of an outage
    site.slapd.start()
    site.look()
    assert site.said_of_outages() == before + 1
    assert site.agent.transitions("steady") == []
    site.slapd.change("steady", {"pwdAccountLockedTime": [LOCKED]})
    site.await_told("steady", "locked")


def test_a_name_that_appears_after_all_is_not_taken_for_absent(site: Site) -> None:
    """The directory's old word that it has no such name holds offline, until it says otherwise."""
    assert site.agent.ask(LOCAL, RIGHT) is Reason.USER_UNKNOWN
    site.slapd.stop()
    assert site.agent.ask(LOCAL, RIGHT) is Reason.USER_UNKNOWN
    site.slapd.start()
    site.agent.await_online("active", RIGHT)
    site.meet(LOCAL)
    assert site.agent.command("cache", "forget", LOCAL).returncode == 0
    site.slapd.stop()
    assert site.agent.ask(LOCAL, RIGHT) is Reason.OFFLINE_NEVER_SEEN
    site.slapd.start()
