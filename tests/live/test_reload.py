"""A reload of the daemon that gave root's rights up, before a real slapd: secrets stay, rules follow."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from loginward.core.reasons import Reason
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.daemon import Agent
from tests.live.site import site_at
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("reload")]

RIGHT = people.PASSWORD
LOCKED = "000001010000Z"
HOURLY, SECONDLY = "watch: {poll_s: 3600}", "watch: {poll_s: 1}"


@dataclass
class Site:
    """An agent whose file can be rewritten, and its directory."""

    slapd: Slapd
    agent: Agent
    plain: str

    def reload(self, more: str = "", old: str = "", new: str = "") -> list[str]:
        """Have a file read that says more, or other things, than at the start; return what changed."""
        (self.agent.folder / "loginward.yaml").write_text(self.plain.replace(old, new) + more)
        done = self.agent.command("config", "reload", "--json")
        assert done.returncode == 0, done.stderr
        row = json.loads(done.stdout)
        assert row["needs_restart"] == []
        return list(row["changed"])

    def meet(self, name: str) -> None:
        """Put somebody into the directory and let this agent know them."""
        self.slapd.add(people.Person(name, ("pwdReset: FALSE",)))
        assert self.agent.ask(name, RIGHT) is Reason.OK


@pytest.fixture
def site() -> Iterator[Site]:
    with site_at() as (slapd, agent):
        yield Site(slapd, agent, (agent.folder / "loginward.yaml").read_text())


def test_secrets_that_root_alone_can_read_stay_as_they_were_read(site: Site) -> None:
    """The daemon is nobody by now; its next connections use what it read as root."""
    for name in ("service.secret", "admin.secret"):
        seen = (site.agent.folder / name).stat()
        assert (seen.st_uid, stat.S_IMODE(seen.st_mode)) == (0, 0o600)
    assert Path(f"/proc/{site.agent.pid}").stat().st_uid != os.geteuid() == 0
    assert site.reload("policy: {reveal: always}\n") == ["policy.reveal"]
    site.slapd.restart()  # every connection is made anew, with the passwords that are kept
    site.agent.await_online("active", RIGHT)
    users = site.agent.command("users", "--names")
    assert "active" in users.stdout.splitlines(), users.stderr
    unlocked = site.agent.command("unlock", "lockperm")
    assert unlocked.returncode == 0, unlocked.stderr
    assert site.slapd.values("lockperm", "pwdAccountLockedTime") == []


def test_whose_lockout_it_is_and_its_threshold_follow(site: Site) -> None:
    """Where it becomes ours, slapd hears of no guess beyond our limit, which is below its own."""
    site.meet("guessed")
    changed = site.reload("policy: {lockout: {owner: agent, threshold: 2}}\n")
    assert changed == ["policy.lockout.owner", "policy.lockout.threshold"]
    for n in range(2):
        assert site.agent.ask("guessed", f"guess {n}") is Reason.WRONG_CREDENTIALS
    binds = site.slapd.bound("guessed")
    assert site.agent.ask("guessed", RIGHT) is Reason.ACCOUNT_LOCKED
    assert site.slapd.bound("guessed") == binds
    assert site.slapd.values("guessed", "pwdAccountLockedTime") == []
    assert site.reload() == changed
    status = json.loads(site.agent.command("status", "guessed", "--json").stdout)
    assert status["threshold"] == people.MAX_FAILURE


def test_verifiers_that_no_door_wants_let_nobody_in(site: Site) -> None:
    site.meet("traveller")
    site.agent.await_verifiers(1)
    assert site.reload("policy: {offline: {verifiers: []}}\n") == ["policy.offline.verifiers"]
    site.slapd.stop()
    assert site.agent.ask("traveller", RIGHT) is Reason.DIRECTORY_UNAVAILABLE
    assert site.reload() == ["policy.offline.verifiers"]
    assert site.agent.ask("traveller", RIGHT) is Reason.OK


def test_how_often_it_looks_follows(site: Site) -> None:
    """From once in an hour to once a second: what is done in the directory is told at once."""
    assert site.reload(old=SECONDLY, new=HOURLY) == ["directory.watch.poll_s"]
    site.meet("watched")
    assert site.reload() == ["directory.watch.poll_s"]
    at = now()
    for _ in range(2):  # two readings of everybody after the reload, no hour apart
        at = _looked(site, at)
    site.slapd.change("watched", {"pwdAccountLockedTime": [LOCKED]})
    eventually(lambda: site.agent.transitions("watched") == ["locked"], "the lock is not told")


def _looked(site: Site, since: datetime) -> datetime:
    """Wait until everybody has been looked at after a moment; return when."""
    eventually(lambda: (site.agent.health().watched_at or since) > since, "nobody looks")
    return site.agent.health().watched_at or since
