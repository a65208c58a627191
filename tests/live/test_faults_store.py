"""The sealed store tampered with, put back, killed or without room, below the real daemon."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Phase
from loginward.crypto.keys import KeySource, load_keys
from loginward.store.rows import SealedRows
from tests.live import people
from tests.live.daemon import Agent, agent_at
from tests.live.power import Power
from tests.live.site import KNOWN, acquaint, open_folder
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("offline-store")]

RIGHT, WRONG = people.PASSWORD, "not-the-password"


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    crowd = (*people.matrix(now()), *people.bulk(4))
    with open_folder() as folder, Slapd(folder / "slapd", crowd) as server:
        yield server


@pytest.fixture
def agent(slapd: Slapd) -> Iterator[Agent]:
    """An agent that two people can use offline, and whom it knows to be locked."""
    with open_folder() as folder:
        try:
            with agent_at(folder / "agent", slapd) as made:
                acquaint(made)
                yield made
        finally:
            slapd.restart()


@contextmanager
def database(agent: Agent) -> Iterator[sqlite3.Connection]:
    """Open the file of an agent that has ended."""
    connection = sqlite3.connect(agent.state_dir / "store.sqlite")
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()


def row_key(agent: Agent, connection: sqlite3.Connection, name: str) -> bytes:
    os.seteuid((agent.state_dir / "keys").stat().st_uid)  # keys of others are not taken
    try:
        keys = load_keys(KeySource.FILE, agent.state_dir / "keys", create=False)
    finally:
        os.seteuid(os.getuid())
    found = connection.execute(
        "SELECT row_key FROM known WHERE name_key = ?", (SealedRows(keys).name_key(name),)
    )
    return bytes(found.fetchone()[0])


def octets_of(connection: sqlite3.Connection, key: bytes) -> bytes:
    found = connection.execute("SELECT sealed FROM account WHERE row_key = ?", (key,))
    return bytes(found.fetchone()[0])


def put(connection: sqlite3.Connection, key: bytes, sealed: bytes) -> None:
    connection.execute("UPDATE account SET sealed = ? WHERE row_key = ?", (sealed, key))


def faults(agent: Agent) -> list[str]:
    return [row.text for row in agent.trail() if row.event == "fault"]


def test_a_flipped_octet_and_a_copied_row_harm_nobody_else(agent: Agent, slapd: Slapd) -> None:
    """R61: whose row was changed is refused offline, told of, and let in by the directory."""
    flipped, other = KNOWN
    agent.stop()
    with database(agent) as connection:
        mine = row_key(agent, connection, flipped)
        sealed = octets_of(connection, mine)
        put(connection, mine, bytes([*sealed[:40], sealed[40] ^ 1, *sealed[41:]]))
        allowed = octets_of(connection, row_key(agent, connection, other))
        put(connection, row_key(agent, connection, "lockperm"), allowed)
    slapd.stop()
    agent.start()
    assert agent.ask(flipped, RIGHT) is Reason.DIRECTORY_UNAVAILABLE
    assert agent.ask(flipped, RIGHT, Phase.ACCT) is Reason.DIRECTORY_UNAVAILABLE
    assert agent.ask("lockperm", RIGHT) is Reason.DIRECTORY_UNAVAILABLE
    assert agent.ask("lockperm", RIGHT, Phase.ACCT) is Reason.DIRECTORY_UNAVAILABLE
    assert agent.ask(other, RIGHT) is Reason.OK
    assert agent.health().store_fault
    told = faults(agent)
    assert any(flipped in text for text in told), told
    assert any("lockperm" in text for text in told), told
    slapd.start()
    agent.await_online(flipped, RIGHT)
    assert agent.ask("lockperm", RIGHT) is Reason.ACCOUNT_LOCKED
    assert agent.ask(other, RIGHT) is Reason.OK


def test_an_older_file_put_back_ends_no_lock(agent: Agent, slapd: Slapd) -> None:
    """R61: five guesses offline, then the file of before them: nobody is let in by it."""
    guessed, other = KNOWN
    agent.stop()
    kept = agent.folder / "kept"
    kept.mkdir()
    for file in agent.state_dir.glob("store.sqlite*"):
        shutil.copy2(file, kept)
    slapd.stop()
    agent.start()
    for _ in range(5):
        assert agent.ask(guessed, WRONG) is Reason.WRONG_CREDENTIALS
    assert agent.ask(guessed, RIGHT) is Reason.ACCOUNT_LOCKED
    agent.stop()
    for file in kept.iterdir():
        shutil.copyfile(file, agent.state_dir / file.name)
    agent.start()
    assert agent.ask(guessed, RIGHT) is Reason.DIRECTORY_UNAVAILABLE
    assert agent.ask(other, RIGHT) is Reason.DIRECTORY_UNAVAILABLE
    assert "older database" in agent.health().store_fault
    assert any("older database" in text for text in faults(agent))
    slapd.start()
    agent.await_online(guessed, RIGHT)
    assert agent.ask(other, RIGHT) is Reason.OK


def test_the_power_gone_after_a_guess_offline_it_is_counted(agent: Agent, slapd: Slapd) -> None:
    """Q10: what was answered had been flushed; one more guess locks, here too."""
    name, _ = KNOWN
    slapd.stop()
    assert agent.ask(name, RIGHT) is Reason.OK
    with Power(agent.pid, agent.state_dir, agent.folder / "power") as power:
        for _ in range(4):
            assert agent.ask(name, WRONG) is Reason.WRONG_CREDENTIALS
    agent.kill()
    lost = agent.state_dir.rename(agent.folder / "lost")
    power.cut(4, agent.state_dir)
    for path in (lost, *lost.rglob("*")):
        left = agent.state_dir / path.relative_to(lost)
        if left.exists():
            os.chown(left, path.stat().st_uid, path.stat().st_gid)
    agent.start()
    assert agent.ask(name, WRONG) is Reason.WRONG_CREDENTIALS
    assert agent.ask(name, RIGHT) is Reason.ACCOUNT_LOCKED
    assert not agent.health().store_fault
