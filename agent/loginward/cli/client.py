"""Asking the daemon over admin.sock."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, TypeVar

from loginward.cli.exits import FAULT, CommandFailed, failed
from loginward.cli.sockets import connect, received
from loginward.errors import ProtocolError
from loginward.wire.admin.lines import Lines, decode_row, encode_line, pieces
from loginward.wire.admin.rows import BeganRow, EndRow, FailedRow

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from loginward.wire.admin.requests import AnyRequest
    from loginward.wire.admin.rows import AnyRow

ANSWER_S: Final = 30.0  # between two rows; a directory has 2.5 s, a file of hashes shows progress

_Row = TypeVar("_Row")


class Answer:
    """The rows of an answer, once it has begun.

    Attributes:
        now: The time that the daemon believes.
    """

    def __init__(self, now: datetime, rows: Iterator[AnyRow]) -> None:
        self.now = now
        self._rows = rows

    def __iter__(self) -> Iterator[AnyRow]:
        return self._rows

    def of(self, *kinds: type[_Row]) -> Iterator[_Row]:
        """Yield the rows, all of these types.

        Raises:
            CommandFailed: One is not, so the daemon is of another version.
        """
        for row in self._rows:
            if not isinstance(row, kinds):
                raise other_version()
            yield row

    def one(self, kind: type[_Row]) -> _Row:
        """Return the only row.

        Raises:
            CommandFailed: There is none, or not of that type.
        """
        found = list(self.of(kind))
        if len(found) != 1:
            raise other_version()
        return found[0]


class Client:
    """Asks the daemon whose sockets lie in a folder; one connection a question."""

    def __init__(self, runtime_dir: Path) -> None:
        self._path = runtime_dir / "admin.sock"

    def ask(
        self, request: AnyRequest, file: bytes = b"", wait_s: float | None = ANSWER_S
    ) -> Answer:
        """Return the answer as it arrives.

        Args:
            request: The question or order.
            file: What follows an ImportUsers.
            wait_s: How long to wait for a row; None: for ever.

        Raises:
            CommandFailed: The daemon does not answer, or refuses; also while rows are taken.
        """
        rows = self._rows(request, file, wait_s)
        first = next(rows)
        if not isinstance(first, BeganRow):
            raise other_version()
        return Answer(first.now, rows)

    def _rows(self, request: AnyRequest, file: bytes, wait_s: float | None) -> Iterator[AnyRow]:
        with connect(self._path) as connection:
            connection.settimeout(wait_s)
            # A daemon that refuses at once hangs up while we still send; its answer says why.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                _send(connection, request, file)
            yield from _received(connection)


def _send(connection: socket.socket, request: AnyRequest, file: bytes) -> None:
    connection.sendall(encode_line(request))
    for piece in pieces(file):
        connection.sendall(encode_line(piece))


def _received(connection: socket.socket) -> Iterator[AnyRow]:
    lines = Lines()
    while True:
        try:
            line = lines.take()
            if line is None:
                lines.feed(received(connection))
                continue
            row = decode_row(line)
        except ProtocolError:
            raise other_version() from None
        if isinstance(row, EndRow):
            return
        if isinstance(row, FailedRow):
            raise failed(row)
        yield row


def other_version() -> CommandFailed:
    """Return how a command ends when the daemon says something that it does not know."""
    why = "the daemon's answer is not understood"
    return CommandFailed(why, "restart it: it may be of another version than this command", FAULT)
