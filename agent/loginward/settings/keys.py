"""What every section of the configuration is made of: keys that say what they mean.

A field is `Annotated[type, Key("meaning", ...)]`; the configuration reference, the bounds and the
error texts all come from there. Building a section checks it, so that a wrong one does not exist.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, dataclass_transform, get_args, get_origin, get_type_hints


class InvalidSettingError(ValueError):
    """A section cannot be as it is.

    Attributes:
        key: The key inside the section, dotted if deeper; empty for the section as a whole.
        problem: What is wrong and what is expected instead.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}" if key else problem)
        self.key = key
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Key:
    """What one key means, for people and for the check of its value.

    Attributes:
        meaning: One line, without a full stop.
        at_least: Smallest number, or shortest list.
        at_most: Largest number, or longest list.
        example: How it may look in the file, where the default does not show it.
        null: What null means there.
        needs_restart: A running agent keeps the old value until it is started anew.
        opens: The section is there or not from one start to the next; each key inside it says for
            itself whether it needs a restart.
        alone: Of a list, or of the lists by name: a single entry may stand without brackets.
    """

    meaning: str
    at_least: float | None = None
    at_most: float | None = None
    example: str = ""
    null: str = ""
    needs_restart: bool = False
    opens: bool = False
    alone: bool = False

    def problem_of(self, value: object) -> str | None:
        """Return what is wrong with a value of the right type; None: nothing."""
        if isinstance(value, str | bytes) or value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._out_of_bounds(float(value), "")
        if isinstance(value, tuple):
            return self._out_of_bounds(float(len(value)), " entries")
        return None

    def _out_of_bounds(self, size: float, what: str) -> str | None:
        if self.at_least is not None and not size >= self.at_least:  # not: NaN has no order
            return f"must be at least {self.at_least:g}{what}"
        if self.at_most is not None and not size <= self.at_most:
            return f"must be at most {self.at_most:g}{what}"
        return None


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a section: its name, type without the annotation, default and meaning."""

    name: str
    type: Any
    default: object
    key: Key

    @property
    def is_required(self) -> bool:
        """Whether the file has to give it."""
        return self.default is dataclasses.MISSING


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Section:
    """A mapping of the configuration; its subclasses are frozen dataclasses."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for field in fields_of(type(self)):
            problem = field.key.problem_of(getattr(self, field.name))
            if problem is not None:
                raise InvalidSettingError(field.name, problem)
        self.check()

    def check(self) -> None:
        """Check the rules between keys.

        Raises:
            InvalidSettingError: A rule is broken.
        """


def fields_of(section: type[Section]) -> tuple[Field, ...]:
    """Return the keys of a section in the order of the file."""
    fields = _FIELDS.get(section)
    if fields is None:
        fields = _FIELDS[section] = _read_fields(section)
    return fields


_FIELDS: dict[type[Section], tuple[Field, ...]] = {}


def _read_fields(section: type[Section]) -> tuple[Field, ...]:
    hints = get_type_hints(section, include_extras=True)
    found = []
    for field in dataclasses.fields(section):  # type: ignore[arg-type]  # subclasses are dataclasses
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            raise TypeError(f"{section.__name__}.{field.name} says not what it means")
        bare, key = get_args(hint)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append(Field(field.name, bare, default, key))
    return tuple(found)
