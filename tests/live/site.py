"""A directory and the agent of one host before it, in a folder that is gone after."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loginward.core.reasons import Reason
from tests.live import people
from tests.live.daemon import READS, Agent, agent_at
from tests.live.slapd import Slapd, now

KNOWN = ("bulk0", "bulk1")  # who signed in while the directory was there


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that every user can enter, as pytest's own cannot be, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="lw-live-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def site_at(
    crowd: Iterable[people.Person] = (), *, more: str = "", accounts: str = READS, **directory: Any
) -> Iterator[tuple[Slapd, Agent]]:
    """Run both until the end of the block.

    Args:
        crowd: Who the directory has; one in each state unless given.
        more: The agent's configuration beyond the directory.
        accounts: How the agent reads it, as of `agent_at`.
        directory: What else `Slapd` is told.
    """
    with (
        open_folder() as folder,
        Slapd(folder / "slapd", crowd or people.matrix(now()), **directory) as slapd,
        agent_at(folder / "agent", slapd, more, accounts) as agent,
    ):
        yield slapd, agent


def acquaint(agent: Agent) -> None:
    """Let an agent know who is KNOWN, so that they can sign in offline, and one who is locked."""
    for name in KNOWN:
        assert agent.ask(name, people.PASSWORD) is Reason.OK
    assert agent.ask("lockperm", people.PASSWORD) is Reason.ACCOUNT_LOCKED
    agent.await_verifiers(len(KNOWN))
