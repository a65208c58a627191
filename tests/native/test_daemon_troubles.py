"""A slow or broken daemon: nobody passes, not even who was never known (R27)."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from loginward.wire.login import Notice, encode
from tests.doubles.sockets import listening
from tests.native.conftest import EMPTY, IGNORED, PASSWORD, Stack
from tests.native.fake_daemon import ASK, OK, FakeDaemon, Line, Part, says, silent

pytestmark = pytest.mark.live


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


class TestTrouble:
    """There is something at the socket: nobody passes, not even who was never known."""

    @pytest.mark.parametrize("name", BROKEN)
    def test_broken(self, sanitized: Stack, name: str) -> None:
        sanitized.know(EMPTY)
        sanitized.options = ["ignore_unavailable"]
        with FakeDaemon(sanitized.socket, BROKEN[name]):
            seen = sanitized.run("alice", "auth", "acct", "open", "close", typed=[PASSWORD])

        assert seen.code("auth") == "PAM_AUTHINFO_UNAVAIL"
        assert seen.code("acct") == "PAM_PERM_DENIED"
        assert seen.code("open") == seen.code("close") == IGNORED

    @pytest.mark.parametrize("part", [silent, drip], ids=["silent", "drip"])
    def test_slow(self, stack: Stack, part: Part) -> None:
        """One deadline for the whole of a phase, not one for each read."""
        stack.know(EMPTY)
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
        stack.know(EMPTY)
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
        stack.know(EMPTY)
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
