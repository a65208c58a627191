"""The kernel's word on who connected, also where it is hard to get."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.doors.login import callers
from loginward.doors.login.callers import CallerGoneError, caller_of


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        yield listener, path


def of(proc: Path, pid: int, *, start: str = "77", uids: str = "1001 0 0 0") -> Path:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    fields = " ".join(["S", "1"] + ["0"] * 17 + [start])
    (folder / "stat").write_text(f"{pid} (a) b (c) {fields} 0 0\n")
    (folder / "status").write_text(f"Name:\tsu\nUid:\t{uids}\nGid:\t0 0 0 0\n")
    return proc


def test_this_process(pair: tuple[socket.socket, str]) -> None:
    listener, path = pair
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with listener.accept()[0] as connection:
            caller = caller_of(connection)

    assert (caller.uid, caller.real_uid, caller.pid) == (os.geteuid(), os.getuid(), os.getpid())
    assert os.getegid() in caller.groups


def test_the_real_uid_is_read_whatever_the_program_is_called(
    pair: tuple[socket.socket, str], tmp_path: Path
) -> None:
    listener, path = pair
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with listener.accept()[0] as connection:
            assert caller_of(connection, of(tmp_path / "proc", os.getpid())).real_uid == 1001


def test_where_proc_is_hidden_the_effective_uid_stands(
    pair: tuple[socket.socket, str], tmp_path: Path
) -> None:
    listener, path = pair
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with listener.accept()[0] as connection:
            assert caller_of(connection, tmp_path / "nothing").real_uid == os.geteuid()


def test_a_process_that_has_ended_is_nobody(pair: tuple[socket.socket, str]) -> None:
    listener, path = pair
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    subprocess.run([sys.executable, "-I", "-S", "-c", code, path], check=True)
    with listener.accept()[0] as connection, pytest.raises(CallerGoneError):
        caller_of(connection)


def test_a_process_of_another_pid_namespace_is_its_effective_uid() -> None:
    class Elsewhere(socket.socket):
        def getsockopt(self, *args: int) -> bytes:  # type: ignore[override]
            return struct.pack("3i", 0, 1001, 1001) if args[1] == socket.SO_PEERCRED else b""

    with Elsewhere(socket.AF_UNIX) as connection:
        assert caller_of(connection).real_uid == 1001


def test_a_file_of_proc_that_says_nothing_is_as_good_as_hidden(
    pair: tuple[socket.socket, str], tmp_path: Path
) -> None:
    listener, path = pair
    proc = of(tmp_path / "proc", os.getpid())
    (proc / str(os.getpid()) / "status").write_text("Name:\tsu\n")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with listener.accept()[0] as connection:
            assert caller_of(connection, proc).real_uid == os.geteuid()


def test_a_pid_that_another_process_took_meanwhile_is_nobody(
    pair: tuple[socket.socket, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its real uid would be that of a stranger."""
    listener, path = pair
    started = iter([77, 78])
    monkeypatch.setattr(callers, "_start_time", lambda _: next(started))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with listener.accept()[0] as connection, pytest.raises(CallerGoneError):
            caller_of(connection, of(tmp_path / "proc", os.getpid()))


def test_a_hidden_process_of_another_user_is_there_all_the_same(
    pair: tuple[socket.socket, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """hidepid, and a daemon without root's rights: kill(2) says EPERM of who is there."""

    def denied(pid: int, signal: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    listener, path = pair
    monkeypatch.setattr(callers.os, "kill", denied)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with listener.accept()[0] as connection:
            assert caller_of(connection, tmp_path / "nothing").real_uid == os.geteuid()
