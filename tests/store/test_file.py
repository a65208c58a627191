"""What is done to the file on the disk: seen, refused, reported; the rest keeps working."""

from __future__ import annotations

import os
import sqlite3
import stat
from datetime import timedelta

import pytest

from loginward.core.secret import Secret
from loginward.core.status import Lock, LockCause, UserState
from loginward.errors import StoreFault
from loginward.store.attempts import DurableAttempts
from loginward.store.faults import Doubtful, Tampered
from loginward.store.record import AGENT
from loginward.store.verifiers import Verifiers
from tests.store.stage import FIVE, NOW, Host, account, wrong

LOCK = Lock(id="l1", cause=LockCause.BY_ADMIN, since=NOW)


def edit(host: Host, statement: str, *bound: object) -> None:
    """Change the database as somebody with the disk in hand would."""
    connection = sqlite3.connect(host.database)
    with connection:
        connection.execute(statement, bound)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def row_key(host: Host, facts) -> bytes:
    return host.opened[-1].file.rows.row_key(facts.account_id)


def test_neither_names_nor_secrets_are_readable_in_the_directory(host: Host) -> None:
    """I15: names, groups and passwords are not in the database, its log, or anything beside it."""
    store = host.open()
    password = Secret(b"correct horse 7f3a")
    verifiers = Verifiers(store, host.hasher(), lambda: 5)
    verifiers.start()
    saved = store.save(account("margaret.hamilton", groups=frozenset({"apollo-staff"})))
    verifiers.proven_online(saved.facts, password, saved.generation)
    verifiers.idle()
    wrong(DurableAttempts(store), saved.facts)
    verifiers.close()
    assert store.list()[0][0].has_verifier

    files = [path for path in host.directory.rglob("*") if path.is_file()]

    assert {"store.sqlite", "store.sqlite-wal"} <= {path.name for path in files}
    for octets in (path.read_bytes() for path in files):
        for secret in (b"margaret", b"apollo", b"correct horse", b"argon2", b"sshd"):
            assert secret not in octets


def test_the_files_are_for_the_daemon_alone_whatever_the_umask(host: Host) -> None:
    before = os.umask(0)
    try:
        host.open().save(account())
    finally:
        os.umask(before)

    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in host.directory.rglob("*")}
    assert modes.pop("keys") == 0o700
    assert set(modes.values()) == {0o600}, modes


def test_a_flipped_octet_refuses_that_account_and_no_other(host: Host) -> None:
    store = host.open()
    store.save(account())
    store.save(account("grace"))
    key = row_key(host, account())
    host.close()
    connection = sqlite3.connect(host.database)
    (sealed,) = connection.execute("SELECT sealed FROM account WHERE row_key=?", (key,)).fetchone()
    connection.close()
    flipped = bytes([*sealed[:40], sealed[40] ^ 1, *sealed[41:]])
    edit(host, "UPDATE account SET sealed = ? WHERE row_key = ?", flipped, key)

    store = host.open()

    with pytest.raises(Tampered):
        store.copy_by_name("ada")
    with pytest.raises(Tampered):
        DurableAttempts(store).reserve(account(), "sshd", FIVE)
    assert store.copy_by_name("grace") == account("grace")
    assert [noted.account for noted in store.faults()] == ["ada", "id-ada"]
    assert len(store.list()[1]) == 1


def test_a_row_copied_to_another_account_is_not_believed(host: Host) -> None:
    store = host.open()
    store.save(account(locks=(LOCK,)))
    store.save(account("grace"))
    mine, theirs = row_key(host, account()), row_key(host, account("grace"))
    host.close()
    edit(
        host,
        "UPDATE account SET (sequence, sealed) ="
        " (SELECT sequence, sealed FROM account WHERE row_key = ?) WHERE row_key = ?",
        theirs,
        mine,
    )
    store = host.open()

    with pytest.raises(Tampered):
        store.copy_by_name("ada")
    assert store.copy_by_name("grace") == account("grace")


def test_names_exchanged_between_two_rows_are_seen(host: Host) -> None:
    store = host.open()
    store.save(account())
    store.save(account("grace"))
    ada, grace = store.file.rows.name_key("ada"), store.file.rows.name_key("grace")
    host.close()
    for old, new in ((ada, b"x"), (grace, ada), (b"x", grace)):
        edit(host, "UPDATE known SET name_key = ? WHERE name_key = ?", new, old)

    store = host.open()  # the sealed rows still say whose they are: nothing is lost

    assert store.copy_by_name("ada") == account()
    assert store.copy_by_name("grace") == account("grace")


def test_names_exchanged_under_a_running_daemon_lead_to_nobody(host: Host) -> None:
    store = host.open()
    store.save(account())
    store.save(account("grace"))
    ada, grace = store.file.rows.name_key("ada"), store.file.rows.name_key("grace")
    for old, new in ((ada, b"x"), (grace, ada), (b"x", grace)):
        edit(host, "UPDATE known SET name_key = ? WHERE name_key = ?", new, old)

    for name in ("ada", "grace"):
        with pytest.raises(Tampered, match="another account's"):
            store.copy_by_name(name)


def test_an_older_row_put_back_alone_is_not_believed(host: Host) -> None:
    store = host.open()
    store.save(account())
    key = row_key(host, account())
    host.close()
    connection = sqlite3.connect(host.database)
    old = connection.execute("SELECT sequence, sealed FROM account").fetchone()
    connection.close()
    wrong(DurableAttempts(host.open()), times=5)
    host.close()
    edit(host, "UPDATE account SET sequence = ?, sealed = ? WHERE row_key = ?", *old, key)
    store = host.open()

    with pytest.raises(Tampered, match="older"):
        store.copy_by_name("ada")
    with pytest.raises(Tampered):
        store.lock_of("id-ada", AGENT)


