"""A tree of nodes to the configuration's types; everything wrong is gathered, not only the first."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping as MappingABC
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from loginward.config import scalars
from loginward.config.document import Mapping, Node, Scalar, Sequence
from loginward.config.hints import Hint, choices_of, is_optional, origin_of, without_none
from loginward.config.problems import Place, Problem
from loginward.settings import Field, InvalidSettingError, Key, Section, fields_of

S = TypeVar("S", bound=Section)

MAX_PROBLEMS: Final = 100


class _Bad:
    """What stands for a value that was wrong."""


_BAD: Final = _Bad()


class Decoder:
    """Builds sections and gathers what is wrong with them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def section(self, kind: type[S], node: Node | None) -> S | None:
        """Return a section, or None if anything below it was wrong; None as a node: all defaults."""
        built = self._section(kind, node or Mapping(Place(), ()), "")
        return built if isinstance(built, kind) else None

    def complain(self, place: Place, path: str, message: str) -> None:
        """Keep one problem, at most so many that a person can read them."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(file=self._file, place=place, path=path, message=message))

    def _section(self, kind: type[Section], node: Node, path: str) -> Section | _Bad:
        if not isinstance(node, Mapping):
            self.complain(node.place, path, _expected_keys(kind, node))
            return _BAD
        fields = {field.name: field for field in fields_of(kind)}
        values: dict[str, Any] = {}
        for name, key, value in self._entries(node, path):
            field = fields.get(name)
            if field is None:
                self.complain(key.place, _join(path, name), _unknown(name, kind))
                values[name] = _BAD
            else:
                values[name] = self._field(field, value, _join(path, name))
        for field in fields.values():
            if field.is_required and field.name not in values:
                self.complain(node.place, _join(path, field.name), "is missing")
                values[field.name] = _BAD
        if any(value is _BAD for value in values.values()):
            return _BAD
        try:
            return kind(**values)
        except InvalidSettingError as error:
            self.complain(place_of(node, error.key), _join(path, error.key), error.problem)
            return _BAD

    def _entries(self, node: Mapping, path: str) -> list[tuple[str, Scalar, Node]]:
        """Return the keys with their values; a key that stands there twice is refused."""
        first: dict[str, Scalar] = {}
        entries = []
        for key, value in node.entries:
            known = first.setdefault(key.text, key)
            if known is not key:
                message = f"stands here twice; the first is in line {known.place.line}"
                self.complain(key.place, _join(path, key.text), message)
            else:
                entries.append((key.text, key, value))
        return entries

    def _field(self, field: Field, node: Node, path: str) -> object:
        value = self._value(field.type, field.key, node, path)
        if value is not _BAD:
            problem = field.key.problem_of(value)
            if problem is not None:
                self.complain(node.place, path, problem)
                return _BAD
        return value

    def _value(self, kind: Hint, key: Key, node: Node, path: str) -> object:
        if is_optional(kind):
            if isinstance(node, Scalar) and scalars.is_null(node):
                return None
            kind = without_none(kind)
        if isinstance(kind, type) and issubclass(kind, Section):
            return self._section(kind, node, path)
        if origin_of(kind) is tuple:
            return self._list(get_args(kind)[0], key, node, path)
        if origin_of(kind) is MappingABC:
            return self._mapping(get_args(kind)[1], key, node, path)
        return self._scalar(kind, key, node, path)

    def _list(self, kind: Hint, key: Key, node: Node, path: str) -> object:
        if key.alone and isinstance(node, Scalar):
            value = self._value(kind, key, node, path)
            return _BAD if value is _BAD else (value,)
        if not isinstance(node, Sequence):
            hint = key.example or "[one, two]"
            self.complain(node.place, path, f"expected a list such as {hint}")
            return _BAD
        values = [
            self._value(kind, key, item, f"{path}[{at}]") for at, item in enumerate(node.items)
        ]
        return _BAD if any(value is _BAD for value in values) else tuple(values)

    def _mapping(self, kind: Hint, key: Key, node: Node, path: str) -> object:
        if not isinstance(node, Mapping):
            hint = key.example or "{name: value}"
            self.complain(node.place, path, f"expected names with values such as {hint}")
            return _BAD
        values = {
            name: self._value(kind, key, value, _join(path, name))
            for name, _, value in self._entries(node, path)
        }
        bad = any(value is _BAD for value in values.values())
        return _BAD if bad else types.MappingProxyType(values)

    def _scalar(self, kind: Hint, key: Key, node: Node, path: str) -> object:
        if not isinstance(node, Scalar):
            what = "a list" if isinstance(node, Sequence) else "keys of its own"
            hint = f" such as {key.example}" if key.example else ""
            self.complain(node.place, path, f"expected one value{hint}, not {what}")
            return _BAD
        try:
            return _read_scalar(kind, node)
        except scalars.ExpectedError as error:
            self.complain(node.place, path, str(error))
            return _BAD


def _read_scalar(kind: Hint, node: Scalar) -> object:
    if choices := choices_of(kind):
        return scalars.read_choice(node, choices)
    if scalars.is_null(node):
        raise scalars.ExpectedError("must have a value here; leave the key out for the default")
    return _READERS[kind](node)


_READERS: Final = {
    bool: scalars.read_bool,
    int: scalars.read_whole,
    float: scalars.read_number,
    str: scalars.read_text,
    Path: lambda node: Path(scalars.read_text(node)),
    datetime: scalars.read_moment,
}


def _unknown(name: str, kind: type[Section]) -> str:
    known = [field.name for field in fields_of(kind)]
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"is no key; did you mean {close[0]}?"
    return f"is no key; known here are {', '.join(known)}"


def _expected_keys(kind: type[Section], node: Node) -> str:
    known = ", ".join(field.name for field in fields_of(kind))
    if isinstance(node, Scalar) and scalars.is_null(node):
        return f"must not be empty; leave it out for the defaults, or give some of {known}"
    return f"expected keys and values, of {known}"


def _join(path: str, name: str) -> str:
    name = "".join(c if c.isprintable() else "?" for c in name[:64])
    return f"{path}.{name}" if path and name else path or name


def place_of(node: Node, key: str) -> Place:
    """Return where a dotted key stands, or the nearest place above it that the file has."""
    place = node.place
    for step in key.replace("[", ".[").split("."):
        if isinstance(node, Mapping) and (entry := node.find(step)) is not None:
            place, node = entry[0].place, entry[1]
        elif isinstance(node, Sequence) and step.startswith("["):
            node = node.items[int(step[1:-1])]
            place = node.place
        else:
            break
    return place
