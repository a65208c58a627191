"""Accounts added, removed, taken from files and given to them, as typed."""

from __future__ import annotations

from loginward.core.secret import Secret
from loginward.core.status import UserState
from loginward.errors import StoreFault
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from tests.cli import samples
from tests.cli.conftest import Done


def test_add_a_user(world) -> None:
    world.admin.script["add_user"] = rows.ActRow(
        name="ann", after=samples.status(samples.PENDING), token=samples.TOKEN
    )
    done = world.run(
        *("users", "add", "ann", "--mail", "ann@example.org", "--groups", "staff, vpn"),
        *("--display-name", "Ann Lee", "--starts", "2026-12-01", "--staged"),
    )

    assert done == Done(
        0,
        "ann: new -> pending\nann: activation token, shown this once: K7QM-2F9T-XW3B\n"
        "ann: next, by who has the token: loginward passwd ann --token\n",
        "",
    )
    [(_, order, by)] = world.admin.asked
    assert (order.mail, order.groups, order.state, by) == (
        "ann@example.org", ("staff", "vpn"), UserState.STAGED, "root",
    )  # fmt: skip
    assert order.starts_at.isoformat() == "2026-12-01T00:00:00+01:00"


def test_add_asks_nothing_where_nobody_can_answer(world) -> None:
    world.admin.script["add_user"] = rows.ActRow(
        name="ann", problem=rows.Problem.REFUSED, why="taken"
    )

    assert world.run("users", "add", "ann") == Done(1, "", "loginward: error: ann: taken\n")


def test_remove_asks_first(world) -> None:
    world.admin.script["remove_users"] = [rows.ActRow(name="ann", before=samples.status())]

    assert world.run("users", "remove", "ann", stdin=b"n\n").code == 1
    nobody = world.run("users", "remove", "ann", stdin=b"")
    assert (nobody.code, nobody.err.splitlines()[-1]) == (2, "loginward: hint: say so with --yes")
    assert world.admin.asked == []
    done = world.run("users", "remove", "ann", stdin=b"y\n")
    assert (done.code, done.out) == (0, "ann: active -> removed\n")
    assert world.run("users", "remove", "ann", "--yes") == Done(0, "ann: active -> removed\n", "")


def test_import_a_file(world, tmp_path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"username\n" + b"a" * 100_000)
    world.admin.script["import_users"] = [
        rows.ProgressRow(step="hashing", done=1, total=2, per_s=3.0),
        rows.ImportedRow(accounts=2, pending=1, hashed=1),
    ]

    assert world.run("users", "import", str(file)) == Done(
        0, "2 accounts added, 1 without a password yet, 1 passwords hashed\n", ""
    )
    assert world.admin.files == [file.read_bytes()]


def test_import_from_stdin_with_problems(world) -> None:
    world.admin.script["import_users"] = [
        rows.LineProblemRow(line=3, field="email", why="is no mail address"),
        rows.LineProblemRow(line=7, column=4, why="a comma is missing"),
    ]

    assert world.run("users", "import", "-", "--format", "json", stdin=b"[]") == Done(
        1,
        "",
        "loginward: error: -: line 3, email: is no mail address\n"
        "loginward: error: -: line 7, column 4: a comma is missing\n"
        "loginward: error: nothing was imported\n",
    )
    assert world.run("users", "import", "-").code == 2
    assert world.run("users", "import", "/nowhere.csv").err == (
        "loginward: error: /nowhere.csv: No such file or directory\n"
    )


def test_export(world, tmp_path) -> None:
    world.admin.script["export_users"] = [rows.PieceRow(octets=Secret(b"username\n\xff"))]
    file = tmp_path / "backup.json"

    assert world.run("users", "export", str(file), "--with-hashes") == Done(0, "", "")
    assert file.read_bytes() == b"username\n\xff"
    assert file.stat().st_mode & 0o777 == 0o600
    asked = ask.ExportUsers(form=rows.FileFormat.JSON, with_hashes=True)
    assert world.admin.asked == [("export_users", asked, "root")]


def test_an_export_that_fails_leaves_what_was_there(world, tmp_path) -> None:
    world.admin.script["export_users"] = [rows.PieceRow(octets=Secret(b"x")), StoreFault("damaged")]
    file = tmp_path / "backup.json"
    file.write_text("yesterday")

    assert world.run("users", "export", str(file)).code == 69
    assert file.read_text() == "yesterday"
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup.json"]
