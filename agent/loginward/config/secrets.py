"""Reading a secret from its file, only if nobody else can read or swap it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from loginward.config.opening import UnfitFileError, problem_of_owner, read_checked
from loginward.core.secret import Secret
from loginward.errors import ConfigError

MAX_OCTETS: Final = 4096
# systemd opens its credentials to one user by an ACL, whose mask shows as group bits (systemd.exec(5)).
_CREDENTIALS: Final = Path("/run/credentials")


def as_given(file: Path) -> Path:
    """Return the credential of systemd that stands for a secret's file, by its name; else the file."""
    given = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent")) / file.name
    return given if given.is_file() else file


def read_secret(file: Path, path: str) -> Secret:
    """Return the content of a secret's file without its last line end.

    Args:
        file: An absolute path; the file itself must not be a symbolic link.
        path: The key that names it, for errors.

    Raises:
        ConfigError: It cannot be read, or others than its owner could; the text holds no octet of it.
    """
    content = _read(file, path)
    secret = content.removesuffix(b"\n").removesuffix(b"\r")
    if not secret:
        raise ConfigError(path, f"{file} is empty")
    if len(secret) > MAX_OCTETS:
        raise ConfigError(path, f"{file} is longer than {MAX_OCTETS} octets")
    if b"\0" in secret or b"\n" in secret:
        raise ConfigError(path, f"{file} must hold one line without NUL")
    return Secret(secret)


def check_secret_file(file: Path, path: str) -> None:
    """Check who may read a secret's file (a private key, say) without keeping what it holds.

    Raises:
        ConfigError: As `read_secret`.
    """
    _read(file, path)


def _read(file: Path, path: str) -> bytes:
    def problem_of(status: os.stat_result) -> str:
        forbidden = 0o007 if _CREDENTIALS in file.parents else 0o077
        if status.st_mode & forbidden:
            mode = stat.S_IMODE(status.st_mode)
            return f"has mode {mode:04o}; others may read it: chmod 0600"
        return problem_of_owner(status)

    try:
        return read_checked(file, MAX_OCTETS, problem_of, os.O_NOFOLLOW)
    except UnfitFileError as error:
        raise ConfigError(path, f"{file} {error}") from error
