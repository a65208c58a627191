"""How every database of ours is opened, migrated, refused, and found damaged or full."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from loginward.errors import StoreFault
from loginward.sqlite.database import Database
from loginward.sqlite.faults import Damaged, NotWritable

FIRST = "CREATE TABLE thing (id INTEGER PRIMARY KEY, octets BLOB);\n"
SECOND = "ALTER TABLE thing ADD COLUMN note TEXT;\nUPDATE thing SET note = 'a; b';\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "db.sqlite"


def opened(path: Path, *versions: str) -> Database:
    database = Database(path, versions or (FIRST,))
    database.prepare()
    return database


def pragma(database: Database, name: str) -> object:
    return database.connection().execute(f"PRAGMA {name}").fetchone()[0]


def test_the_connection_policy_holds_on_every_connection(path: Path) -> None:
    database = opened(path)
    seen = []

    def look() -> None:
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "fullfsync")
        seen.append([pragma(database, name) for name in names])

    for thread in [threading.Thread(target=look) for _ in range(2)]:
        thread.start()
        thread.join()
    look()

    assert seen == [["wal", 2, 1, 1, 1]] * 3
    database.close()


def test_each_thread_has_a_connection_of_its_own(path: Path) -> None:
    database = opened(path)
    found = [database.connection()]
    thread = threading.Thread(target=lambda: found.append(database.connection()))
    thread.start()
    thread.join()

    assert database.connection() is found[0]
    assert found[1] is not found[0]
    database.close()
    database.close()


def test_file_log_and_index_are_private_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        database = opened(path)
        with database.transaction() as connection:
            connection.execute("INSERT INTO thing VALUES (1, 'x')")
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(("db.sqlite", "db.sqlite-wal", "db.sqlite-shm"), 0o600)
    database.close()


def test_a_file_that_others_can_read_is_refused(path: Path) -> None:
    opened(path).close()
    path.chmod(0o644)

    with pytest.raises(StoreFault, match="chmod 0600"):
        opened(path)


def test_a_transaction_is_kept_whole_or_not_at_all(path: Path) -> None:
    database = opened(path)
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:  # noqa: PT012
        connection.execute("INSERT INTO thing VALUES (1, 'x')")
        1 / 0  # noqa: B018
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES (1, 'x'), (1, 'y')")

    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM thing").fetchone() == (0,)
    database.close()


def test_a_schema_is_brought_forward_once(path: Path) -> None:
    database = Database(path, (FIRST,))
    assert database.prepare()
    with database.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES (1, 'x')")
    database.close()

    database = Database(path, (FIRST, SECOND))
    assert not database.prepare()
    assert not database.prepare()
    with database.reading() as connection:
        assert connection.execute("SELECT note FROM thing").fetchall() == [("a; b",)]
    database.close()


def test_a_step_that_fails_leaves_the_version_before(path: Path) -> None:
    opened(path).close()
    with pytest.raises(StoreFault):
        opened(path, FIRST, "CREATE TABLE other (id);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(ValueError, match="inside a statement"):
        opened(path, FIRST, "CREATE TABLE other (id)")

    database = opened(path, FIRST, "CREATE TABLE other (id);\n")
    assert pragma(database, "user_version") == 2
    database.close()


def test_a_newer_schema_is_refused(path: Path) -> None:
    opened(path, FIRST, SECOND).close()

    with pytest.raises(StoreFault, match="newer") as caught:
        opened(path, FIRST)
    assert caught.value.remedy


def test_what_is_deleted_is_gone_from_file_and_log(path: Path) -> None:
    database = opened(path)
    secret = b"a secret of sixteen and more octets"
    with database.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES (1, ?)", (secret,))
    with database.transaction() as connection:
        connection.execute("DELETE FROM thing")
    database.purge_log()

    assert all(secret not in file.read_bytes() for file in path.parent.iterdir())
    database.close()


def test_a_file_that_is_no_database_is_damaged(path: Path) -> None:
    path.write_bytes(b"nothing of the kind" * 500)
    path.chmod(0o600)

    with pytest.raises(Damaged) as caught:
        opened(path)
    assert str(path) in caught.value.problem
    assert "backup" in caught.value.remedy


def test_pages_that_do_not_fit_together_are_found(path: Path) -> None:
    database = opened(path)
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO thing VALUES (?, ?)", [(n, b"x" * 900) for n in range(99)]
        )
    database.check()
    database.check("thing")
    database.close()
    octets = bytearray(path.read_bytes())
    octets[4096:4200] = os.urandom(104)
    path.write_bytes(octets)

    database = Database(path, (FIRST,))
    for table in ("", "thing"):
        with pytest.raises(Damaged):
            database.check(table)
    database.close()


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(NotWritable):
        opened(tmp_path / "nowhere" / "db.sqlite")


def test_neither_a_folder_nor_a_link_is_taken_for_the_file(path: Path) -> None:
    path.symlink_to("/dev/null")
    with pytest.raises(StoreFault, match="regular"):
        opened(path)


def test_frozen_it_is_read_and_refuses_to_write(path: Path) -> None:
    database = opened(path)
    with database.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES (1, 'x')")
    database.close()
    database.freeze()

    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM thing").fetchone() == (1,)
    with pytest.raises(NotWritable), database.transaction() as connection:
        connection.execute("INSERT INTO thing VALUES (2, 'x')")
    database.close()


def test_what_a_thread_opened_is_closed_when_it_ends(path: Path) -> None:
    """The admin door has a thread a connection: else descriptors run out, and nobody signs in."""
    database = opened(path)
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(20):
        thread = threading.Thread(target=database.connection)
        thread.start()
        thread.join()

    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
    database.close()
