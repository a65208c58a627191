"""Waiting for what nothing announces."""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK_S = 0.02


def eventually(
    holds: Callable[[], bool], what: str | Callable[[], object], within_s: float = 10
) -> None:
    """Look until something holds.

    Args:
        holds: Whether it does.
        what: What is wrong if it never does, or returns what there is to see of it.
        within_s: The most to wait, seconds.
    """
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(LOOK_S)
