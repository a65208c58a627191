"""The agent as systemd starts it: never root, its sockets handed over, two helpers behind sockets.

Each process has a user of its own: `nobody` serves, `daemon` holds the admin account, root resets
tallies. What systemd does is done by tests/doubles/systemd.py.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.doubles.sockets import listening
from tests.doubles.systemd import PATIENCE_S, Accepting, as_user, handed_over
from tests.live import people
from tests.live.daemon import LOGINWARD, configure
from tests.live.site import open_folder
from tests.live.slapd import Slapd

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("slapd-on")]

SERVES, WRITES = "nobody", "daemon"
PYTHON = [sys.executable, "-I", "-m"]


class Machine:
    """The units of packaging/systemd, as far as these tests need them."""

    def __init__(self, folder: Path, slapd: Slapd, stack: ExitStack) -> None:
        self.folder, self.run = folder, folder / "run"
        self.run.mkdir()
        self.config = configure(folder, slapd)
        (folder / "state").mkdir()
        shutil.chown(folder / "state", SERVES)
        self.writer = stack.enter_context(
            Accepting(
                self.run / "writer.sock",
                [*as_user(WRITES), *PYTHON, "loginward.runtime.writer", str(self.config), SERVES],
                {"CREDENTIALS_DIRECTORY": str(self._credentials(WRITES, "admin", "service"))},
            )
        )
        self.root = stack.enter_context(
            Accepting(
                self.run / "root.sock",
                [*PYTHON, "loginward.host.roothelper", SERVES],
                {"RUNTIME_DIRECTORY": str(self._kept_by_root())},
            )
        )
        self.daemon = self._serve(stack)

    def _kept_by_root(self) -> Path:
        folder = self.folder / "loginward-root"
        folder.mkdir(0o700)
        return folder

    def _credentials(self, user: str, *secrets: str) -> Path:
        """Give a user copies that nobody else can read, as LoadCredential= does."""
        folder = self.folder / f"credentials-{user}"
        folder.mkdir(0o500)
        for name in secrets:
            copy = Path(shutil.copy(self.folder / f"{name}.secret", folder))
            copy.chmod(0o400)
            shutil.chown(copy, user)
        shutil.chown(folder, user)
        return folder

    def _serve(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        notices = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        notices.bind(os.fspath(self.folder / "notify"))
        (self.folder / "notify").chmod(0o777)
        notices.settimeout(PATIENCE_S)
        sockets = {
            name: stack.enter_context(listening(self.run / f"{name}.sock"))
            for name in ("login", "admin")
        }
        process = handed_over(
            sockets,
            as_user(SERVES, LOGINWARD, "serve", "-c", self.config),
            env={
                "NOTIFY_SOCKET": str(self.folder / "notify"),
                "CREDENTIALS_DIRECTORY": str(self._credentials(SERVES, "service")),
                "LOGINWARD_ROOT_SOCKET": str(self.root.path),
                "LOGINWARD_WRITER_SOCKET": str(self.writer.path),
            },
            stderr=stack.enter_context((self.folder / "log").open("ab")),
        )
        stack.callback(process.wait, PATIENCE_S)
        stack.callback(process.terminate)
        try:
            while notices.recv(4096) != b"READY=1":
                pass
        except TimeoutError:
            pytest.fail((self.folder / "log").read_text())
        return process

    def command(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command line against it."""
        return subprocess.run(
            [LOGINWARD, *words], input=typed, capture_output=True, text=True, check=False,
            env=os.environ | {"LOGINWARD_RUNTIME_DIR": str(self.run), "TZ": "UTC"}, timeout=30,
        )  # fmt: skip


@pytest.fixture(scope="module")
def machine(slapd_on: Slapd) -> Iterator[Machine]:
    with open_folder() as folder, ExitStack() as stack:
        yield Machine(folder, slapd_on, stack)


def status_of(pid: int, field: str) -> list[str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(field))


def test_the_daemon_has_no_right_and_no_child(machine: Machine) -> None:
    """security.md 12: what was never root has nothing to give up."""
    uid = str(pwd.getpwnam(SERVES).pw_uid)
    pid = machine.daemon.pid
    assert status_of(pid, "Uid") == [uid] * 4
    assert status_of(pid, "CapEff") == ["0" * 16]
    assert Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""


def test_the_admin_accounts_secret_is_closed_to_it(machine: Machine) -> None:
    for file in ("admin.secret", f"credentials-{WRITES}/admin.secret"):
        done = subprocess.run(
            as_user(SERVES, "cat", machine.folder / file), capture_output=True, check=False
        )
        assert b"Permission denied" in done.stderr, file


def test_an_unlock_is_written_by_the_other_user(
    machine: Machine, slapd_on: Slapd, person: str
) -> None:
    """R44, R22: and the same password lets in at once."""
    locked = "pwdAccountLockedTime"
    slapd_on.change(person, {locked: ["000001010000Z"]})
    done = machine.command("unlock", person)
    assert (done.returncode, slapd_on.values(person, locked)) == (0, []), done.stderr
    (process,) = machine.writer.processes
    assert status_of(process.pid, "Uid") == [str(pwd.getpwnam(WRITES).pw_uid)] * 4
    assert status_of(process.pid, "CapEff") == ["0" * 16]
    entered = machine.command("login", person, "--password-stdin", typed=people.PASSWORD + "\n")
    assert entered.returncode == 0, entered.stderr


def test_a_writer_that_was_killed_is_started_again(
    machine: Machine, slapd_on: Slapd, person: str
) -> None:
    machine.command("unlock", person)
    machine.writer.processes[-1].kill()
    machine.writer.processes[-1].wait(PATIENCE_S)
    count = len(machine.writer.processes)
    slapd_on.change(person, {"pwdAccountLockedTime": ["000001010000Z"]})
    done = machine.command("unlock", person)
    assert (done.returncode, slapd_on.values(person, "pwdAccountLockedTime")) == (0, []), (
        done.stderr
    )
    assert len(machine.writer.processes) == count + 1


@pytest.mark.parametrize("user", ["root", WRITES])
def test_the_writer_takes_no_order_of_anybody_else(machine: Machine, user: str) -> None:
    code = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); "
        "s.settimeout(20); s.connect(sys.argv[1]); print(s.recv(100))"
    )
    done = subprocess.run(
        as_user(user, sys.executable, "-c", code, machine.writer.path),
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert "b''" in done.stdout or "ConnectionReset" in done.stderr
    ended, said = machine.writer.ended()
    assert (ended, f"only {SERVES} may" in said) == (77, True)


def test_the_doctor_misses_a_helper_whose_socket_is_gone(machine: Machine) -> None:
    assert "root.sock is missing" not in machine.command("doctor").stdout
    hidden = machine.root.path.rename(machine.run / "hidden")
    try:
        said = machine.command("doctor").stdout
    finally:
        hidden.rename(machine.root.path)
    assert "root.sock is missing" in said
    assert "systemctl enable --now loginward-root.socket" in said
