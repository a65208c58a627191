"""The three of them running: real slapd, the real agent before it, and a machine with our module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live import people
from tests.live.daemon import Agent, agent_at
from tests.live.pam_ns import Machine, host_files, machine_at
from tests.live.site import open_folder
from tests.live.slapd import Slapd, now

TOP = Path(__file__).resolve().parents[2]
UIDS = {
    person.uid: 3000 + number for number, person in enumerate(people.matrix(now())) if person.uid
}
# A login screen's service with our module alone: the code that libpam gives is the module's own.
SCREEN = "lightdm"
# The same at a delay, where nobody sits.
DELAYED = "delayed"


@dataclass
class World:
    """A directory, the agent of one host, and that host."""

    slapd: Slapd
    agent: Agent
    machine: Machine

    def add(self, person: people.Person, uid: int) -> str:
        """Add somebody to the directory and to the host; return the name."""
        self.slapd.add(person, uid)
        self.machine.add_person(person.uid, uid)
        return person.uid


@contextmanager
def world_at(more: str = "") -> Iterator[World]:
    """Run a world whose people all have accounts on its host, and a host that is the same after.

    Args:
        more: The agent's configuration beyond the directory.
    """
    before = host_files()
    module = TOP / "build/pam_loginward.so"
    with open_folder() as folder:
        (folder / "machine").mkdir()
        with (
            Slapd(folder / "slapd", people.matrix(now())) as slapd,
            agent_at(folder / "agent", slapd, more) as agent,
            machine_at(
                folder / "machine", module, agent.run_dir, agent.state_dir, "nodelay"
            ) as machine,
        ):
            machine.add_service(SCREEN, "nodelay")
            machine.add_service(DELAYED, "")
            for name, uid in UIDS.items():
                machine.add_person(name, uid, sudo=True)
            yield World(slapd, agent, machine)
    assert before == host_files()
