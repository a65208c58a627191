"""Every section of the configuration."""

from __future__ import annotations

from typing import Any, get_args

from loginward.settings import Section, Settings, fields_of


def every_section() -> list[type[Section]]:
    """Return all sections, each once, from the top."""
    found: dict[type[Section], None] = {}

    def walk(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, Section):
            if kind not in found:
                found[kind] = None
                for field in fields_of(kind):
                    walk(field.type)
        else:
            for argument in get_args(kind):
                walk(argument)

    walk(Settings)
    return list(found)
