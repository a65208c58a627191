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


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    for path in (*UNITS.glob("*.service"), *UNITS.glob("*.socket")):
        text = path.read_text().replace("@PREFIX@/bin/loginward", "/bin/true")
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


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
