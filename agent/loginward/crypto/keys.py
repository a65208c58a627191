"""The sealing key and the pepper: apart from each other and from the database.

Source: systemd.exec(5), LoadCredentialEncrypted= and $CREDENTIALS_DIRECTORY.
"""

from __future__ import annotations

import enum
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from loginward.crypto.tags import keyed
from loginward.errors import StoreFault

if TYPE_CHECKING:
    from pathlib import Path

KEY_OCTETS: Final = 32
SEALING: Final = "loginward.sealing"
PEPPER: Final = "loginward.pepper"


class KeySource(enum.Enum):
    """Where the keys come from (`keys.source`)."""

    FILE = "file"  # state_dir/keys, 0600
    CREDENTIAL = "credential"  # handed over by the service manager
    TPM2 = "tpm2"  # the same, sealed to the machine's TPM by the service manager


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the local store; no repr shows them.

    Attributes:
        sealing: Seals the rows.
        index: Keys of rows and names, so that the file shows neither.
        pepper: Mixed into passwords before Argon2id.
    """

    sealing: bytes = field(repr=False)
    index: bytes = field(repr=False)
    pepper: bytes = field(repr=False)


def load_keys(source: KeySource, directory: Path, *, create: bool) -> Keys:
    """Return the keys.

    Args:
        source: As configured.
        directory: state_dir/keys, or the credentials directory.
        create: Draw keys that do not exist (source `file` only): right for a new database, and
            never beside one that was sealed with a key now lost.

    Raises:
        StoreFault: A key is missing, readable by others, or not 32 octets.
    """
    if source is KeySource.FILE and create:
        _prepare(directory)
        for name in (SEALING, PEPPER):
            _create_key(directory / name)
    private = source is KeySource.FILE  # credentials are guarded by the service manager
    root = _read_key(directory / SEALING, private=private)
    pepper = _read_key(directory / PEPPER, private=private)
    return Keys(keyed(root, b"sealing"), keyed(root, b"index"), pepper)


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreFault(f"{directory}: {error.strerror}", "make state_dir writable") from error


def _create_key(path: Path) -> None:
    """Draw a key unless there is one; a crash leaves a whole key or none."""
    if os.path.lexists(path):
        return
    draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, os.urandom(KEY_OCTETS))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _link_unless_there(draft, path)
        draft.unlink()
        sync_directory(path.parent)
    except OSError as error:
        raise StoreFault(f"{path}: {error.strerror}", "make state_dir writable") from error


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first: its key holds


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: As the operating system says.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_key(path: Path, *, private: bool) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        remedy = "restore it from the backup, or remove the database beside it and start anew"
        raise StoreFault(f"{path}: {error.strerror}", remedy) from error
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise StoreFault(f"{path}: not a regular file", "restore the key")
        if private and (stat.S_IMODE(seen.st_mode) & 0o077 or seen.st_uid not in _trusted_uids()):
            raise StoreFault(f"{path}: others can read or replace it", f"chmod 0600 {path}")
        octets = os.read(descriptor, KEY_OCTETS + 1)
    finally:
        os.close(descriptor)
    if len(octets) != KEY_OCTETS:
        raise StoreFault(f"{path}: a key has {KEY_OCTETS} octets", "restore the key")
    return octets


def _trusted_uids() -> frozenset[int]:
    return frozenset({0, os.geteuid()})
