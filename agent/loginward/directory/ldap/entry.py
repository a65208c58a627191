"""One entry as read: octets by attribute name, never what a library guessed them to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.directory.ldap import generalized_time

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a search.

    Attributes:
        values: By attribute name in lower case.
        controls: OIDs of the controls that came with this entry.
    """

    dn: str
    values: dict[str, tuple[bytes, ...]]
    controls: frozenset[str] = field(default=frozenset())

    def texts(self, name: str) -> tuple[str, ...]:
        """Return every value; undecodable octets replaced."""
        return tuple(v.decode(errors="replace") for v in self.values.get(name.lower(), ()))

    def text(self, name: str) -> str:
        """Return the first value, or nothing."""
        return next(iter(self.texts(name)), "")

    def number(self, name: str) -> int | None:
        """Return a whole number; None where absent or not one."""
        try:
            return int(self.text(name))
        except ValueError:
            return None

    def flag(self, name: str) -> bool:
        """Return whether it is TRUE."""
        return self.text(name).upper() == "TRUE"

    def moments(self, name: str) -> tuple[datetime, ...]:
        """Return the values that are points in time, sorted (aware UTC)."""
        return tuple(
            sorted(m for t in self.texts(name) if (m := generalized_time.parse(t)) is not None)
        )

    def moment(self, name: str) -> datetime | None:
        """Return the first point in time; None where absent or not one."""
        return next(iter(self.moments(name)), None)
