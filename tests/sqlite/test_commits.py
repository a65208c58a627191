"""Many callers, one flush, and nobody pays for a neighbour's failure."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import pytest

from loginward.errors import StoreFault
from loginward.sqlite.commits import GroupCommit
from loginward.sqlite.database import Database
from loginward.sqlite.faults import NotWritable

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(tmp_path: Path):
    database = Database(tmp_path / "db.sqlite", ("CREATE TABLE thing (id INTEGER PRIMARY KEY);\n",))
    database.prepare()
    yield database
    database.close()


def put(number: int):
    return lambda connection: (
        connection.execute("INSERT INTO thing VALUES (?)", (number,)).lastrowid
    )


def kept(database: Database) -> set[int]:
    with database.reading() as connection:
        return {row[0] for row in connection.execute("SELECT id FROM thing")}


class Held:
    """Holds a commit open, so that others gather behind it."""

    def __init__(self, commits: GroupCommit) -> None:
        self.commits = commits
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.leader = threading.Thread(target=commits.run, args=(self._hold,))
        self.results = dict[object, object]()
        self.threads = list[threading.Thread]()

    def _hold(self, connection: sqlite3.Connection) -> None:
        self.entered.set()
        assert self.go_on.wait(10)

    def add(self, name: object, function) -> None:
        before = len(self.commits._queue)
        thread = threading.Thread(target=self._run, args=(name, function))
        self.threads.append(thread)
        thread.start()
        while len(self.commits._queue) == before:
            thread.join(0.001)

    def _run(self, name: object, function) -> None:
        try:
            self.results[name] = self.commits.run(function)
        except (ValueError, sqlite3.IntegrityError, StoreFault) as failure:
            self.results[name] = type(failure)

    def __enter__(self) -> Self:
        self.leader.start()
        assert self.entered.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        for thread in (self.leader, *self.threads):
            thread.join(10)


def test_a_result_comes_back_once_it_is_durable(database: Database) -> None:
    commits = GroupCommit(database)

    assert commits.run(put(7)) == 7
    other = sqlite3.connect(database.path)
    assert other.execute("SELECT id FROM thing").fetchall() == [(7,)]
    other.close()


def test_all_who_wait_share_one_commit(database: Database) -> None:
    commits = GroupCommit(database)
    with Held(commits) as held:
        statements = list[str]()
        commits._connection.set_trace_callback(statements.append)
        for number in range(50):
            held.add(number, put(number))

    assert held.results == {number: number for number in range(50)}
    assert kept(database) == set(range(50))
    assert statements.count("COMMIT") == 2  # the leader's own, and one for the fifty


def test_a_failing_function_undoes_its_own_writes_alone(database: Database) -> None:
    commits = GroupCommit(database)

    def fails(connection: sqlite3.Connection) -> None:
        put(100)(connection)
        raise ValueError

    with Held(commits) as held:
        held.add("a", put(1))
        held.add("fails", fails)
        held.add("twice", put(1))
        held.add("b", put(2))

    assert held.results == {"a": 1, "fails": ValueError, "twice": sqlite3.IntegrityError, "b": 2}
    assert kept(database) == {1, 2}
    with pytest.raises(ValueError, match=r"^$"):
        commits.run(fails)
    assert kept(database) == {1, 2}
    assert commits.run(put(3)) == 3


def test_a_lost_transaction_is_a_fault_for_everybody_in_it(database: Database) -> None:
    commits = GroupCommit(database)
    with Held(commits) as held:
        held.add("a", put(1))
        held.add("broken", lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)"))
        held.add("b", put(2))

    assert held.results == {"a": StoreFault, "broken": StoreFault, "b": StoreFault}
    assert kept(database) == set()
    assert commits.run(put(3)) == 3


def test_hundreds_of_threads_lose_nothing(database: Database) -> None:
    commits = GroupCommit(database)
    threads = [
        threading.Thread(target=lambda n=n: [commits.run(put(n * 10 + i)) for i in range(5)])
        for n in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(kept(database)) == 500
    assert not commits._led


def test_a_file_that_may_not_grow_is_a_fault_and_then_works_again(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from loginward.sqlite.commits import GroupCommit
from loginward.sqlite.database import Database
from loginward.sqlite.faults import NotWritable
database = Database(Path(sys.argv[1]), ("CREATE TABLE thing (octets BLOB);\\n",))
database.prepare()
commits = GroupCommit(database)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
put = lambda connection: connection.execute("INSERT INTO thing VALUES (zeroblob(300000))")
for _ in range(3):
    try:
        commits.run(put)
    except NotWritable as fault:
        print(type(fault).__name__)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
commits.run(put)
with database.reading() as connection:
    print(*connection.execute("SELECT count(*) FROM thing").fetchone())
"""
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "db.sqlite"],
        env={"PYTHONPATH": str(ROOT / "agent")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.stdout.split() == ["NotWritable"] * 3 + ["1"], run.stderr


def test_a_busy_file_is_a_fault_once_patience_is_over(database: Database) -> None:
    commits = GroupCommit(database)
    commits.run(put(1))
    commits._connection.execute("PRAGMA busy_timeout = 1")
    with database.transaction(), pytest.raises(NotWritable, match="another process"):
        commits.run(put(2))
    assert commits.run(put(2)) == 2


def test_a_transaction_that_cannot_be_undone_costs_its_connection_and_no_later_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = GroupCommit(database)
    commits.run(put(1))

    def broken(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    def fails(connection: sqlite3.Connection) -> None:
        put(2)(connection)
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr("loginward.sqlite.commits.roll_back", broken)
        with pytest.raises(StoreFault):
            commits.run(fails)

    commits.run(put(3))
    assert kept(database) == {1, 3}
