"""Commands run as a shell runs them, against real sockets before scripted services."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loginward.doors.admin.roles import Roles
from loginward.doors.admin.server import AdminServer, listen
from loginward.wire.login import Answer, Ask, Begin, Decoder, encode
from tests.doubles.admin import ScriptedAdmin
from tests.doubles.clock import FixedWall
from tests.doubles.sockets import connections, listening

TOP = Path(__file__).parents[2]
RUN = [sys.executable, "-c", "import sys; from loginward.cli.main import main; sys.exit(main())"]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Return a bare environment: the reader lives in Berlin and has no terminal."""
    path = os.environ.get("PATH", "/usr/bin:/bin")
    return {"PYTHONPATH": str(TOP / "agent"), "PATH": path, "TZ": "Europe/Berlin", **more}


@dataclass
class ScriptedLogin:
    """Plays conversations on a real login socket, and keeps what it heard.

    Each script is what the daemon sends; after an Ask it waits for the answer.
    """

    path: Path
    scripts: list[list[object]] = field(default_factory=list)
    heard: list[object] = field(default_factory=list)

    def start(self) -> None:
        self._listener = listening(self.path)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _run(self) -> None:
        for connection in connections(self._listener):
            with connection:
                connection.settimeout(10)
                self._play(connection, self.scripts.pop(0))

    def _play(self, connection: socket.socket, script: list[object]) -> None:
        decoder = Decoder()
        assert isinstance(self._hear(connection, decoder), Begin)
        for message in script:
            connection.sendall(message if isinstance(message, bytes) else encode(message))
            if isinstance(message, Ask) and not isinstance(self._hear(connection, decoder), Answer):
                return

    def _hear(self, connection: socket.socket, decoder: Decoder) -> object:
        while (message := decoder.next_message()) is None:
            octets = connection.recv(8192)
            if not octets:
                return None
            decoder.feed(octets)
        self.heard.append(message)
        return message


@dataclass
class World:
    """A runtime folder with both sockets, and a way to run commands in it."""

    folder: Path
    admin: ScriptedAdmin
    login: ScriptedLogin

    def run(self, *argv: str, stdin: bytes = b"", **env: str) -> Done:
        """Run a command to its end."""
        env = environment(LOGINWARD_RUNTIME_DIR=str(self.folder), **env)
        done = subprocess.run(
            [*RUN, *argv], input=stdin, capture_output=True, env=env, timeout=30, check=False
        )
        assert b"Traceback" not in done.stderr
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def popen(self, *argv: str, **env: str) -> subprocess.Popen:
        """Start a command."""
        env = environment(LOGINWARD_RUNTIME_DIR=str(self.folder), **env)
        return subprocess.Popen(
            [*RUN, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
        )

    def serve(self, roles: Roles | None = None) -> AdminServer:
        """Start an admin socket; the caller closes it."""
        server = AdminServer(
            listen(self.folder / "admin.sock"), self.admin, lambda: roles or Roles(), FixedWall()
        )
        server.start()
        return server


@pytest.fixture
def away(tmp_path: Path) -> World:
    """Return a world whose daemon does not run."""
    return World(tmp_path, ScriptedAdmin(), ScriptedLogin(tmp_path / "login.sock"))


@pytest.fixture
def world(away: World):
    """Return a world whose daemon runs."""
    server = away.serve()
    away.login.start()
    yield away
    server.close()
    away.login.close()
    assert away.login.scripts == [], "a conversation was not had"
