"""The units, as systemd reads them."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "packaging/systemd"


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(UNITS / name)
    return parsed


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The units, of programs that are there."""
    for path in (*UNITS.glob("*.service"), *UNITS.glob("*.socket")):
        text = path.read_text()
        for program in ("loginward", "python"):
            text = text.replace(f"@PREFIX@/bin/{program}", "/bin/true")
        (tmp_path / path.name).write_text(text)
    return tmp_path


def analyzed(*words: str | Path, units: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words],
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_finds_nothing_wrong(copies: Path) -> None:
    done = analyzed("verify", "--man=no", *sorted(copies.iterdir()), units=copies)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(path.name for path in UNITS.glob("*.service")))
def test_what_a_service_may_is_little(copies: Path, name: str) -> None:
    """systemd's own measure: 10 is everything, 2 is what it calls well protected."""
    done = analyzed("security", "--offline=yes", "--threshold=20", copies / name, units=copies)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_needs_root_is_one_process_for_one_caller() -> None:
    """security.md 12: a closed list of verbs, asked for by the daemon's user alone."""
    socket, service = unit("loginward-root.socket")["Socket"], unit("loginward-root@.service")
    assert socket["Accept"] == "yes"
    assert (socket["SocketUser"], socket["SocketGroup"]) == ("root", "loginward")
    assert socket["SocketMode"] == "0660"
    assert service["Service"]["StandardInput"] == "socket"
    command = service["Service"]["ExecStart"]
    assert command == "@PREFIX@/bin/python -I -m loginward.host.roothelper loginward"
    assert service["Service"]["CapabilityBoundingSet"] == "CAP_DAC_OVERRIDE CAP_AUDIT_WRITE"
    assert service["Service"]["PrivateNetwork"] == "yes"
    # What bounds it is counted there from one question to the next, out of the daemon's reach.
    assert service["Service"]["RuntimeDirectory"] == "loginward-root"
    assert service["Service"]["RuntimeDirectoryMode"] == "0700"
    assert service["Service"]["RuntimeDirectoryPreserve"] == "yes"
    daemon = unit("loginward.service")["Service"]["Environment"]
    assert socket["ListenSequentialPacket"] == "/run/loginward/root.sock"
    assert "LOGINWARD_WRITER_SOCKET=/run/loginward/writer.sock" in daemon


def test_the_admin_account_is_out_of_the_daemons_reach() -> None:
    """security.md 12: read by a process of a user of its own, by no other unit."""
    socket, service = unit("loginward-writer.socket")["Socket"], unit("loginward-writer@.service")
    assert socket["ListenSequentialPacket"] == "/run/loginward/writer.sock"
    assert (socket["SocketGroup"], socket["SocketMode"]) == ("loginward", "0660")
    assert service["Service"]["User"] == "loginward-writer"
    assert service["Service"]["CapabilityBoundingSet"] == ""
    reads = {
        path.name
        for path in UNITS.glob("*.service")
        if "LoadCredential=admin.secret:" in path.read_text()
    }
    assert reads == {"loginward-writer@.service"}
    # The group loginward-admin is of people who may do everything: no process is in it.
    assert 'u loginward-writer - "' in (UNITS / "sysusers.conf").read_text()
    assert "\nm " not in (UNITS / "sysusers.conf").read_text()


@pytest.mark.parametrize("name", ["loginward.service", "loginward-writer@.service"])
def test_a_missing_service_account_starts_the_service_all_the_same(name: str) -> None:
    """systemd.exec(5): a SetCredential of the same name is what a missing file falls back to."""
    text = (UNITS / name).read_text()
    assert "\nLoadCredential=bind.secret:/etc/loginward/bind.secret\n" in text
    assert "\nSetCredential=bind.secret:\\n\n" in text


def test_the_daemon_is_nobody_special() -> None:
    """security.md 12, 25: never root, no capability, no core, no swap."""
    service = unit("loginward.service")["Service"]
    assert service["User"] == "loginward"
    assert service["CapabilityBoundingSet"] == ""
    assert service["NoNewPrivileges"] == "yes"
    assert service["LimitCORE"] == "0"
    assert service["MemorySwapMax"] == "0"
    assert service["Type"] == "notify"
    assert "ProtectProc" not in service  # the real uid of who asks is read from /proc
    assert "RuntimeDirectory" not in service  # it would give the sockets' folder to the daemon


@pytest.mark.parametrize(
    ("name", "called"),
    [("loginward.socket", "login"), ("loginward-admin.socket", "admin")],
)
def test_sockets_belong_to_root_and_open_to_all(name: str, called: str) -> None:
    """Decisions 0004 and 0020: the mode is no barrier, the kernel's word on the peer is."""
    socket = unit(name)["Socket"]
    assert socket["SocketUser"] == "root"
    assert socket["SocketGroup"] == "root"
    assert socket["SocketMode"] == "0666"
    assert socket["FileDescriptorName"] == called
    assert socket["DirectoryMode"] == "0755"
