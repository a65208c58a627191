"""A line on stderr that shows how far a long order is; nothing where stderr is no terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

    from loginward.wire.admin.rows import ProgressRow

BAR: Final = 24  # columns


class Bar:
    """Draws over itself; leaves an empty line behind."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._drawn = 0

    def show(self, progress: ProgressRow) -> None:
        """Draw how far it is and how fast it goes."""
        if self._is_shown:
            columns = shutil.get_terminal_size().columns
            text = drawn(progress)[: columns - 1]
            sys.stderr.write("\r" + text.ljust(self._drawn))
            sys.stderr.flush()
            self._drawn = len(text)

    def clear(self) -> None:
        """Wipe the line, so that something else can be printed."""
        if self._drawn:
            sys.stderr.write("\r" + " " * self._drawn + "\r")
            sys.stderr.flush()
            self._drawn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()


def drawn(progress: ProgressRow) -> str:
    """Return the line of a progress: step, bar, counts, rate and what is left."""
    part = progress.done / progress.total if progress.total else 1.0
    filled = int(BAR * min(1.0, part))
    line = (
        f"{progress.step} [{'#' * filled}{'.' * (BAR - filled)}] {progress.done}/{progress.total}"
    )
    if progress.per_s <= 0:
        return line
    left_s = (progress.total - progress.done) / progress.per_s
    return f"{line}, {progress.per_s:.0f}/s, {left_s:.0f} s left"
