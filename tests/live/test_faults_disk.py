"""A full disk below the real daemon: logins go on by the design's rule, and it is told of.

The state lies on a small file system of the daemon's own mount namespace.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.core.reasons import Reason
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.daemon import Agent
from tests.live.site import acquaint, site_at
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("power")]

RIGHT, WRONG = people.PASSWORD, "not-the-password"
SMALL = """\
mkdir {small} && mount -t tmpfs -o size=16m,mode=0755 tmpfs {small} && cp -a {state}/. {small}/ \
&& chown --reference={state} {small} && mount --move {small} {state} && exec "$@"
"""


class Disk:
    """The small file system of an agent."""

    def __init__(self, agent: Agent) -> None:
        self.state = Path(f"/proc/{agent.pid}/root{agent.state_dir}")
        self._filler = self.state / "filler"

    def fill(self) -> None:
        """Leave no octet."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
        assert os.statvfs(self.state).f_bavail == 0

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()


@pytest.fixture
def site() -> Iterator[tuple[Slapd, Agent]]:
    with site_at((*people.matrix(now()), *people.bulk(4))) as made:
        yield made


@pytest.fixture
def slapd(site: tuple[Slapd, Agent]) -> Slapd:
    return site[0]


@pytest.fixture
def agent(site: tuple[Slapd, Agent]) -> Agent:
    """An agent that knows people, and whose state has a file system of its own."""
    _, made = site
    acquaint(made)
    made.stop()
    small = SMALL.format(small=made.folder / "small", state=made.state_dir)
    made.start("unshare", "-m", "sh", "-c", small, "sh")
    return made


def test_a_full_disk_stops_nobody_forgets_no_guess_and_mends_by_itself(
    agent: Agent, slapd: Slapd
) -> None:
    disk = Disk(agent)
    disk.fill()
    # Who counts is the directory: logins go on, of somebody new as well, and it counts.
    assert agent.ask("bulk0", RIGHT) is Reason.OK
    assert agent.ask("bulk2", RIGHT) is Reason.OK
    assert agent.ask("bulk2", WRONG) is Reason.WRONG_CREDENTIALS
    assert slapd.failures("bulk2") == 1
    assert "full" in agent.health().store_fault
    eventually(lambda: bool(agent.health().events_fault), "the trail is not said to be unwritable")
    # Who counts is this agent: in memory, and a lock is a lock.
    slapd.stop()
    assert agent.ask("lockperm", RIGHT) is Reason.ACCOUNT_LOCKED
    for _ in range(5):
        assert agent.ask("bulk1", WRONG) is Reason.WRONG_CREDENTIALS
    assert agent.ask("bulk1", RIGHT) is Reason.ACCOUNT_LOCKED
    assert agent.ask("bulk0", RIGHT) is Reason.OK
    disk.free()
    assert agent.ask("bulk0", WRONG) is Reason.WRONG_CREDENTIALS  # the next attempt of anybody
    eventually(lambda: not agent.health().store_fault, "the store is not written again")
    eventually(lambda: not agent.health().events_fault, "the trail is not written again")
    faults = [row.text for row in agent.trail() if row.event == "fault"]
    assert any("full" in text for text in faults), faults
    assert ("authn", "account-locked") in agent.reasons("bulk1")
    # What was counted in memory is in the file by now; a file system of the namespace ends with it.
    kept = agent.folder / "kept"
    shutil.copytree(disk.state, kept)
    agent.kill()
    for file in kept.glob("**/*"):
        if file.is_file():
            shutil.copyfile(file, agent.state_dir / file.relative_to(kept))
    agent.start()
    assert agent.ask("bulk1", RIGHT) is Reason.ACCOUNT_LOCKED
    assert agent.ask("bulk0", RIGHT) is Reason.OK
