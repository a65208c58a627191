"""The entries of an import file, CSV or JSON, each with the line it starts on.

CSV as RFC 4180 with a header, comma separated; JSON as RFC 8259, one array of objects.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from loginward.directory.embedded import fields
from loginward.directory.embedded.exporting import FORMULA
from loginward.directory.embedded.fields import Format

WRITABLE: Final = ", ".join((*fields.KNOWN, *fields.TYPED_IN, "password_hash"))
_BLANK: Final = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong at one place of a file.

    Attributes:
        line: Counted from 1; the line the entry starts on.
        field: Empty where the whole line or file is meant.
        why: What is the matter and what to write instead.
        column: Counted from 1; 0 where the field says enough.
    """

    line: int
    field: str
    why: str
    column: int = 0

    def __str__(self) -> str:
        place = f"line {self.line}"
        if self.column:
            place += f", column {self.column}"
        if self.field:
            place += f", {self.field}"
        return f"{place}: {self.why}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One account as the file says it; its values may hold a password, so they are not shown."""

    line: int
    values: Mapping[str, object] = field(repr=False)


def read_entries(octets: bytes, form: Format) -> Iterator[Entry | LineProblem]:
    """Yield the entries and what cannot be read; a file that cannot be read on ends there."""
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        yield LineProblem(line, "", "is not UTF-8; save the file as UTF-8")
        return
    yield from _read_csv(text) if form is Format.CSV else _read_json(text)


def _read_csv(text: str) -> Iterator[Entry | LineProblem]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(reader, [])
        problem = _header_problem(header)
        if problem is not None:
            yield problem
            return
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                yield _csv_entry(line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        yield LineProblem(line, "", f"is no CSV ({error}); quote cells as RFC 4180 says")


def _header_problem(header: list[str]) -> LineProblem | None:
    unknown = [name for name in header if name not in fields.ALL]
    if unknown:
        return LineProblem(1, unknown[0][:40], f"is no column; the columns are {WRITABLE}")
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        return LineProblem(1, twice, "is there twice; keep one")
    if "username" not in header:
        return LineProblem(1, "username", "is missing; the first line names the columns")
    return None


def _csv_entry(line: int, header: list[str], cells: list[str]) -> Entry | LineProblem:
    if len(cells) != len(header):
        why = f"has {len(cells)} cells where the header has {len(header)}"
        return LineProblem(line, "", f"{why}; quote a cell that holds a comma")
    texts = (
        cell[1:] if name != "password" and FORMULA.match(cell) and cell[0] == "'" else cell
        for name, cell in zip(header, cells, strict=True)
    )
    return Entry(line, {name: text for name, text in zip(header, texts, strict=True) if text})


def _read_json(text: str) -> Iterator[Entry | LineProblem]:
    decoder = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_constant)
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        yield _broken(text, at, "a list of accounts starts with [")
        return
    at, line, counted = _skip(text, at + 1), 1, 0
    ended = text[at : at + 1] == "]"
    while not ended:
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            yield _broken(text, error.pos, error.msg)
            return
        except _TwiceError as error:
            yield LineProblem(line, error.name[:40], "is there twice; keep one")
            return
        except (ValueError, RecursionError):
            yield _broken(text, at, "this account holds a value that cannot be read")
            return
        yield _json_entry(line, value)
        at = _skip(text, at)
        ended = text[at : at + 1] == "]"
        if not ended and text[at : at + 1] != ",":
            yield _broken(text, at, "a comma or ] is expected")
            return
        at = at if ended else _skip(text, at + 1)
    rest = _skip(text, at + 1)
    if rest < len(text):
        yield _broken(text, rest, "nothing may follow the list")


class _TwiceError(ValueError):
    """A JSON object names a member twice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return members


def _json_entry(line: int, value: object) -> Entry | LineProblem:
    if not isinstance(value, dict):
        return LineProblem(line, "", 'is no account; write {"username": ...}')
    unknown = next((name for name in value if name not in fields.ALL), None)
    if unknown is not None:
        return LineProblem(line, unknown[:40], f"is no field; the fields are {WRITABLE}")
    return Entry(line, {k: v for k, v in value.items() if v is not None})


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()


def _broken(text: str, at: int, why: str) -> LineProblem:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return LineProblem(line, "", f"is no JSON: {why}", column)
