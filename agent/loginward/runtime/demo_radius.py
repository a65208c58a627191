"""The RADIUS door of the demo: a listener on loopback, and what a NAS hears of each account."""

from __future__ import annotations

import os
import secrets
import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from loginward.core.secret import Secret
from loginward.doors.radius.trial import logins
from loginward.doors.radius.trial.exchanges import Exchanges
from loginward.runtime.clock import SystemClock
from loginward.wire.radius.packet import Code
from loginward.wire.radius.signing import SharedSecret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CLIENT: Final = "demo-vpn"
_ANSWERS: Final = {Code.ACCESS_ACCEPT: "Access-Accept", Code.ACCESS_REJECT: "Access-Reject"}
_PATIENCE_S: Final = 10.0
_SECRET_OCTETS: Final = 32


class _AskedError(Exception):
    """The server asks for more; the text is what a person would read."""


class DemoRadius:
    """A door that nobody but this machine reaches, with a secret of its own.

    Args:
        folder: Where the secret lies, which the demo made afresh.
    """

    def __init__(self, folder: Path) -> None:
        self._secret = secrets.token_urlsafe(_SECRET_OCTETS)
        self._file = folder / "radius.secret"
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._secret + "\n")
        self._port, self._accounting = _free_ports()

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"127.0.0.1:{self._port}"

    def lines(self) -> list[str]:
        """Return its lines of `doors`."""
        client = f"name: {CLIENT}, addresses: [127.0.0.1/32], secret_file: {self._file}"
        return [
            "  radius:",
            f'    listen: ["{self.address}"]',
            f'    accounting: ["127.0.0.1:{self._accounting}"]',
            "    reject_delay_s: null  # so that the table is there at once",
            f"    clients: [{{{client}, methods: [pap]}}]",
        ]

    def answers(self, names: Sequence[str], password: str) -> list[tuple[str, str, str]]:
        """Sign each in by PAP; return name, answer, and what a person would read.

        Raises:
            NoAnswerError: There is none.
        """
        return [(name, *self._answer(name, password)) for name in names]

    def _answer(self, name: str, password: str) -> tuple[str, str]:
        def typed(prompt: str) -> Secret:
            if prompt:
                raise _AskedError(prompt)
            return Secret(password.encode())

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", self._port))
            shared = SharedSecret(self._secret.encode())
            exchanges = Exchanges(sock, shared, SystemClock(), _PATIENCE_S)
            try:
                ended = logins.pap(exchanges, name.encode(), typed)
            except _AskedError as asked:
                return "Access-Challenge", str(asked)
        return _ANSWERS[ended.reply.code], ended.message


def radius_of(folder: Path) -> DemoRadius | None:
    """Return the door; None where its extra is not installed."""
    return DemoRadius(folder) if find_spec("pyrad") is not None else None


def _free_ports() -> tuple[int, int]:
    """Return two ports that nobody has now."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
