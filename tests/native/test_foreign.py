"""Nothing is ever sent to who is not root or the daemon."""

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

from tests.native.conftest import EMPTY, NOBODY, PASSWORD, Stack, build
from tests.native.fake_daemon import OK, FakeDaemon, says

pytestmark = pytest.mark.live


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
        stack.know(EMPTY)
        said = stack.folder / "said"
        with served_by_nobody(stack.socket, said):
            seen = stack.run("alice", "auth", "acct", typed=[PASSWORD])

        assert seen.code("auth") == "PAM_AUTHINFO_UNAVAIL"
        assert seen.code("acct") == "PAM_PERM_DENIED"
        assert said.read_text() in {"up\n", "up\nb''\nb''\n", "up\nb''\n"}

    def test_the_uid_it_was_built_for_is_trusted(self, stack: Stack, tmp_path: Path) -> None:
        build(tmp_path / "built", "all", uid=NOBODY)
        stack.module = tmp_path / "built/pam_loginward.so"
        stack.know(EMPTY)
        said = stack.folder / "said"
        with served_by_nobody(stack.socket, said):
            stack.run("alice", "auth", typed=[PASSWORD])

        assert "lwtest" in said.read_text()
        assert PASSWORD not in said.read_text(), "nobody asked for it"

    @pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
    def test_a_folder_that_others_can_write_is_not_trusted(self, stack: Stack, mode: int) -> None:
        stack.know(EMPTY)
        stack.socket.parent.chmod(mode)
        with FakeDaemon(stack.socket, says(OK)) as daemon:
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

        assert daemon.heard == []

    def test_a_folder_of_another_uid_is_not_trusted(self, stack: Stack) -> None:
        stack.know(EMPTY)
        with FakeDaemon(stack.socket, says(OK)) as daemon:
            os.chown(stack.socket.parent, NOBODY, -1)
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

        assert daemon.heard == []

    def test_a_link_to_a_socket_is_not_trusted(self, stack: Stack, tmp_path: Path) -> None:
        stack.know(EMPTY)
        (tmp_path / "elsewhere").mkdir(mode=0o755)
        with FakeDaemon(tmp_path / "elsewhere/s", says(OK)) as daemon:
            stack.socket.symlink_to(tmp_path / "elsewhere/s")
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

        assert daemon.heard == []

    def test_no_socket_path_is_too_long_to_be_refused(self, stack: Stack) -> None:
        stack.know(EMPTY)
        stack.options = [f"socket=/run/{'x' * 200}/s"]

        assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"
