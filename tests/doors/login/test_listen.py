"""The socket lies where only root or the daemon can have put it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from loginward.doors.login.listen import inherited, listen
from loginward.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run/login.sock"


def test_everybody_may_connect_and_only_the_owner_may_replace(path: Path) -> None:
    os.umask(0o077)
    try:
        with listen(path):
            assert stat.S_IMODE(path.lstat().st_mode) == 0o666
            assert stat.S_IMODE(path.parent.lstat().st_mode) in {0o755, 0o700}
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
    finally:
        os.umask(0o022)
    assert [entry.name for entry in path.parent.iterdir()] == ["login.sock"]


def test_what_a_dead_daemon_left_is_replaced(path: Path) -> None:
    listen(path).close()
    with listen(path):
        pass


def test_a_running_daemon_is_not_pushed_aside(path: Path) -> None:
    with listen(path), pytest.raises(ConfigError, match="another daemon"):
        listen(path)
    assert path.is_socket()


def test_a_file_is_not_removed(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(ConfigError, match="something else"):
        listen(path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_can_write_is_refused(path: Path, mode: int) -> None:
    path.parent.mkdir()
    path.parent.chmod(mode)
    with pytest.raises(ConfigError, match="only its owner"):
        listen(path)


def test_a_folder_of_somebody_else_is_refused(path: Path) -> None:
    path.parent.mkdir()
    os.chown(path.parent, 65534, 65534)
    with pytest.raises(ConfigError, match="belong to root"):
        listen(path)


def test_a_link_to_a_folder_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    path.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError):
        listen(path)


def test_a_path_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        listen(tmp_path / ("x" * 120) / "login.sock")


def handed_over(tmp_path: Path, *, listens: bool, name: str = "login") -> str:
    """Return what a program finds that is started as systemd starts one."""
    code = (
        "import os, sys\n"
        "from loginward.doors.login.listen import inherited\n"
        "from loginward.errors import ConfigError\n"
        "environ = {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '2',"
        " 'LISTEN_FDNAMES': 'admin:login'}\n"
        "try:\n"
        f"    sock = inherited({name!r}, environ)\n"
        "except ConfigError as fault:\n"
        "    print(fault.problem)\n"
        "else:\n"
        "    print(sock and sock.getsockname(), sock and os.get_inheritable(sock.fileno()))\n"
    )
    admin, login = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    with admin, login:
        for sock, file in ((admin, "a"), (login, "l")):
            sock.bind(str(tmp_path / file))
            if listens:
                sock.listen()

        def places() -> None:
            os.dup2(admin.fileno(), 3)
            os.dup2(login.fileno(), 4)

        import loginward

        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(Path(loginward.__file__).parents[1])},
            preexec_fn=places,
            close_fds=False,
            capture_output=True,
            text=True,
            check=True,
        )
    return done.stdout.strip()


def test_systemds_socket_is_taken_by_name(tmp_path: Path) -> None:
    assert handed_over(tmp_path, listens=True) == f"{tmp_path / 'l'} False"


def test_a_name_that_was_not_handed_over_is_none(tmp_path: Path) -> None:
    assert handed_over(tmp_path, listens=True, name="radius") == "None None"


def test_a_socket_that_does_not_listen_is_refused(tmp_path: Path) -> None:
    """Listening on it here would make the daemon, not root, its server in the module's eyes."""
    assert "not a listening" in handed_over(tmp_path, listens=False)


def test_the_sockets_of_another_process_are_not_ours() -> None:
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "login"}

    assert inherited("login", environ) is None
    assert inherited("login", {}) is None
