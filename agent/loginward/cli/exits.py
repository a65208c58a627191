"""How a command ends: its exit code and its last words (sysexits.h where it has a number)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.wire.admin.rows import FailedRow, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DONE: Final = 0
REFUSED: Final = 1  # refused, unknown, some of a bulk failed, doctor found something
USAGE: Final = 2
UNREACHABLE: Final = 69  # EX_UNAVAILABLE: the daemon or the directory
FAULT: Final = 70  # EX_SOFTWARE
NOT_PERMITTED: Final = 77  # EX_NOPERM
BAD_CONFIGURATION: Final = 78  # EX_CONFIG
INTERRUPTED: Final = 130  # as a shell says of SIGINT
NO_READER: Final = 141  # as a shell says of SIGPIPE

OF: Final[Mapping[Problem, int]] = {
    Problem.UNKNOWN: REFUSED,
    Problem.REFUSED: REFUSED,
    Problem.NOT_PERMITTED: NOT_PERMITTED,
    Problem.UNAVAILABLE: UNREACHABLE,
    Problem.USAGE: USAGE,
    Problem.CONFIGURATION: BAD_CONFIGURATION,
    Problem.FAULT: FAULT,
}


class CommandFailed(Exception):  # noqa: N818  its text is the error that is shown
    """A command ends here, with an error and a hint on stderr.

    Attributes:
        hint: What to do next; empty where the error says it.
    """

    def __init__(self, error: str, hint: str = "", code: int = REFUSED) -> None:
        super().__init__(error)
        self.error = error
        self.hint = hint
        self.code = code


def failed(row: FailedRow) -> CommandFailed:
    """Return how a command ends that the daemon could not answer."""
    return CommandFailed(row.why, row.hint, OF[row.problem])


def of_bulk(problems: Sequence[Problem | None]) -> int:
    """Return the exit code of a bulk: that of the one problem that all had, else 1 if any had."""
    kinds = set(problems)
    if kinds <= {None}:
        return DONE
    alone = next(iter(kinds)) if len(kinds) == 1 else None
    return REFUSED if alone is None else OF[alone]
