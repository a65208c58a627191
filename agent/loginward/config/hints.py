"""Type hints as values: what a key may hold."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

Hint = Any  # it has no type of its own


def origin_of(kind: Hint) -> object:
    """Return what a hint is made from, such as `tuple` or `Literal`; None for a plain type."""
    return get_origin(kind)


def choices_of(kind: Hint) -> tuple[str, ...]:
    """Return the words that a key of this type may hold; empty if it is no choice."""
    if origin_of(kind) is Literal:
        return get_args(kind)
    if origin_of(kind) is tuple or is_optional(kind):
        return choices_of(get_args(kind)[0])
    return ()


def is_optional(kind: Hint) -> bool:
    """Return whether a key may be null."""
    return origin_of(kind) in {Union, types.UnionType}


def without_none(kind: Hint) -> Hint:
    """Return the type of a key that may be null, where it is not."""
    (bare,) = (argument for argument in get_args(kind) if argument is not types.NoneType)
    return bare
