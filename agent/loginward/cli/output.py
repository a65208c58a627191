"""Printing: JSON lines for programs; facts, tables and notes for people."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Final

import click
import msgspec

from loginward.cli.terminal import clean, columns_of, pad, wants_colour, width, wrap
from loginward.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
MEASURED: Final = 1000  # rows looked at for a table's widths; later ones may stick out
NARROW: Final = 20  # columns that the last column of a table needs
GAP: Final = 2


class Output:
    """Where a command prints.

    Attributes:
        as_json: Print rows as the wire carries them, one object a line.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._colour = wants_colour()
        self._width = width()

    def row(self, row: msgspec.Struct) -> None:
        """Print a row as JSON, with all keys; a secret in it is one that is to be shown."""
        sys.stdout.write(msgspec.json.encode(row, enc_hook=_shown).decode() + "\n")
        sys.stdout.flush()

    def line(self, text: str = "") -> None:
        """Print a line for a person."""
        click.echo(clean(text))

    def styled(self, text: str, colour: str) -> str:
        """Return a clean text in a colour, where colours are shown."""
        return click.style(clean(text), fg=colour) if self._colour else clean(text)

    def headline(self, text: str, colour: str, beside: str = "") -> None:
        """Print a line in a colour, and beside it, or below where there is no room, another."""
        fits = self._width is None or columns_of(text) + 3 + columns_of(beside) <= self._width
        gap = "   " if fits else "\n  "
        self.raw(self.styled(text, colour) + (gap + clean(beside) if beside else ""))

    def raw(self, text: str) -> None:
        """Print a text that is clean already."""
        click.echo(text, color=self._colour)

    def facts(self, facts: Iterable[tuple[str, str]], indent: str = "  ") -> None:
        """Print names and what there is to say of them, wrapped under themselves."""
        known = [(clean(name), clean(text)) for name, text in facts]
        first = max((columns_of(name) for name, _ in known), default=0)
        room = self._room(columns_of(indent) + first + GAP)
        for name, text in known:
            for at, line in enumerate(wrap(text, room)):
                label = pad(name if at == 0 else "", first + GAP)
                click.echo(f"{indent}{label}{line}".rstrip())

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str]], colours: Sequence[str | None] = ()
    ) -> int:
        """Print rows under their heads, fitted to the terminal; return how many there were.

        Args:
            head: The heads of the columns.
            rows: Printed as they arrive, after the first thousand are measured.
            colours: By row, for the last but one column; may be filled while rows are taken.
        """
        source = iter(rows)
        measured = [[clean(cell) for cell in row] for row in itertools.islice(source, MEASURED)]
        if not measured:
            return 0
        widths = [max(map(columns_of, column)) for column in zip(head, *measured, strict=True)]
        room = self._room(1 + sum(w + GAP for w in widths[:-1]))
        stacked = room is not None and room < min(NARROW, widths[-1])
        if not stacked:
            self._cells(list(head), widths, room, None)
        count = 0
        for cells in itertools.chain(measured, ([clean(cell) for cell in row] for row in source)):
            colour = colours[count] if count < len(colours) else None
            if stacked:
                self._stack(head, cells)
            else:
                self._cells(cells, widths, room, colour)
            count += 1
        return count

    def _room(self, taken: int) -> int | None:
        return None if self._width is None else max(10, self._width - taken)

    def _cells(
        self, cells: list[str], widths: list[int], room: int | None, colour: str | None
    ) -> None:
        padded = [pad(cell, w + GAP) for cell, w in zip(cells[:-1], widths[:-1], strict=True)]
        if colour is not None and self._colour:
            padded[-1] = click.style(padded[-1], fg=colour)
        indent = " " * (1 + sum(w + GAP for w in widths[:-1]))
        for at, line in enumerate(wrap(cells[-1], room)):
            before = " " + "".join(padded) if at == 0 else indent
            click.echo(f"{before}{line}".rstrip(), color=self._colour)

    def _stack(self, head: Sequence[str], cells: list[str]) -> None:
        """Print a row as a small block, its last cell without a label."""
        click.echo(cells[0])
        named = [*head[1:-1], ""]
        self.facts([(h, c) for h, c in zip(named, cells[1:], strict=True) if c])


def _shown(value: object) -> str:
    """Write a secret that is printed on purpose, such as a new activation token."""
    if isinstance(value, Secret):
        return value.reveal().decode("utf-8", "backslashreplace")
    raise NotImplementedError(type(value).__name__)


def warn(text: str) -> None:
    """Print a line on stderr that is not an error."""
    click.echo(f"loginward: note: {clean(text)}", err=True)


def complain(error: str, hint: str = "") -> None:
    """Print an error and, where there is one, a hint on stderr."""
    click.echo(f"loginward: error: {clean(error)}", err=True)
    if hint:
        click.echo(f"loginward: hint: {clean(hint)}", err=True)
