"""YAML text to a tree of nodes that know their place; nothing is interpreted yet.

Source: YAML 1.1 as libyaml parses it. Anchors, aliases, tags and several documents are refused:
a configuration that needs them hides what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import yaml

from loginward.config.problems import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH: Final = 24
MAX_OCTETS: Final = 1 << 20
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; `plain` if it stands without quotes."""

    place: Place
    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; a key may stand there twice."""

    place: Place
    entries: tuple[tuple[Scalar, Node], ...]

    def find(self, name: str) -> tuple[Scalar, Node] | None:
        """Return a key's node and its value's."""
        return next((entry for entry in self.entries if entry[0].text == name), None)


Node = Scalar | Sequence | Mapping


class UnreadableError(Exception):
    """The text is not the YAML that we read."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(problem)
        self.place = place
        self.problem = problem


def read_document(text: str) -> Node | None:
    """Return the tree of a text; None if it is empty.

    Raises:
        UnreadableError: It is no YAML, or holds what we refuse.
    """
    if len(text) > MAX_OCTETS:
        raise UnreadableError(Place(), f"is longer than {MAX_OCTETS} characters")
    reader = _Reader(_events(text))
    return reader.read_stream()


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, _LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place() if mark is None else Place(mark.line + 1, mark.column + 1)
        said = getattr(error, "problem", None) or "holds a character that YAML does not allow"
        raise UnreadableError(place, f"is not valid YAML: {said}") from error
    except (ValueError, OverflowError) as error:  # such as an escape beyond U+10FFFF
        raise UnreadableError(Place(), "is not valid YAML: a character cannot be") from error


class _Reader:
    """Turns events into nodes; depth is bounded so that no text can exhaust the stack."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._depth = 0

    def read_stream(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    _refuse(event, "holds a second document (---); one is expected")
                root = self._node(next(self._events))
        return root

    def _node(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.AliasEvent):
            _refuse(event, "aliases (*name) are not used here; write the value out")
        if getattr(event, "anchor", None) is not None:
            _refuse(event, "anchors (&name) are not used here; write the value out")
        if getattr(event, "tag", None) is not None:
            _refuse(event, "tags (!name) are not used here")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(_place(event), event.value, plain=event.style in {None, ""})
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(event, f"is nested more than {MAX_DEPTH} deep")
        node = self._collection(event)
        self._depth -= 1
        return node

    def _collection(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner))
            return Sequence(_place(event), tuple(items))
        entries = []
        while not isinstance(inner := next(self._events), yaml.MappingEndEvent):
            key = self._node(inner)
            if not isinstance(key, Scalar):
                _refuse(inner, "a key must be a single word")
            entries.append((key, self._node(next(self._events))))
        return Mapping(_place(event), tuple(entries))


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place() if mark is None else Place(mark.line + 1, mark.column + 1)


def _refuse(event: yaml.Event, problem: str) -> NoReturn:
    raise UnreadableError(_place(event), problem)
