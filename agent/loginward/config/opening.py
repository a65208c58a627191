"""Reading a file whose owner and mode decide whether it may be trusted."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class UnfitFileError(Exception):
    """A file cannot be used; the text says why, without its name."""


def read_checked(
    file: Path, max_octets: int, problem_of: Callable[[os.stat_result], str], flags: int = 0
) -> bytes:
    """Return a regular file's content, at most one octet more than `max_octets`.

    Args:
        problem_of: What is wrong with the open file's owner and mode; empty: nothing. The open
            file is looked at, not its name, so that nobody can swap it in between.
        flags: Further flags of open(2).

    Raises:
        UnfitFileError: It cannot be read, is not regular, or has a problem.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | flags)
    except OSError as error:
        raise UnfitFileError(f"cannot be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnfitFileError("is not a regular file")
        problem = problem_of(status)
        if problem:
            raise UnfitFileError(problem)
        return _read_up_to(descriptor, max_octets + 1)
    except OSError as error:
        raise UnfitFileError(f"cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def problem_of_owner(status: os.stat_result) -> str:
    """Return what is wrong with a file's owner; empty: nothing."""
    if status.st_uid not in {0, os.geteuid()}:
        return "must belong to root or to the user of the agent"
    return ""


def _read_up_to(descriptor: int, octets: int) -> bytes:
    content = bytearray()
    while len(content) < octets and (chunk := os.read(descriptor, octets - len(content))):
        content += chunk
    return bytes(content)
