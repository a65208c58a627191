"""The configuration's file to settings, with everything that is wrong in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.config.advice import warnings_of
from loginward.config.decode import Decoder, place_of
from loginward.config.document import MAX_OCTETS, Mapping, Node, UnreadableError, read_document
from loginward.config.files import check_files
from loginward.config.opening import UnfitFileError, problem_of_owner, read_checked
from loginward.config.problems import NOWHERE, BadConfigFileError, Place, Problem
from loginward.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_PATH: Final = Path("/etc/loginward/loginward.yaml")


def parse_config(text: str, file: str) -> tuple[Settings | None, list[Problem]]:
    """Return the settings that a text describes and what is wrong or unwise; pure.

    The settings are None exactly if one of the problems is no warning.
    """
    settings, problems, _ = _parse(text, file)
    return settings, problems


def check_config(
    path: Path | str, *, secrets: bool = True
) -> tuple[Settings | None, list[Problem]]:
    """Return the settings of a file and all that is wrong or unwise, the files it names included.

    The settings are None exactly if one of the problems is no warning. Nothing is raised.

    Args:
        secrets: Look at the files of secrets too, which root alone may be able to read.
    """
    file = str(path)
    try:
        text = _read(Path(path))
    except UnreadableError as error:
        return None, [Problem(file=file, place=error.place, path="", message=error.problem)]
    settings, problems, locate = _parse(text, file)
    if settings is not None:
        problems += [
            Problem(file=file, place=locate(error.path), path=error.path, message=error.problem)
            for error in check_files(settings, secrets=secrets)
        ]
    problems.sort(key=lambda problem: (problem.is_warning, problem.place))
    usable = all(problem.is_warning for problem in problems)
    return settings if usable else None, problems


def load_config(path: Path | str, *, secrets: bool = True) -> Settings:
    """Return the settings of a file.

    Args:
        secrets: As for `check_config`.

    Raises:
        BadConfigFileError: It cannot be used; the error holds every problem.
    """
    settings, problems = check_config(path, secrets=secrets)
    if settings is None:
        raise BadConfigFileError([problem for problem in problems if not problem.is_warning])
    return settings


def _parse(text: str, file: str) -> tuple[Settings | None, list[Problem], Callable[[str], Place]]:
    decoder = Decoder(file)
    try:
        root = read_document(text)
    except UnreadableError as error:
        decoder.complain(error.place, "", error.problem)
        return None, decoder.problems, lambda _: Place()
    if isinstance(root, Mapping) and root.find("schema") is None:
        decoder.complain(root.place, "schema", "is missing; the first line must be schema: 1")
    elif root is None:
        decoder.complain(Place(), "schema", "the file is empty; it must say schema: 1 at least")
    settings = decoder.section(Settings, root)
    if decoder.problems:
        return None, decoder.problems, lambda _: Place()
    assert settings is not None
    locate = _places(root)
    problems = [
        Problem(file=file, place=locate(path), path=path, message=message, is_warning=True)
        for path, message in warnings_of(settings)
    ]
    return settings, problems, locate


def _places(root: Node | None) -> Callable[[str], Place]:
    return lambda path: Place() if root is None else place_of(root, path)


def _read(path: Path) -> str:
    """Return a file's text; who can write it decides who gets in, so its mode is looked at."""
    try:
        octets = read_checked(path, MAX_OCTETS, _problem_of)
    except UnfitFileError as error:
        raise UnreadableError(NOWHERE, str(error)) from error
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise UnreadableError(Place(line), "is not UTF-8") from error


def _problem_of(status: os.stat_result) -> str:
    if status.st_mode & 0o022:
        mode = stat.S_IMODE(status.st_mode)
        return f"has mode {mode:04o}; others than its owner may change it: chmod go-w"
    return problem_of_owner(status)
