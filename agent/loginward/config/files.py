"""The files that the configuration names: there, readable, and secret where they must be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from loginward.config.secrets import check_secret_file
from loginward.errors import ConfigError
from loginward.settings import Section, Settings, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET = frozenset({"password_file", "secret_file", "key_file"})


def check_files(settings: Settings, *, secrets: bool = True) -> list[ConfigError]:
    """Return what is wrong with the files that the settings name, those of secrets if wanted."""
    problems = []
    for path, name, file in _files(settings, ""):
        try:
            if name in _SECRET:
                if secrets:
                    check_secret_file(file, path)
            else:
                _check_readable(file, path)
        except ConfigError as error:
            problems.append(error)
    return problems


def _files(section: Section, prefix: str) -> Iterator[tuple[str, str, Path]]:
    for field in fields_of(type(section)):
        value = getattr(section, field.name)
        path = f"{prefix}{field.name}"
        if isinstance(value, Path) and field.name.endswith("_file"):
            yield path, field.name, value
        elif isinstance(value, Section):
            yield from _files(value, f"{path}.")
        elif isinstance(value, tuple):
            for at, item in enumerate(value):
                if isinstance(item, Section):
                    yield from _files(item, f"{path}[{at}].")


def _check_readable(file: Path, path: str) -> None:
    try:
        os.close(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as error:
        raise ConfigError(path, f"{file} cannot be opened: {error.strerror}") from error