@pytest.mark.parametrize("tables", [("account",), ("known",), ("account", "known")])
def test_a_missing_row_of_a_known_name_fails_closed(host: Host, tables: tuple[str, ...]) -> None:
    store = host.open()
    store.save(account(locks=(LOCK,)))
    store.save(account("grace"))
    key = row_key(host, account())
    host.close()
    for table in tables:
        edit(host, f"DELETE FROM {table} WHERE row_key = ?", key)

    store = host.open()

    if tables == ("known",):  # the sealed rows vouch for it: mended
        assert store.copy_by_name("ada") == account(locks=(LOCK,))
    else:
        with pytest.raises(Tampered):
            store.copy_by_name("ada")


def test_an_older_database_put_back_is_found_and_what_is_read_afresh_works(host: Host) -> None:
    host.open().save(account())
    host.close()
    old = host.database.read_bytes()
    store = host.open()
    wrong(DurableAttempts(store), times=5)
    assert store.lock_of("id-ada", AGENT) is not None
    host.close()
    host.database.write_bytes(old)

    store = host.open()

    assert any("older database" in noted.problem for noted in store.faults())
    with pytest.raises(Tampered):
        store.copy_by_name("ada")
    with pytest.raises(Tampered):  # it may have been in the newer one
        store.copy_by_name("grace")
    saved = store.save(account(read_at=NOW + timedelta(hours=1)))
    assert store.copy_by_name("ada") == saved.facts
    with pytest.raises(Doubtful):  # the lock that is gone was ours: nobody passes for it
        store.lock_of("id-ada", AGENT)
    with pytest.raises(Doubtful):
        DurableAttempts(store).reserve(account(), "sshd", FIVE)
    store = host.restart()  # a restart forgives nothing
    with pytest.raises(Doubtful):
        store.lock_of("id-ada", AGENT)
    assert store.clear_tallies("id-ada")
    assert store.lock_of("id-ada", AGENT) is None
    store.clear()
    assert store.faults() == ()
    assert store.copy_by_name("grace") is None


@pytest.mark.parametrize("act", ["lock", "unlock", "suspend"])
def test_a_database_of_before_a_lock_or_unlock_of_the_same_run_is_found(
    host: Host, act: str
) -> None:
    store = host.open()
    store.save(account())
    if act == "unlock":
        wrong(DurableAttempts(store), times=5)
    store.file.purge()
    old = host.database.read_bytes()
    if act == "lock":
        wrong(DurableAttempts(store), times=5)
    elif act == "unlock":
        store.clear_tallies("id-ada")
    else:
        store.save(account(state=UserState.SUSPENDED))
    host.close()
    host.database.write_bytes(old)

    assert any("older database" in noted.problem for noted in host.open().faults())


@pytest.mark.parametrize("loss", ["counter", "header", "database"])
def test_what_vouches_for_the_rows_is_not_done_without(host: Host, loss: str) -> None:
    host.open().save(account())
    host.close()
    if loss == "counter":
        (host.keys_directory / "generation").unlink()
    elif loss == "header":
        edit(host, "UPDATE header SET sealed = zeroblob(length(sealed))")
    else:
        host.database.unlink()

    store = host.open()

    assert store.faults()
    with pytest.raises(Tampered):
        store.copy_by_name("ada")
    store.save(account(read_at=NOW + timedelta(hours=1)))
    with pytest.raises(Doubtful):
        store.lock_of("id-ada", AGENT)


def test_rows_of_before_a_clear_never_open_again(host: Host) -> None:
    store = host.open()
    store.save(account())
    host.close()
    connection = sqlite3.connect(host.database)
    old = {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in ("account", "known")}
    connection.close()
    host.open().clear()
    host.close()
    for table, rows in old.items():
        for row in rows:
            edit(host, f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", *row)

    with pytest.raises(Tampered):
        host.open().copy_by_name("ada")


def test_the_first_start_cut_short_raises_no_alarm(host: Host) -> None:
    store = host.open()
    host.close()
    for path in host.directory.glob("store.sqlite*"):
        path.unlink()
    store.file._counter.write(0)  # what the first start has done before its first commit

    assert host.open().faults() == ()


def test_a_newer_schema_is_refused_with_the_remedy(host: Host) -> None:
    host.open()
    host.close()
    edit(host, "PRAGMA user_version = 99")

    with pytest.raises(StoreFault) as caught:
        host.open()

    assert "99" in caught.value.problem
    assert "newer program" in caught.value.remedy
    host.opened.clear()


def test_a_file_that_is_no_database_is_set_aside_and_believed_in_nothing(host: Host) -> None:
    host.open().save(account())
    host.close()
    host.database.write_bytes(os.urandom(8192))

    store = host.open()

    assert (host.directory / "store.sqlite.damaged").exists()
    assert any("damaged" in noted.problem for noted in store.faults())
    with pytest.raises(Tampered):
        store.copy_by_name("ada")
    assert store.save(account()).facts == account()


def test_forgetting_ends_a_row_that_cannot_be_believed(host: Host) -> None:
    store = host.open()
    store.save(account())
    key = row_key(host, account())
    host.close()
    edit(host, "DELETE FROM account WHERE row_key = ?", key)
    store = host.open()
    with pytest.raises(Tampered):
        store.copy_by_name("ada")

    assert store.forget("ada")

    assert store.faults() == ()
    assert store.copy_by_name("ada") is None
    store.save(account())
    assert store.lock_of("id-ada", AGENT) is None
