"""The admin socket as its client sees it: requests out, rows back."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from loginward.core.acts import Verb
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from loginward.wire.admin.lines import decode_row, encode_line

UNLOCK = ask.ActOnUsers(verb=Verb.UNLOCK, names=("ann", "bob"))


def connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))  # without a timeout it waits for room in the backlog
    except OSError:
        connection.close()
        raise
    connection.settimeout(10)
    return connection


def read_all(connection: socket.socket) -> list[rows.AnyRow]:
    octets = bytearray()
    with contextlib.suppress(ConnectionResetError):  # closed with octets of ours unread
        while more := connection.recv(65536):
            octets += more
    return [decode_row(line) for line in octets.splitlines()]


def exchange(path: Path, *requests: ask.AnyRequest | rows.PieceRow) -> list[rows.AnyRow]:
    with connect(path) as connection:
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(b"".join(encode_line(request) for request in requests))
        return read_all(connection)
