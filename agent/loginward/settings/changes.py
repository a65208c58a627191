"""What of a new configuration can be taken into force while the agent runs. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from loginward.settings.keys import Section, fields_of
from loginward.settings.site import Settings

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True)
class Change:
    """From the settings in force to those of a file.

    Attributes:
        settings: The file's, but for what needs a restart, which stays as it was.
        changed: Dotted paths of the keys that the file changes and that are in `settings`.
        needs_restart: Those that it changes and that are not.
    """

    settings: Settings
    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


def change_between(old: Settings, new: Settings) -> Change:
    """Return what to take into force.

    Raises:
        InvalidSettingError: What can be taken contradicts what has to stay: restart instead.
    """
    changed: list[str] = []
    needs_restart: list[str] = []
    settings = _taken(old, new, "", changed, needs_restart)
    return Change(settings, tuple(changed), tuple(needs_restart))


def _taken(old: S, new: S, prefix: str, changed: list[str], needs_restart: list[str]) -> S:
    """Return the new section with the old value of each key that needs a restart."""
    kept: dict[str, object] = {}
    for field in fields_of(type(new)):
        before, after = getattr(old, field.name), getattr(new, field.name)
        path = f"{prefix}{field.name}"
        if before == after:
            continue
        opened = field.key.opens and (before is None or after is None)
        if field.key.needs_restart or opened:
            kept[field.name] = before
            needs_restart.append(path)
        elif isinstance(before, Section) and type(before) is type(after):
            kept[field.name] = _taken(before, after, f"{path}.", changed, needs_restart)
        else:
            changed.append(path)
    return replace(new, **kept) if kept else new  # type: ignore[type-var]  # all are dataclasses
