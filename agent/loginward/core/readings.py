"""What looking an account up gave; the law starts from one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts


@dataclass(frozen=True, slots=True)
class Fresh:
    """Read from the directory now, or watched and known current."""

    facts: AccountFacts


@dataclass(frozen=True, slots=True)
class Copy:
    """The directory cannot be asked; this is the last known copy."""

    facts: AccountFacts


@dataclass(frozen=True, slots=True)
class Unknown:
    """The directory has no such name, or said so when it was last asked."""


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """The directory cannot be asked and this host never knew the name."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """The directory cannot be asked and the copy cannot be used: tampered with, or store fault."""

    stage: str


Reading = Fresh | Copy | Unknown | NeverSeen | Unusable
