"""Checks of this host's files: sshd, the marker, modes and owners, who gets in when all else fails.

Each takes the files it looks at, so that samples of them prove it. Source: sshd_config(5), shadow(5).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.store.known import HEADER, MARKER
from loginward.wire.admin.rows import FindingRow, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PRIVATE: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_DEPTH: Final = 8


def problem(check: str, text: str, hint: str) -> FindingRow:
    """Return a finding that has to be mended."""
    return FindingRow(check=check, level=Level.PROBLEM, text=text, hint=hint)


def warning(check: str, text: str, hint: str) -> FindingRow:
    """Return a finding that should be known."""
    return FindingRow(check=check, level=Level.WARNING, text=text, hint=hint)


def sshd(config: Path) -> Iterator[FindingRow]:
    """Find an sshd that does not ask PAM; no file, no sshd."""
    if not config.is_file():
        return
    used = next((value for key, value in _sshd_lines(config) if key == "usepam"), "no")
    if used.lower() != "yes":
        yield problem(
            "sshd-usepam", f"{config}: UsePAM is not yes, so sshd asks nobody", "set UsePAM yes"
        )


def _sshd_lines(file: Path, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield keywords in lower case with their values, up to the first Match of each file."""
    for raw in file.read_text("utf-8", "replace").splitlines():
        key, _, value = raw.strip().replace("=", " ", 1).replace("\t", " ").partition(" ")
        key, value = key.lower(), value.strip().strip('"')
        if key == "match":
            return
        if key == "include" and depth < _DEPTH:
            for pattern in value.split():
                base, glob = (
                    (Path("/"), pattern[1:]) if pattern[0] == "/" else (file.parent, pattern)
                )
                for included in sorted(base.glob(glob)):
                    yield from _sshd_lines(included, depth + 1)
        elif key and not key.startswith("#"):
            yield key, value


def marker(state_dir: Path) -> Iterator[FindingRow]:
    """Find a marker that the module would not believe: then it refuses everybody but root."""
    file = state_dir / MARKER
    hint = "restart the daemon: it writes the file anew"
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        yield problem("marker", f"{file} is missing: with the daemon down all are refused", hint)
        return
    except UnicodeDecodeError:
        text = ""
    if not _is_well_formed(text):
        yield problem("marker", f"{file} is cut or damaged", hint)
    elif stat.S_IMODE(file.stat().st_mode) & 0o444 != 0o444:
        yield problem("marker", f"{file} cannot be read by everybody's PAM", f"chmod 0644 {file}")


def _is_well_formed(text: str) -> bool:
    lines = text.split("\n")
    if len(lines) < 3 or lines[0] != HEADER or lines[-1] or lines[-2] != f"end {len(lines) - 3}":
        return False
    named = [line.split("\t") for line in lines[1:-2]]
    return all(len(one) == 2 and one[0] and one[1].isdecimal() for one in named)


def state_files(state_dir: Path) -> Iterator[FindingRow]:
    """Find what others may read or write of what the agent keeps."""
    seen = state_dir.stat()
    if seen.st_mode & _OTHERS_WRITE:
        yield problem("state", f"{state_dir} can be written by others", f"chmod 0755 {state_dir}")
    private = [state_dir / "keys", state_dir / "events", *_files(state_dir)]
    for path in private:
        if not path.exists():
            continue
        found = path.stat(follow_symlinks=False)
        if found.st_mode & _PRIVATE:
            yield problem("state", f"{path} is open to others", f"chmod go= {path}")
        if found.st_uid not in {0, seen.st_uid}:
            yield problem("state", f"{path} belongs to another user", f"chown it like {state_dir}")


def _files(state_dir: Path) -> list[Path]:
    found = [path for path in state_dir.iterdir() if path.is_file() and path.name != MARKER]
    if os.access(state_dir / "keys", os.R_OK | os.X_OK):
        found += [path for path in (state_dir / "keys").iterdir() if path.is_file()]
    return sorted(found)


def secrets(files: Iterable[Path]) -> Iterator[FindingRow]:
    """Find secrets that others can read, or that are not there."""
    for file in files:
        try:
            seen = file.stat()
        except OSError as error:
            yield problem("secrets", f"{file}: {error.strerror}", "write it, mode 0600")
            continue
        if seen.st_mode & _PRIVATE:
            yield problem("secrets", f"{file} is open to others", f"chmod 0600 {file}")


def sockets(runtime_dir: Path, owners: frozenset[int]) -> Iterator[FindingRow]:
    """Find sockets that are missing, or that another program could have put there.

    Args:
        owners: Whose they may be: root's and the daemon's uid.
    """
    seen = runtime_dir.stat()
    if seen.st_mode & _OTHERS_WRITE or seen.st_uid not in owners:
        yield problem(
            "sockets",
            f"{runtime_dir} can be written by others",
            f"chown root {runtime_dir}; chmod 0755 {runtime_dir}",
        )
    for name in ("login.sock", "admin.sock"):
        path = runtime_dir / name
        try:
            found = path.stat(follow_symlinks=False)
        except FileNotFoundError:
            yield problem("sockets", f"{path} is missing", "systemctl restart loginward.socket")
            continue
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid not in owners:
            yield problem("sockets", f"{path} is not ours", "remove it and restart loginward")
        elif stat.S_IMODE(found.st_mode) & 0o666 != 0o666:
            yield problem("sockets", f"{path} cannot be opened by all", f"chmod 0666 {path}")


def helpers(given: Iterable[str | None]) -> Iterator[FindingRow]:
    """Find that a helper which systemd should start has no socket to be reached at.

    Args:
        given: The sockets that the daemon was told; None: it forked that helper, or has none.
    """
    for path in (Path(one) for one in given if one):
        if not path.is_socket():
            yield problem(
                "helpers",
                f"{path} is missing: what its helper does is not done",
                f"systemctl enable --now loginward-{path.stem}.socket",
            )


def break_glass(exempt: Iterable[str], etc: Path, root: Path) -> Iterator[FindingRow]:
    """Find that nobody gets in when everything else fails.

    Args:
        etc: Holds passwd and shadow.
        root: What the homes of passwd lie below; / on a real host.
    """
    hashes = dict(_fields(etc / "shadow", 1))
    homes = dict(_fields(etc / "passwd", 5))
    for name in {"root", *exempt}:
        if hashes.get(name, "").startswith("$"):
            return
        keys = root / homes.get(name, "/nonexistent").lstrip("/") / ".ssh/authorized_keys"
        if keys.is_file() and keys.stat().st_size:
            return
    yield problem(
        "break-glass",
        "no exempt user has a password or an SSH key: a fault could lock everybody out",
        "passwd root, or name another in policy.exempt_users",
    )


def _fields(file: Path, at: int) -> Iterator[tuple[str, str]]:
    for line in file.read_text("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) > at:
            yield fields[0], fields[at]
