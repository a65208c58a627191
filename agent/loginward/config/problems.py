"""What is wrong with a configuration file, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a text; both count from 1."""

    line: int = 1
    column: int = 1


NOWHERE: Final = Place(0, 0)  # the file as a whole: it could not even be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong, or, as a warning, unwise.

    Attributes:
        path: Dotted, as in "doors.radius.clients[2].secret_file"; empty for the file as a whole.
        message: What is wrong and what is expected instead.
    """

    file: str
    place: Place
    path: str
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.is_warning else ""
        path = f"{self.path}: " if self.path else ""
        if self.place == NOWHERE:
            return f"{self.file}: {kind}{self.message}"
        return f"{self.file}:{self.place.line}:{self.place.column}: {kind}{path}{self.message}"


class BadConfigFileError(ConfigError):
    """A file that cannot be used, with everything that is wrong in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(first.path or first.file, first.message)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
