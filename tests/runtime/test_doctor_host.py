"""The checks of a host's files: each hole is found on a sample that has just that one."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from loginward.runtime import doctor_host as host


def checks(found: object) -> list[str]:
    return [one.check for one in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("UsePAM yes\n", 0, id="yes"),
        pytest.param("UsePAM no\n", 1, id="no"),
        pytest.param("Port 22\n", 1, id="upstream-default-is-no"),
        pytest.param("usepam=yes\nUsePAM no\n", 0, id="the-first-counts"),
        pytest.param("#UsePAM yes\n", 1, id="comment"),
        pytest.param("Match User x\nUsePAM yes\n", 1, id="not-in-a-match"),
        pytest.param("Include sshd_config.d/*.conf\nUsePAM yes\n", 1, id="include-first"),
    ],
)
def test_sshd_that_asks_no_pam_is_found(tmp_path: Path, text: str, found: int) -> None:
    (tmp_path / "sshd_config.d").mkdir()
    (tmp_path / "sshd_config.d/a.conf").write_text("UsePAM no\n")
    (tmp_path / "sshd_config").write_text(text)
    assert checks(host.sshd(tmp_path / "sshd_config")) == ["sshd-usepam"] * found


def test_no_sshd_is_no_finding(tmp_path: Path) -> None:
    assert checks(host.sshd(tmp_path / "sshd_config")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("loginward-known 1\nend 0\n", 0, id="empty"),
        pytest.param("loginward-known 1\nann\t1000\nend 1\n", 0, id="one"),
        pytest.param("loginward-known 1\nann\t1000\n", 1, id="cut"),
        pytest.param("loginward-known 1\nann\t1000\nend 2\n", 1, id="a-line-is-gone"),
        pytest.param("loginward-known 1\nann\nend 1\n", 1, id="no-uid"),
        pytest.param("loginward-known 9\nend 0\n", 1, id="another-form"),
        pytest.param("", 1, id="nothing"),
        pytest.param(None, 1, id="absent"),
    ],
)
def test_a_marker_that_the_module_rejects_is_found(
    tmp_path: Path, text: str | None, found: int
) -> None:
    if text is not None:
        (tmp_path / "known").write_text(text)
        (tmp_path / "known").chmod(0o644)
    assert checks(host.marker(tmp_path)) == ["marker"] * found


@pytest.mark.parametrize(
    ("name", "mode", "found"),
    [
        pytest.param("store.sqlite", 0o600, 0, id="closed"),
        pytest.param("store.sqlite", 0o640, 1, id="database-readable"),
        pytest.param("keys/loginward.pepper", 0o644, 1, id="key-readable"),
        pytest.param("keys", 0o755, 1, id="keys-open"),
        pytest.param(".", 0o777, 1, id="state-writable"),
    ],
)
def test_open_state_is_found(tmp_path: Path, name: str, mode: int, found: int) -> None:
    state = tmp_path / "state"
    for folder, of in ((state, 0o755), (state / "keys", 0o700), (state / "events", 0o700)):
        folder.mkdir()
        folder.chmod(of)
    for file in ("store.sqlite", "keys/loginward.pepper"):
        (state / file).touch(0o600)
    (state / name).chmod(mode)
    assert checks(host.state_files(state)) == ["state"] * found


def test_a_secret_that_others_read_is_found(tmp_path: Path) -> None:
    (tmp_path / "good").touch(0o600)
    (tmp_path / "bad").touch()
    (tmp_path / "bad").chmod(0o644)
    files = [tmp_path / name for name in ("good", "bad", "absent")]
    assert [one.text.split(":")[0].split()[0] for one in host.secrets(files)] == [
        str(tmp_path / "bad"),
        str(tmp_path / "absent"),
    ]


def test_a_helper_that_cannot_be_reached_is_found(tmp_path: Path) -> None:
    """Else an unlock would leave pam_faillock's tally, and nobody would know why."""
    with socket.socket(socket.AF_UNIX) as root:
        root.bind(str(tmp_path / "root.sock"))
        given = [str(tmp_path / "root.sock"), str(tmp_path / "writer.sock"), None]
        (found,) = host.helpers(given)
    assert "writer.sock is missing" in found.text
    assert found.hint == "systemctl enable --now loginward-writer.socket"


def test_a_socket_that_is_none_is_found(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    owners = frozenset({os.geteuid()})
    (tmp_path / "login.sock").touch()
    with socket.socket(socket.AF_UNIX) as admin:
        admin.bind(str(tmp_path / "admin.sock"))
        (tmp_path / "admin.sock").chmod(0o666)
        (found,) = host.sockets(tmp_path, owners)
        assert "login.sock is not ours" in found.text
        (tmp_path / "admin.sock").chmod(0o600)
        (tmp_path / "login.sock").unlink()
        tmp_path.chmod(0o777)
        texts = " ".join(one.text for one in host.sockets(tmp_path, owners))
    tmp_path.chmod(0o755)
    for part in ("written by others", "login.sock is missing", "cannot be opened by all"):
        assert part in texts


@pytest.mark.parametrize(
    ("shadow", "key", "found"),
    [
        pytest.param("root:$y$x:1::::::\n", "", 0, id="a-password"),
        pytest.param("root:*:1::::::\n", "", 1, id="none"),
        pytest.param("root:!$y$x:1::::::\n", "", 1, id="locked"),
        pytest.param("root:*:1::::::\n", "ssh-ed25519 x", 0, id="a-key"),
        pytest.param("root:*:1::::::\nrescue:$y$x:1::::::\n", "", 0, id="another-exempt-user"),
        pytest.param("root:*:1::::::\nann:$y$x:1::::::\n", "", 1, id="not-exempt"),
    ],
)
def test_no_break_glass_account_is_found(tmp_path: Path, shadow: str, key: str, found: int) -> None:
    """security.md and R63: somebody must get in when everything else fails."""
    (tmp_path / "shadow").write_text(shadow)
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "root/.ssh").mkdir(parents=True)
    (tmp_path / "root/.ssh/authorized_keys").write_text(key)
    exempt = {"root", "rescue"}
    assert checks(host.break_glass(exempt, tmp_path, tmp_path)) == ["break-glass"] * found
