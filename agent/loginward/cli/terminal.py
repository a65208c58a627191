"""What reaches a terminal: clean texts, their widths, colours where they are wanted."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from typing import Final

_GAP: Final = re.compile(r"(?<! ) (?! )")  # wider gaps are there on purpose and stay
_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str) -> str:
    """Return a text without what could move a cursor, hide or turn around other text.

    Names, hosts and sources come from outside.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(c) in _HARMFUL else c for c in text)


def columns_of(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns_of_character(c) for c in text)


def _columns_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """Return a text filled up with blanks."""
    return text + " " * (columns - columns_of(text))


def wrap(text: str, columns: int | None) -> list[str]:
    """Return a text in lines of at most so many columns; None: one line, however long."""
    if columns is None or columns_of(text) <= columns:
        return [text]
    lines, line = [], ""
    for word in _GAP.split(text):
        longer = f"{line} {word}" if line else word
        if line and columns_of(longer) > columns:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def width() -> int | None:
    """Return the columns of the terminal; None where the output is no terminal: never wrap."""
    if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty():
        return max(20, shutil.get_terminal_size().columns)
    return None


def wants_colour() -> bool:
    """Return whether colours are shown: on a terminal, unless NO_COLOR is set (no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain
