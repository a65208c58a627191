"""A full disk below the real daemon: logins go on by the design's rule, and it is told of.

The state lies on a small file system of the daemon's own mount namespace.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loginward.core.reasons import Reason
from tests.live import people
from tests.live.daemon import Agent, agent_at
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("power")]

RIGHT, WRONG = people.PASSWORD, "not-the-password"
PATIENCE_S = 10
SMALL = """\
mkdir {small} && mount -t tmpfs -o size=16m,mode=0755 tmpfs {small} && cp -a {state}/. {small}/ \
&& chown --reference={state} {small} && mount --move {small} {state} && exec "$@"
"""


class Disk:
    """The small file system of an agent."""

    def __init__(self, agent: Agent) -> None:
        assert agent.process is not None
        self.state = Path(f"/proc/{agent.process.pid}/root{agent.state_dir}")
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
def slapd() -> Iterator[Slapd]:
    folder = Path(tempfile.mkdtemp(prefix="lw-live-"))
    folder.chmod(0o755)
    try:
        with Slapd(folder / "slapd", (*people.matrix(now()), *people.bulk(4))) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def agent(slapd: Slapd) -> Iterator[Agent]:
    folder = Path(tempfile.mkdtemp(prefix="lw-live-"))
    folder.chmod(0o755)
    try:
        with agent_at(folder / "agent", slapd) as made:
            for nth in range(2):
                assert made.ask(f"bulk{nth}", RIGHT) is Reason.OK
            assert made.ask("lockperm", RIGHT) is Reason.ACCOUNT_LOCKED
            made.await_verifiers(2)
            made.stop()
            small = SMALL.format(small=folder / "small", state=made.state_dir)
            made.start("unshare", "-m", "sh", "-c", small, "sh")
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def eventually(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.1)


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
