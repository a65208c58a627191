"""No daemon, a slow, broken or foreign one: nobody known gets past, root always does (R27)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Purpose
from loginward.store.known import render
from loginward.wire.login import Ask, Notice, encode
from tests.native.conftest import IGNORED, Stack, build
from tests.native.fake_daemon import (
    ASK,
    OK,
    FakeDaemon,
    Line,
    Part,
    by_phase,
    listening,
    plays,
    refuse,
    says,
    silent,
)

pytestmark = pytest.mark.live
PASSWORD = "correct horse"
EMPTY = "loginward-known 1\nend 0\n"
NOBODY = 65534


def marker(stack: Stack, text: str) -> None:
    stack.known.write_text(text)
    stack.known.chmod(0o644)


def raw(octets: bytes) -> Part:
    def part(line: Line) -> None:
        line.hear()
        line.sock.sendall(octets)

    return part


def cut(line: Line) -> None:
    line.hear()
    line.sock.sendall(encode(OK)[:-1])


def drip(line: Line) -> None:
    """One octet each 0.3 s: each read is in time, the whole is not."""
    line.hear()
    for octet in encode(Notice("slow")):
        line.sock.sendall(bytes([octet]))
        time.sleep(0.3)


def chatter(line: Line) -> None:
    line.hear()
    for _ in range(1000):
        line.say(Notice("again"))


BROKEN = {
    "cut-at-once": lambda line: None,
    "cut-in-a-frame": cut,
    "another-version": raw(b"\x02" + encode(OK)[1:]),
    "text-of-another-protocol": raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "payload-too-long": raw(b"\x01\x14\xff\xff" + bytes(70000)),
    "a-frame-of-the-client": raw(b"\x01\x01\x00\x00"),
    "duplicate-field": raw(b"\x01\x14\x00\x08" + b"\x40\x00\x01\x01" * 2),
    "no-reason": raw(b"\x01\x14\x00\x04" + b"\x40\x00\x01\x01"),
    "unknown-reason": raw(b"\x01\x14\x00\x08" + b"\x40\x00\x01\x01" + b"\x41\x00\x01\x7f"),
    "field-past-the-end": raw(b"\x01\x14\x00\x04" + b"\x40\x00\x09\x01"),
    "endless-notices": chatter,
}


class TestNoDaemon:
    """The socket is absent or refuses: the marker decides the account phase."""

    @pytest.mark.parametrize(
        ("text", "user", "acct"),
        [
            pytest.param(EMPTY, "alice", IGNORED, id="nobody-known"),
            pytest.param(EMPTY, "nobody", IGNORED, id="nobody-known-by-uid"),
            pytest.param(
                "loginward-known 1\nalice\t-\nend 1\n", "alice", "PAM_PERM_DENIED", id="by-name"
            ),
            pytest.param(
                "loginward-known 1\nalice\t-\nend 1\n", "ALICE", "PAM_PERM_DENIED", id="by-case"
            ),
            pytest.param("loginward-known 1\nalice\t-\nend 1\n", "alic", IGNORED, id="by-other"),
            pytest.param(
                f"loginward-known 1\nalice\t-\nbob\t{NOBODY}\nend 2\n",
                "nobody",
                "PAM_PERM_DENIED",
                id="by-uid",
            ),
            pytest.param("loginward-known 1\nend 5\t7\nend 1\n", "alice", IGNORED, id="name-end-5"),
            pytest.param(
                "loginward-known 1\n"
                + "".join(f"u{n:06}\t{n}\n" for n in range(5000))
                + "end 5000\n",
                "alice",
                IGNORED,
                id="many",
            ),
            pytest.param("loginward-known 1 all\nend 0\n", "alice", "PAM_PERM_DENIED", id="all"),
            pytest.param("", "alice", "PAM_PERM_DENIED", id="no-header"),
            pytest.param("loginward-known 2\nend 0\n", "alice", "PAM_PERM_DENIED", id="version-2"),
            pytest.param("loginward-known 1\n", "alice", "PAM_PERM_DENIED", id="no-end"),
            pytest.param(
                "loginward-known 1\nbob\t7\nend 2\n", "alice", "PAM_PERM_DENIED", id="wrong-count"
            ),
            pytest.param(
                "loginward-known 1\nbob\t7\nend 1\n\n", "alice", "PAM_PERM_DENIED", id="after-end"
            ),
            pytest.param("loginward-known 1\nend 0", "alice", "PAM_PERM_DENIED", id="cut-newline"),
            pytest.param(
                "loginward-known 1\nc\t7\nb\t8\nend 2\n", "alice", "PAM_PERM_DENIED", id="unsorted"
            ),
            pytest.param(
                "loginward-known 1\nb\tx\nend 1\n", "alice", "PAM_PERM_DENIED", id="no-uid"
            ),
            pytest.param(
                f"loginward-known 1\n{'b' * 2000}\t7\nend 1\n",
                "alice",
                "PAM_PERM_DENIED",
                id="long",
            ),
            pytest.param(
                "loginward-known 1\nb\0b\t7\nend 1\n", "alice", "PAM_PERM_DENIED", id="nul"
            ),
        ],
    )
    def test_the_marker(self, impatient: Stack, text: str, user: str, acct: str) -> None:
        marker(impatient, text)

        assert impatient.run(user, "acct").code("acct") == acct

    def test_the_marker_that_the_store_writes(self, impatient: Stack) -> None:
        names = [
            (f"{first}{n}", 3000 + n) for n in range(300) for first in ("Zoë ", "ärger", "a-b")
        ]
        marker(impatient, render([*names, ("somebody", NOBODY)]))

        assert impatient.run("nobody", "acct").code("acct") == "PAM_PERM_DENIED"
        assert impatient.run("a-b7", "acct").code("acct") == "PAM_PERM_DENIED"
        assert impatient.run("alice", "acct").code("acct") == IGNORED
        marker(impatient, render([]))
        assert impatient.run("a-b7", "acct").code("acct") == IGNORED

    @pytest.mark.parametrize("mode", [0o664, 0o646])
    def test_a_marker_that_others_can_write_is_malformed(self, impatient: Stack, mode: int) -> None:
        marker(impatient, EMPTY)
        impatient.known.chmod(mode)

        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    def test_no_marker_is_a_malformed_one(self, impatient: Stack) -> None:
        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    def test_a_link_or_a_folder_is_no_marker(self, impatient: Stack) -> None:
        marker(impatient, EMPTY)
        impatient.known.rename(impatient.folder / "other")
        impatient.known.symlink_to(impatient.folder / "other")
        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"
        impatient.known.unlink()
        impatient.known.mkdir()
        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    @pytest.mark.parametrize("text", [EMPTY, "loginward-known 1\nalice\t-\nend 1\n", ""])
    def test_the_password_cannot_be_judged(self, impatient: Stack, text: str) -> None:
        marker(impatient, text)
        seen = impatient.run("alice", "auth", typed=[PASSWORD])

        assert seen.code("auth") == "PAM_AUTHINFO_UNAVAIL"
        assert "does not answer" in seen.said("error")[0]

    def test_ignore_unavailable_ignores_only_whom_the_marker_lets(self, impatient: Stack) -> None:
        impatient.options = ["ignore_unavailable"]
        marker(impatient, "loginward-known 1\nalice\t-\nend 1\n")

        assert impatient.run("bob", "auth", typed=[PASSWORD]).code("auth") == IGNORED
        assert (
            impatient.run("alice", "auth", typed=[PASSWORD]).code("auth") == "PAM_AUTHINFO_UNAVAIL"
        )

    def test_a_change_is_left_to_others_only_for_whom_the_marker_lets(
        self, impatient: Stack
    ) -> None:
        marker(impatient, "loginward-known 1\nalice\t-\nend 1\n")

        assert impatient.run("bob", "chauthtok").code("chauthtok") == IGNORED
        assert impatient.run("alice", "chauthtok").code("chauthtok") == "PAM_TRY_AGAIN"

    def test_sessions_go_on(self, impatient: Stack) -> None:
        seen = impatient.run("alice", "open", "close")

        assert seen.code("open") == seen.code("close") == IGNORED
        assert seen.said("error") == []

    def test_a_socket_nobody_listens_at_is_no_daemon(self, impatient: Stack) -> None:
        marker(impatient, EMPTY)
        listening(impatient.socket).close()

        assert impatient.run("alice", "acct").code("acct") == IGNORED

    def test_a_daemon_that_is_back_within_a_second_is_waited_for(self, stack: Stack) -> None:
        marker(stack, "loginward-known 1\nalice\t-\nend 1\n")
        confdir = stack.write()
        with subprocess.Popen(
            [*stack.driver, str(confdir), stack.service, "alice", "acct"], stdout=subprocess.PIPE
        ) as driver:
            time.sleep(0.4)  # the restart that this is about
            with FakeDaemon(stack.socket, says(OK)):
                out, _ = driver.communicate(timeout=10)

        assert out.decode().splitlines() == ["acct: 0"]

    def test_root_is_let_go_at_once(self, stack: Stack) -> None:
        begin = time.monotonic()
        seen = stack.run("root", "auth", "acct", "setcred", "open", "close")

        assert {seen.code(a) for a in ("auth", "acct", "setcred", "open", "close")} == {IGNORED}
        assert time.monotonic() - begin < 0.5


class TestTrouble:
    """There is something at the socket: nobody passes, not even who was never known."""

    @pytest.mark.parametrize("name", BROKEN)
    def test_broken(self, sanitized: Stack, name: str) -> None:
        marker(sanitized, EMPTY)
        sanitized.options = ["ignore_unavailable"]
        with FakeDaemon(sanitized.socket, BROKEN[name]):
            seen = sanitized.run("alice", "auth", "acct", "open", "close", typed=[PASSWORD])

        assert seen.code("auth") == "PAM_AUTHINFO_UNAVAIL"
        assert seen.code("acct") == "PAM_PERM_DENIED"
        assert seen.code("open") == seen.code("close") == IGNORED

    @pytest.mark.parametrize("part", [silent, drip], ids=["silent", "drip"])
    def test_slow(self, stack: Stack, part: Part) -> None:
        """One deadline for the whole of a phase, not one for each read."""
        marker(stack, EMPTY)
        for action, code in (("auth", "PAM_AUTHINFO_UNAVAIL"), ("acct", "PAM_PERM_DENIED")):
            begin = time.monotonic()
            with FakeDaemon(stack.socket, part):
                assert stack.run("alice", action, typed=[PASSWORD]).code(action) == code
                assert 0.9 < time.monotonic() - begin < 2

    def test_silent_after_the_password(self, stack: Stack) -> None:
        begin = time.monotonic()
        with FakeDaemon(stack.socket, says(ASK)):  # hangs up after the answer
            assert stack.run("alice", "auth", typed=[PASSWORD]).code("auth") == (
                "PAM_AUTHINFO_UNAVAIL"
            )
        assert time.monotonic() - begin < 2

    def test_a_full_queue_is_waited_at_until_the_deadline(self, stack: Stack) -> None:
        marker(stack, EMPTY)
        sock = listening(stack.socket)
        sock.listen(0)
        waiting = [_connected(stack.socket)]
        begin = time.monotonic()
        try:
            code = stack.run("alice", "acct").code("acct")
        finally:
            for other in (*waiting, sock):
                other.close()

        assert code == "PAM_PERM_DENIED"
        assert 0.9 < time.monotonic() - begin < 2

    def test_no_descriptor_left(self, stack: Stack) -> None:
        marker(stack, EMPTY)
        with FakeDaemon(stack.socket, says(OK)) as daemon:
            stack.driver = ["prlimit", "--nofile=64:64", *stack.driver]
            seen = stack.run("alice", "acct", "fill", "acct")  # the first one loads the module

        assert "does not answer" in seen.said("error")[0], "refused, not ignored, by the module"
        assert seen.code("acct") in {"PAM_PERM_DENIED", "PAM_SYSTEM_ERR"}, "libpam has none either"
        assert len(daemon.begins) == 1

    def test_typing_takes_no_time_from_the_daemon(self, stack: Stack) -> None:
        def slow(line: Line) -> None:
            line.hear()
            line.say(ASK)
            line.hear()
            line.say(OK)

        with FakeDaemon(stack.socket, slow):
            confdir = stack.write()
            with subprocess.Popen(
                [*stack.driver, str(confdir), stack.service, "alice", "chauthtok"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as driver:
                time.sleep(1.3)  # longer than the whole deadline
                out, _ = driver.communicate(b"old\0", timeout=10)

        assert out.decode().splitlines()[-1] == "chauthtok: 0"


def _connected(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    return sock


@contextmanager
def served_by_nobody(path: Path, said: Path) -> Iterator[None]:
    """Let another uid listen at a socket that lies where only root can put it."""
    code = (
        "import os, socket, sys\n"
        f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "sock = socket.socket(fileno=int(sys.argv[1])); sock.listen(4); print('up', flush=True)\n"
        "while True:\n"
        "    peer, _ = sock.accept()\n"
        "    print(repr(peer.recv(9000)), flush=True)\n"
    )
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    path.chmod(0o666)
    with said.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-I", "-c", code, str(sock.fileno())],
            pass_fds=[sock.fileno()],
            stdout=out,
        )
    sock.close()
    try:
        while b"up" not in said.read_bytes():
            time.sleep(0.01)
        yield
    finally:
        server.kill()
        server.wait()


class TestForeign:
    """Nothing is ever sent to who is not root or the daemon."""

    def test_another_uid_hears_nothing(self, stack: Stack) -> None:
        marker(stack, EMPTY)
        said = stack.folder / "said"
        with served_by_nobody(stack.socket, said):
            seen = stack.run("alice", "auth", "acct", typed=[PASSWORD])

        assert seen.code("auth") == "PAM_AUTHINFO_UNAVAIL"
        assert seen.code("acct") == "PAM_PERM_DENIED"
        assert said.read_text() in {"up\n", "up\nb''\nb''\n", "up\nb''\n"}

    def test_the_uid_it_was_built_for_is_trusted(self, stack: Stack, tmp_path: Path) -> None:
        build(tmp_path / "built", "all", uid=NOBODY)
        stack.module = tmp_path / "built/pam_loginward.so"
        marker(stack, EMPTY)
        said = stack.folder / "said"
        with served_by_nobody(stack.socket, said):
            stack.run("alice", "auth", typed=[PASSWORD])

        assert "lwtest" in said.read_text()
        assert PASSWORD not in said.read_text(), "nobody asked for it"

    @pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
    def test_a_folder_that_others_can_write_is_not_trusted(self, stack: Stack, mode: int) -> None:
        marker(stack, EMPTY)
        stack.socket.parent.chmod(mode)
        with FakeDaemon(stack.socket, says(OK)) as daemon:
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

        assert daemon.heard == []

    def test_a_folder_of_another_uid_is_not_trusted(self, stack: Stack) -> None:
        marker(stack, EMPTY)
        with FakeDaemon(stack.socket, says(OK)) as daemon:
            os.chown(stack.socket.parent, NOBODY, -1)
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

        assert daemon.heard == []

    def test_a_link_to_a_socket_is_not_trusted(self, stack: Stack, tmp_path: Path) -> None:
        marker(stack, EMPTY)
        (tmp_path / "elsewhere").mkdir(mode=0o755)
        with FakeDaemon(tmp_path / "elsewhere/s", says(OK)) as daemon:
            stack.socket.symlink_to(tmp_path / "elsewhere/s")
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

        assert daemon.heard == []

    def test_no_socket_path_is_too_long_to_be_refused(self, stack: Stack) -> None:
        marker(stack, EMPTY)
        stack.options = [f"socket=/run/{'x' * 200}/s"]

        assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"


class TestMemory:
    """No secret and no descriptor stays behind."""

    @pytest.mark.parametrize(
        "part",
        [
            pytest.param(by_phase(authn=plays(ASK, OK)), id="let-in"),
            pytest.param(by_phase(authn=plays(ASK, refuse(Reason.ACCOUNT_LOCKED))), id="refused"),
            pytest.param(by_phase(authn=plays(ASK)), id="cut-after-the-password"),
        ],
    )
    def test_no_copy_of_the_password_is_left(self, stack: Stack, part: Part) -> None:
        secret = "Tr0ub4dor-and-more-than-thirty-octets-of-it"
        hidden = stack.folder / "hidden"
        hidden.write_bytes(bytes(octet ^ 0x55 for octet in secret.encode()))
        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run("alice", "auth", f"scan={hidden}", typed=[secret])

        assert daemon.typed == [secret.encode()]
        assert seen.said("found") == ["0"], seen.lines

    def test_no_copy_of_a_new_password_is_left(self, stack: Stack) -> None:
        secret = "Tr0ub4dor-and-more-than-thirty-octets-of-it"
        hidden = stack.folder / "hidden"
        hidden.write_bytes(bytes(octet ^ 0x55 for octet in secret.encode()))
        new, again = (Ask(purpose=p, prompt="New: ") for p in (Purpose.NEW, Purpose.NEW_AGAIN))
        part = by_phase(
            chauthtok_prelim=plays(ASK, OK), chauthtok_update=plays(ASK, new, again, new, again, OK)
        )
        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run(
                "alice",
                "chauthtok",
                f"scan={hidden}",
                typed=["old", "weak", "weak", secret, secret],
            )

        assert daemon.typed[-1] == secret.encode()
        assert seen.said("found") == ["0"], seen.lines

    def test_the_scan_finds_what_is_there(self, stack: Stack) -> None:
        """The control: the service name stands in memory as long as the program's arguments do."""
        hidden = stack.folder / "hidden"
        hidden.write_bytes(bytes(octet ^ 0x55 for octet in b"rhost=a-long-enough-needle"))
        with FakeDaemon(stack.socket, says(OK)):
            seen = stack.run("alice", "rhost=a-long-enough-needle", "acct", f"scan={hidden}")

        assert int(seen.said("found")[0]) > 0

    def test_a_thousand_calls_leave_no_descriptor(self, sanitized: Stack) -> None:
        marker(sanitized, EMPTY)
        with FakeDaemon(sanitized.socket, says(refuse(Reason.ACCOUNT_LOCKED))) as daemon:
            seen = sanitized.run("alice", "repeat=1000", "acct")

        assert len(daemon.begins) == 1000
        assert seen.code("acct") == "PAM_PERM_DENIED"
        assert seen.said("descriptors") == []

    def test_the_callers_low_descriptors_are_left_alone(self, stack: Stack) -> None:
        with FakeDaemon(stack.socket, says(Notice("hello"), OK)):
            assert stack.run("alice", "low", "acct").lines[-1] == "acct: 0"

    def test_valgrind_has_nothing_to_say(self, stack: Stack) -> None:
        part = by_phase(
            authn=plays(Notice("hello"), ASK, OK),
            acct=plays(refuse(Reason.ACCOUNT_LOCKED)),
            chauthtok_prelim=plays(ASK, OK),
            chauthtok_update=plays(ASK, refuse(Reason.NOT_PERMITTED)),
            open=plays(OK),
        )
        stack.driver = [
            "valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--track-fds=no",
            "--errors-for-leak-kinds=definite,indirect,possible", *stack.driver,
        ]  # fmt: skip
        stack.options = ["timeout_s=30"]
        with FakeDaemon(stack.socket, part):
            seen = stack.run(
                "alice", "auth", "acct", "chauthtok", "open", typed=[PASSWORD] * 2, timeout_s=60
            )

        assert seen.code("chauthtok") == "PAM_AUTHTOK_ERR"
