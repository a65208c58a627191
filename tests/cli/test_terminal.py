"""At a real terminal: prompts without echo, colours, widths, progress, Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from loginward.cli.terminal import clean, columns_of, wrap
from loginward.core.changes import ChangeProblem
from loginward.core.secret import Secret
from loginward.wire.admin import rows
from tests.cli import samples
from tests.cli.conftest import RUN, environment


class Typist:
    """A command on a pseudo terminal."""

    def __init__(self, world, *argv: str, columns: int = 100, **env: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *RUN, *argv],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(LOGINWARD_RUNTIME_DIR=str(world.folder), **{"TERM": "xterm"} | env),
        )
        os.close(theirs)
        self.seen = ""

    def expect(self, text: str) -> None:
        deadline = time.monotonic() + 10
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self._read(0.1)

    def type(self, octets: bytes) -> None:
        os.write(self._ours, octets)

    def end(self) -> int:
        while self._read(10):
            pass
        code = self.process.wait(10)
        os.close(self._ours)
        return code

    def _read(self, wait_s: float) -> bool:
        if select.select([self._ours], [], [], wait_s)[0]:
            with contextlib.suppress(OSError):  # EIO: the other side is closed
                octets = os.read(self._ours, 4096)
                self.seen += octets.decode()
                return bool(octets)
        return False


def test_a_password_is_typed_twice_and_never_shown(world) -> None:
    world.admin.script["act"] = [rows.ActRow(name="ann")]
    typist = Typist(world, "set-temporary", "ann")
    typist.expect("new password for ann: ")
    typist.type(b"s3cret-\xe9-pass\n")
    typist.expect("the same again: ")
    typist.type(b"s3cret-\xe9-pass\n")

    assert typist.end() == 0
    assert "s3cret" not in typist.seen
    assert world.admin.asked[0][1].password == Secret(b"s3cret-\xe9-pass")


def test_a_token_is_typed_once_and_a_bad_password_again(world) -> None:
    """R03: three tries, as inside a login; nothing that was typed is shown."""
    world.admin.script["activate_self"] = rows.ActivationRow(
        name="ann", problem=ChangeProblem.TOO_SHORT, why="Too short."
    )
    typist = Typist(world, "passwd", "ann", "--token")
    typist.expect("activation token of ann: ")
    typist.type(b"t0ken\n")
    for n in range(3):
        typist.expect("new password for ann: ")
        typist.type(b"s3cret %d\n" % n)
        typist.expect("the same again: ")
        typist.type(b"s3cret %d\n" % n)
        typist.expect("error: ann: Too short.")
        typist.seen = typist.seen.partition("Too short.")[2]

    assert typist.end() == 1
    asked = [one for _, one, _ in world.admin.asked]
    assert [one.new for one in asked] == [Secret(b"s3cret %d" % n) for n in range(3)]
    assert [one.token for one in asked] == [Secret(b"t0ken")] * 3


def test_two_different_passwords_change_nothing(world) -> None:
    """R41."""
    typist = Typist(world, "reset-password", "ann")
    typist.expect("new password for ann: ")
    typist.type(b"one\n")
    typist.expect("the same again: ")
    typist.type(b"two\n")

    assert typist.end() == 1
    assert "differ; nothing was changed" in typist.seen
    assert world.admin.asked == []


def test_ctrl_c_at_a_prompt_gives_the_echo_back(world) -> None:
    typist = Typist(world, "set-temporary", "ann")
    typist.expect("new password for ann: ")
    typist.type(b"\x03")

    assert typist.end() == 130
    assert "Traceback" not in typist.seen
    assert world.admin.asked == []


def test_adding_a_user_asks_for_the_rest(world) -> None:
    world.admin.script["add_user"] = rows.ActRow(name="ann", after=samples.status())
    typist = Typist(world, "users", "add", "ann")
    typist.expect("mail address")
    typist.type(b"ann@example.org\n")
    typist.expect("groups")
    typist.type(b"staff,vpn\n")

    assert typist.end() == 0
    order = world.admin.asked[0][1]
    assert (order.mail, order.groups) == ("ann@example.org", ("staff", "vpn"))


@pytest.mark.parametrize(
    ("env", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(world, env, is_coloured: bool) -> None:
    world.admin.script |= {
        "users": samples.USERS,
        "why": samples.WHY_FRANK,
        "findings": samples.FINDINGS,
    }
    for argv in (["users"], ["why", "frank"], ["doctor"]):
        typist = Typist(world, *argv, **env)
        typist.end()

        assert ("\x1b[" in typist.seen) is is_coloured, argv


def test_export_of_hashes_is_not_for_a_terminal(world) -> None:
    typist = Typist(world, "users", "export", "--with-hashes")

    assert typist.end() == 2
    assert world.admin.asked == []


def test_the_progress_bar_shows_a_rate(world, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("username\n")
    world.admin.script["import_users"] = [
        rows.ProgressRow(step="hashing", done=50, total=200, per_s=5.0),
        rows.ImportedRow(accounts=200, pending=0, hashed=200),
    ]
    typist = Typist(world, "users", "import", str(tmp_path / "a.csv"))

    assert typist.end() == 0
    assert "hashing [######..................] 50/200, 5/s, 30 s left" in typist.seen
    assert "200 accounts added, 200 passwords hashed" in typist.seen


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_nothing_is_wider_than_the_terminal(world, columns: int) -> None:
    long = rows.UserRow(name="grüße-" + "名" * 4, status=samples.FRANK_BEFORE)
    world.admin.script |= {
        "users": [*samples.USERS, long],
        "why": samples.WHY_FRANK,
        "account": samples.ACCOUNT,
        "copies": samples.COPIES,
        "refresh": samples.STEPS,
        "findings": samples.FINDINGS,
    }
    for argv in (
        ["users"],
        ["why", "frank"],
        ["status", "bob"],
        ["cache", "list"],
        ["refresh"],
        ["doctor"],
    ):
        done = world.run(*argv, COLUMNS=str(columns))

        assert done.out
        assert max(columns_of(line) for line in done.out.splitlines()) <= columns, argv


def test_following_ends_at_ctrl_c_without_a_word(world) -> None:
    world.admin.script["events"] = samples.EVENTS[:1]
    process = world.popen("events", "--follow")
    assert b"account-locked" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)

    assert (process.returncode, out, err) == (130, b"", b"\n")


def test_following_goes_on_after_a_restart_of_the_daemon(away) -> None:
    """From the event after the last one seen, so that none is lost or told twice."""
    away.admin.script["events"] = samples.EVENTS[:1]
    server = away.serve()
    process = away.popen("events", "--follow", "--json")
    try:
        assert b'"id":"1"' in process.stdout.readline()
        away.admin.live.put(samples.EVENTS[1])
        assert b'"id":"2"' in process.stdout.readline()
        server.close()
        assert away.admin.ended.wait(5)
        away.admin.script["events"] = []
        server = away.serve()
        away.admin.live.put(rows.EventRow(id="3", at=samples.NOW, event="transition"))
        assert b'"id":"3"' in process.stdout.readline()
        assert away.admin.asked[-1][1].after == "2"
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
        server.close()

    assert err.startswith(b"loginward: note: the daemon is away; waiting for it\n")


def test_a_reader_that_goes_away_ends_it_quietly(world) -> None:
    world.admin.script["users"] = samples.USERS * 3000
    process = world.popen("users")
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert process.wait(10) == 141
    assert err == b""


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
)
def test_every_locale_will_do(world, env) -> None:
    world.admin.script["users"] = [rows.UserRow(name="zoë", status=samples.status())]
    done = world.run("users", "--names", **env)

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("zo")


def test_names_cannot_drive_the_terminal(world) -> None:
    """A source that a peer claimed is shown without its escape sequences."""
    evil = "\x1b]0;owned\x07\x1b[2J\u202e\u2028x"
    world.admin.script["users"] = [
        rows.UserRow(
            name=evil,
            status=samples.status(
                samples.LOCKED, lock=rows.LockPart(cause=samples.LOCK.cause, source=evil)
            ),
        )
    ]
    world.admin.script["act"] = [rows.ActRow(name=evil, problem=rows.Problem.REFUSED, why=evil)]
    for done in (world.run("users"), world.run("users", "--names"), world.run("unlock", "x")):
        text = done.out + done.err
        assert text
        assert not set(text) & set("\x1b\x07\u202e\u2028")


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("名前", 4), ("e\u0301", 1), ("", 0)])
def test_columns(text: str, columns: int) -> None:
    assert columns_of(text) == columns


def test_wrapping_keeps_words_whole_and_gaps_wide() -> None:
    assert wrap("one two  three four", 11) == ["one", "two  three", "four"]
    assert wrap("incomprehensibilities", 5) == ["incomprehensibilities"]
    assert wrap("as it is", None) == ["as it is"]


def test_clean_keeps_what_is_text() -> None:
    assert clean("Ann Lee 名 é") == "Ann Lee 名 é"
    assert clean("a\tb\x00\x9b") == "a\ufffdb\ufffd\ufffd"
