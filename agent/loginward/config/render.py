"""Settings back to YAML: what is in force, and the annotated file of defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from loginward.config.hints import choices_of
from loginward.config.scalars import is_ambiguous
from loginward.settings import Field, Section, Settings, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH: Final = 100


def to_plain(value: object) -> object:
    """Return settings as mappings, lists, texts and numbers, for JSON and YAML."""
    if isinstance(value, Section):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields_of(type(value))}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: to_plain(item) for name, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


def render_config(settings: Settings) -> str:
    """Return a file that says everything, defaults too, and reads back as the same settings."""
    return _dump(settings, flow=None, width=_WIDTH)


def example_text() -> str:
    """Return the annotated file: every key with its default and meaning, made from the types."""
    lines = [
        "# loginward: every key with its default. Keys that are left out have these values.",
        "# Names end in their unit: _s seconds, _d days. null means never or none.",
        "# Check with `loginward config check`, see what is in force with `loginward config show`.",
        "",
    ]
    lines += _section(Settings(), indent="")
    return "\n".join(lines) + "\n"


def _section(section: Section, indent: str) -> Iterator[str]:
    for field in fields_of(type(section)):
        value = getattr(section, field.name)
        if not indent and isinstance(value, Section):
            yield ""
        if isinstance(value, Section):
            yield f"{indent}{field.name}:{' ' * 2}# {field.key.meaning}"
            yield from _section(value, f"{indent}  ")
        else:
            yield from _key(field, value, indent)


def _key(field: Field, value: object, indent: str) -> Iterator[str]:
    start = f"{indent}{field.name}: {_inline(value)}"
    comment = f"# {'; '.join(_remarks(field))}"
    if len(start) + 2 + len(comment) <= _WIDTH:
        yield f"{start}  {comment}"
    else:
        yield f"{indent}{comment}"
        yield start
    if field.key.example and value in {None, ()}:
        yield f"{indent}# e.g. {field.name}: {field.key.example}"


def _remarks(field: Field) -> Iterator[str]:
    yield field.key.meaning
    choices = choices_of(field.type)
    if choices:
        yield " | ".join(choices)
    if field.key.null:
        yield f"null: {field.key.null}"


def _inline(value: object) -> str:
    text = _dump(value, flow=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...").removesuffix("...").strip()


class _Dumper(yaml.SafeDumper):
    """Quotes every text that our reader asks to be quoted."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if is_ambiguous(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _quoted)


def _dump(value: object, *, flow: bool | None, width: int) -> str:
    text: str = yaml.dump(
        to_plain(value),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=flow,
        width=width,
    )
    return text
