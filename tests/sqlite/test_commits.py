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


def test_nobody_waits_for_a_commit_that_hangs_and_what_was_given_up_is_never_run(
    database: Database,
) -> None:
    commits = GroupCommit(database, patience_s=0.05)
    with Held(commits) as held:
        held.add("waits", put(1))
        held.threads[0].join(10)
        assert held.results == {"waits": NotWritable}
        assert commits.hangs
        with pytest.raises(NotWritable, match="does not answer"):
            commits.run(put(2))
        assert commits.turn == 0
    assert commits.run(put(3)) == 3
    assert kept(database) == {3}
    assert not commits.hangs
    assert commits.turn is None


def test_what_hangs_in_a_commit_holds_only_its_own_caller(database: Database) -> None:
    """Those whose functions the same commit was still to run go on without, and it skips them."""
    commits = GroupCommit(database, patience_s=0.05)
    entered, go_on = threading.Event(), threading.Event()

    def hangs(connection: sqlite3.Connection) -> None:
        entered.set()
        assert go_on.wait(10)

    with Held(commits) as held:
        commits._patience_s = 10
        held.add("hangs", hangs)
        commits._patience_s = 0.05
        held.add("behind", put(1))
        held.go_on.set()
        assert entered.wait(10)
        held.threads[1].join(10)
        assert held.results == {"behind": NotWritable}
        go_on.set()
    assert held.results == {"behind": NotWritable, "hangs": None}
    assert kept(database) == set()


def test_closing_waits_for_no_commit_that_hangs_inside_sqlite(database: Database) -> None:
    commits = GroupCommit(database, patience_s=0.05)
    entered, go_on = threading.Event(), threading.Event()

    def hangs() -> int:
        entered.set()
        return int(go_on.wait(10))

    def step(connection: sqlite3.Connection) -> object:
        connection.create_function("hang", 0, hangs)
        return connection.execute("SELECT hang()").fetchone()

    results = list[object]()
    hanging = threading.Thread(target=lambda: results.append(commits.run(step)))
    hanging.start()
    assert entered.wait(10)
    closing = threading.Thread(target=commits.close)
    closing.start()
    closing.join(5)
    assert not closing.is_alive()
    assert results == []
    go_on.set()
    hanging.join(10)
    assert results == [(1,)]
    commits.close()
    with pytest.raises(sqlite3.ProgrammingError):
        commits._connection.execute("SELECT 1")


def test_a_leader_that_fails_in_its_own_way_hands_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = GroupCommit(database)
    entered, go_on = threading.Event(), threading.Event()
    open_connection = database.open_connection

    def out_of_memory() -> sqlite3.Connection:
        entered.set()
        monkeypatch.setattr(database, "open_connection", open_connection)
        assert go_on.wait(10)
        raise MemoryError

    monkeypatch.setattr(database, "open_connection", out_of_memory)
    failed = list[BaseException]()

    def leads() -> None:
        try:
            commits.run(put(1))
        except MemoryError as failure:
            failed.append(failure)

    leader = threading.Thread(target=leads)
    leader.start()
    assert entered.wait(10)
    follower = threading.Thread(target=commits.run, args=(put(2),))
    follower.start()
    while not commits._queue:
        follower.join(0.001)
    go_on.set()
    for thread in (leader, follower):
        thread.join(10)
        assert not thread.is_alive()

    assert len(failed) == 1
    assert commits.run(put(3)) == 3
    assert kept(database) == {2, 3}


def test_threads_without_patience_all_come_back_and_what_returned_is_kept(
    database: Database,
) -> None:
    """A turn to lead that comes as its thread gives up is taken all the same."""
    commits = GroupCommit(database, patience_s=0.0005)
    returned, given_up = set[int](), set[int]()

    def write(number: int) -> None:
        try:
            returned.add(commits.run(put(number)))
        except NotWritable:
            given_up.add(number)

    threads = [
        threading.Thread(target=lambda n=n: [write(n * 20 + i) for i in range(20)])
        for n in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()

    assert returned | given_up == set(range(600))
    assert returned <= kept(database)
    assert given_up
    assert commits.run(put(1000)) == 1000
    assert commits.turn is None


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
