"""A real admin socket before a scripted runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.doors.admin.roles import Roles
from loginward.doors.admin.server import AdminServer, listen
from tests.doubles.admin import ScriptedAdmin
from tests.doubles.clock import FixedWall


@pytest.fixture
def scripted() -> ScriptedAdmin:
    return ScriptedAdmin()


@pytest.fixture
def serve(tmp_path: Path, scripted: ScriptedAdmin):
    """Return a function that serves the scripted runtime and returns the path of its socket."""
    servers = []
    tmp_path.chmod(0o755)

    def start(roles: Roles | None = None) -> Path:
        path = tmp_path / "admin.sock"
        server = AdminServer(listen(path), scripted, lambda: roles or Roles(), FixedWall())
        server.start()
        servers.append(server)
        return path

    yield start
    for server in servers:
        server.close()
