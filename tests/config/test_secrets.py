"""Secrets are read only from files that nobody else can read or swap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loginward.config import read_secret
from loginward.config.secrets import as_given
from loginward.core.secret import Secret
from loginward.errors import ConfigError


def secret_file(folder: Path, content: bytes = b"hunter2\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\n"])
def test_the_line_end_is_no_part_of_it(tmp_path: Path, content: bytes) -> None:
    assert read_secret(secret_file(tmp_path, content), "k") == Secret(b"hunter2")


def test_spaces_and_any_octet_are_part_of_it(tmp_path: Path) -> None:
    assert read_secret(secret_file(tmp_path, b" \xff\t \n"), "k") == Secret(b" \xff\t ")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o602])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="chmod 0600") as caught:
        read_secret(secret_file(tmp_path, mode=mode), "directory.service_account.password_file")
    assert caught.value.path == "directory.service_account.password_file"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"a\0b", b"x" * 5000])
def test_a_content_that_is_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError):
        read_secret(secret_file(tmp_path, content), "k")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(secret_file(tmp_path))
    with pytest.raises(ConfigError, match="cannot be opened"):
        read_secret(link, "k")


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        read_secret(tmp_path / "pipe", "k")


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Root sees the owner refused; others cannot make such a file and see it cannot be opened."""
    path = secret_file(tmp_path)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        with pytest.raises(ConfigError, match="must belong to root"):
            read_secret(path, "k")
    else:
        path.chmod(0)
        with pytest.raises(ConfigError, match="cannot be opened"):
            read_secret(path, "k")


def test_a_credential_of_the_same_name_stands_for_a_file(tmp_path: Path, monkeypatch) -> None:
    """systemd.exec(5): what root alone may read reaches the daemon there."""
    file = Path("/etc/loginward/wifi.secret")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert as_given(file) == file
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert as_given(file) == file
    (tmp_path / "wifi.secret").write_text("x")
    assert as_given(file) == tmp_path / "wifi.secret"
