"""An answer that goes on, and the operator who meanwhile may no longer ask for it."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from loginward.doors.admin import roles as roles_
from loginward.doors.admin import talk
from loginward.doors.admin.roles import Roles
from loginward.doors.admin.server import AdminServer, listen
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from loginward.wire.admin.lines import decode_row, encode_line
from tests.cli.samples import EVENTS
from tests.doors.admin.asking import read_all
from tests.doubles.clock import FixedWall


@contextlib.contextmanager
def followed_by_nobody(path: Path, scripted, roles):
    """Follow events as the user nobody, in the group of root, until the first has been seen."""
    scripted.script["events"] = EVENTS[:1]
    server = AdminServer(listen(path), scripted, lambda: roles[-1], FixedWall())
    server.start()
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            os.seteuid(65534)
            try:
                connection.connect(path.name)
            finally:
                os.seteuid(0)
            connection.sendall(encode_line(ask.AskEvents(follow=True)))
            seen = b""
            while seen.count(b"\n") < 2:
                seen += connection.recv(65536)
            yield connection
    finally:
        server.close()


VIEWERS = {"root": frozenset({"view"})}


def test_who_follows_events_stops_where_a_reload_takes_the_role(
    tmp_path, scripted, monkeypatch
) -> None:
    """security.md 16: what is told after that is told to somebody else, and the end says why."""
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    roles = [Roles(VIEWERS)]
    with followed_by_nobody(tmp_path / "admin.sock", scripted, roles) as connection:
        roles.append(Roles(VIEWERS))  # another reload, which takes nothing away
        scripted.live.put(EVENTS[0])
        assert decode_row(connection.recv(65536).strip()) == EVENTS[0]
        roles.append(Roles())
        scripted.live.put(EVENTS[0])
        (end,) = read_all(connection)

    assert end.problem is rows.Problem.NOT_PERMITTED
    assert "nobody has no role with the right view" in end.why
    assert scripted.asked[-1] == ("turned_away", "ask-events, needs view", "nobody")


def test_who_follows_events_stops_where_the_host_no_longer_has_the_group(
    tmp_path, scripted, monkeypatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(talk, "LOOK_AGAIN_S", 0.0)
    with followed_by_nobody(tmp_path / "admin.sock", scripted, [Roles(VIEWERS)]) as connection:
        monkeypatch.setattr(roles_, "_gid_of", lambda _: None)
        (end,) = read_all(connection)

    assert end.problem is rows.Problem.NOT_PERMITTED
