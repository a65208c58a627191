"""Faults: a second opener, a killed import, a full disk, a broken file, a newer one."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from loginward.core.clock import Deadline
from loginward.core.evidence import NoVerdict, Proven
from loginward.core.secret import Secret
from loginward.crypto.gate import GateBusy
from loginward.directory.embedded.fields import Format
from loginward.directory.port import Verb
from loginward.errors import DirectoryUnavailable, StoreFault

RIGHT = b"right-horse-battery"
ROOT = Path(__file__).parents[3]

OPENING = """
import json, os, sys
from pathlib import Path
from tests.directory.embedded.conftest import World
from loginward.core.attempts import Granted, LockedNow, Outcome
from loginward.directory.embedded.fields import Format
from loginward.directory.port import Verb
from loginward.errors import DirectoryUnavailable, StoreFault
world = World(Path(sys.argv[1]))
"""


def in_process(script, *arguments, before=()):
    """Start another process that runs a script; its standard output is piped."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'agent'}"}
    return subprocess.Popen(
        [*before, sys.executable, "-c", OPENING + script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        env=environment,
        text=True,
    )


def test_only_one_process_opens_the_file(world, new_world):
    with pytest.raises(StoreFault) as caught:
        new_world(world.path)
    assert caught.value.problem == f"{world.path}: another process has it open"
    assert caught.value.remedy == "only the daemon opens it; ask the daemon"
    other = in_process("", world.path)
    other.communicate(timeout=20)
    assert other.returncode == 1
    world.close()
    other = in_process("print('mine')", world.path)
    assert other.communicate(timeout=20)[0] == "mine\n"


def test_the_file_and_its_lock_are_for_the_owner_alone(world):
    world.add("ann", RIGHT)
    for kept in world.path.parent.iterdir():
        assert kept.stat().st_mode & 0o077 == 0, kept


def test_a_kill_in_the_middle_of_an_import_leaves_what_was_there(tmp_path, new_world):
    path = tmp_path / "accounts.db"
    world = new_world(path)
    world.add("ann", RIGHT)
    before = "".join(world.directory.export_accounts(Format.JSON, with_hashes=True))
    world.close()
    script = """
accounts = json.dumps([{"username": f"u{n}"} for n in range(20_000)]).encode()
def on_progress(progress):
    if progress.step == "writing" and progress.done > 15_000:
        print("writing", flush=True)
        sys.stdin.read()
world.directory.import_accounts(accounts, Format.JSON, on_progress)
"""
    other = in_process(script, path)
    assert other.stdout.readline() == "writing\n"
    os.kill(other.pid, signal.SIGKILL)
    other.communicate(timeout=20)
    world = new_world(path)
    assert "".join(world.directory.export_accounts(Format.JSON, with_hashes=True)) == before
    assert isinstance(world.check("ann", RIGHT), Proven)
    world.close()


def test_a_kill_after_an_answer_loses_no_attempt(tmp_path, new_world):
    path = tmp_path / "accounts.db"
    script = f"""
world.add("ann", {RIGHT!r})
for _ in range(4):
    world.settle("ann", world.reserve("ann"), Outcome.WRONG)
    print("counted", flush=True)
sys.stdin.read()
"""
    other = in_process(script, path)
    for _ in range(4):
        assert other.stdout.readline() == "counted\n"
    os.kill(other.pid, signal.SIGKILL)
    other.communicate(timeout=20)
    world = new_world(path)
    assert len(world.facts("ann").failures) == 4
    assert world.guess("ann") is not None  # the fifth locks
    world.close()


def test_a_full_disk_neither_opens_nor_shuts(tmp_path):
    """On a real file system without a free octet: five guesses lock, and the fault is told."""
    mount = tmp_path / "small"
    mount.mkdir()
    script = f"""
world.add("ann", {RIGHT!r})
world.add("bob", {RIGHT!r})
filler = open(world.path.with_name("filler"), "wb", buffering=0)
try:
    while True:
        filler.write(bytes(4096))
except OSError:
    pass
told = {{}}
try:
    world.directory.import_accounts(b"username\\n" + b"\\n".join(b"u%d" % n for n in range(9999)),
                                    Format.CSV, lambda progress: None)
except StoreFault as fault:
    told["import"] = [fault.problem.rpartition(": ")[2], fault.remedy]
world.guess("ann", 4)
told["health"] = world.directory.health()[0].usable
told["right password"] = type(world.check("bob", {RIGHT!r})).__name__
told["reserved"] = type(world.reserve("bob")).__name__
told["fifth"] = world.guess("ann").failures
told["then"] = type(world.reserve("ann")).__name__
try:
    world.act("bob", Verb.SUSPEND)
except DirectoryUnavailable as unavailable:
    told["act"] = unavailable.stage
filler.truncate(0)
told["later"] = type(world.reserve("ann")).__name__
told["healed"] = world.directory.health()[0].usable
world.reopen()
told["durable"] = world.status("ann").lock.failures
print(json.dumps(told))
"""
    shell = f'mount -t tmpfs -o size=400k none {mount} && exec "$@"'
    other = in_process(
        script, mount / "accounts.db", before=["unshare", "-rm", "sh", "-c", shell, "sh"]
    )
    told = json.loads(other.communicate(timeout=30)[0])
    assert told == {
        "import": ["the disk is full", "free some space on its file system"],
        "health": False,
        "right password": "Proven",
        "reserved": "Granted",
        "fifth": 5,
        "then": "LockedNow",
        "act": "embedded",
        "later": "LockedNow",
        "healed": True,
        "durable": 5,
    }


def test_a_file_that_is_no_database_is_refused_with_the_remedy(tmp_path, new_world):
    path = tmp_path / "accounts.db"
    path.write_bytes(b"not a database at all" * 500)
    path.chmod(0o600)
    with pytest.raises(StoreFault) as caught:
        new_world(path)
    assert caught.value.problem == f"{path}: the database is damaged"
    assert "restore it from the backup" in caught.value.remedy
    path.unlink()
    new_world(path).close()  # and nothing was left locked


def test_a_page_that_breaks_later_is_no_answer_and_no_verdict(tmp_path, new_world):
    path = tmp_path / "accounts.db"
    world = new_world(path)
    world.add("ann", RIGHT)
    facts = world.facts("ann")
    world.close()
    with sqlite3.connect(path) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'account'"
        (page,) = connection.execute(query).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    world = new_world(path)
    deadline = world.deadline()
    with pytest.raises(DirectoryUnavailable, match="damaged; restore it from the backup"):
        world.directory.find("ann", deadline)
    with pytest.raises(DirectoryUnavailable, match="damaged"):
        world.directory.reserve(facts, "x", world.lockout)
    with pytest.raises(DirectoryUnavailable, match="damaged"):
        world.directory.accounts(deadline)
    assert not world.directory.health()[0].usable
    world.close()


def test_a_newer_file_is_left_alone(tmp_path, new_world):
    path = tmp_path / "accounts.db"
    new_world(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreFault, match="newer"):
        new_world(path)


def test_a_folder_that_is_not_there_is_a_fault(tmp_path, new_world):
    with pytest.raises(StoreFault, match="check the folder"):
        new_world(tmp_path / "missing" / "accounts.db")


def test_a_hash_broken_in_the_file_is_no_verdict(world):
    world.add("ann", RIGHT)
    world.book.write(lambda c: c.execute("UPDATE password SET phc = 'x'"))
    assert world.check("ann", RIGHT) == NoVerdict("embedded")
    with pytest.raises(DirectoryUnavailable):
        world.change("ann", RIGHT, b"second-staple-correct")


def test_a_change_without_time_left_changes_nothing(world):
    world.add("ann", RIGHT)
    facts, late = world.facts("ann"), Deadline.after(0, world.clock)
    assert world.directory.check(facts, Secret(RIGHT), late) == NoVerdict("argon2")
    with pytest.raises(DirectoryUnavailable, match="no time is left"):
        world.directory.change(facts, Secret(RIGHT), Secret(b"second-staple-correct"), late)
    assert isinstance(world.check("ann", RIGHT), Proven)


def test_a_crowd_before_the_hashes_is_no_verdict_either(world):
    world.add("ann", RIGHT)

    def busy(*_, **__):
        raise GateBusy("every waiting place is taken")

    world.hasher.verify = world.hasher.hash = busy
    assert world.check("ann", RIGHT) == NoVerdict("argon2")
    with pytest.raises(DirectoryUnavailable):
        world.act("ann", Verb.RESET_PASSWORD, b"second-staple-correct")
