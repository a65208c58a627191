"""The admin socket under bad peers, many of them, and at its own end."""

from __future__ import annotations

import contextlib
import resource
import threading
import time

import pytest

from loginward.doors.admin import talk
from loginward.doors.admin.roles import Roles
from loginward.doors.admin.server import AdminServer, listen
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from loginward.wire.admin.lines import MAX_LINE, encode_line
from tests.doors.admin.asking import UNLOCK, connect, exchange, read_all
from tests.doubles.clock import FixedWall


def test_following_notices_that_the_operator_left(serve, scripted) -> None:
    scripted.script["events"] = []
    path = serve()
    with connect(path) as connection:
        connection.sendall(encode_line(ask.AskEvents(follow=True)))
        assert connection.recv(1000)

    assert scripted.ended.wait(5)


def test_closing_ends_an_answer_that_goes_on(tmp_path, scripted) -> None:
    scripted.script["events"] = []
    path = tmp_path / "admin.sock"
    server = AdminServer(listen(path), scripted, Roles, FixedWall())
    server.start()
    with connect(path) as connection:
        connection.sendall(encode_line(ask.AskEvents(follow=True)))
        assert connection.recv(1000)
        server.close()

        assert connection.recv(1000) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(path)


def test_closing_lets_an_act_in_hand_come_to_its_end(tmp_path, scripted) -> None:
    """What is being written is written; nobody waits for the answer any more."""
    written, go_on = threading.Event(), threading.Event()

    def slow(_ask, _by):
        assert go_on.wait(10)
        written.set()
        yield rows.ActRow(name="ann")

    scripted.act = slow
    server = AdminServer(listen(tmp_path / "admin.sock"), scripted, Roles, FixedWall())
    server.start()
    closing = threading.Thread(target=server.close)
    with connect(tmp_path / "admin.sock") as connection:
        connection.sendall(encode_line(UNLOCK))
        assert connection.recv(1000)
        closing.start()
        closing.join(0.2)
        was_waited_for = closing.is_alive()
        go_on.set()
        closing.join(10)

    assert was_waited_for
    assert not closing.is_alive()
    assert written.is_set()


def test_a_dead_daemons_socket_is_replaced_and_a_living_ones_is_not(tmp_path) -> None:
    path = tmp_path / "admin.sock"
    listen(path).close()
    with listen(path), pytest.raises(OSError, match="in use"):
        listen(path)
    path.unlink()
    path.write_text("precious")
    with pytest.raises(OSError, match="in use"):
        listen(path)

    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\n", id="empty-line"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http"),
        pytest.param(bytes(range(10)) + b"\n", id="binary"),
        pytest.param(b"[" * 500_000 + b"\n", id="deep"),
        pytest.param(b"x" * (MAX_LINE + 1), id="a-mebioctet-without-end"),
    ],
)
def test_garbage_is_refused_in_one_line(serve, octets: bytes) -> None:
    with connect(serve()) as connection, contextlib.suppress(BrokenPipeError):
        connection.sendall(octets)
        answer = read_all(connection)

    assert [row.problem for row in answer] == [rows.Problem.USAGE]


def test_a_thousand_idle_connections_leave_a_good_command_quick(serve, scripted) -> None:
    """Also of the same uid: the oldest that said nothing make room."""
    scripted.script["act"] = [rows.ActRow(name="ann")]
    path = serve()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with contextlib.ExitStack() as idle:
        idle.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1000):
            idle.enter_context(connect(path))
        began = time.monotonic()
        answer = exchange(path, UNLOCK)
        took_s = time.monotonic() - began

    assert isinstance(answer[-1], rows.EndRow)
    assert took_s < 1.0


def test_one_octet_a_second_does_not_hold_a_thread_for_long(serve, monkeypatch) -> None:
    monkeypatch.setattr(talk, "REQUEST_S", 0.3)
    with connect(serve()) as connection:
        began = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - began < 5:
                connection.sendall(b"{")
                connection.settimeout(0.1)
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1) == b"":
                        break

    assert time.monotonic() - began < 2


def test_a_reader_that_takes_nothing_is_dropped(serve, scripted, monkeypatch) -> None:
    monkeypatch.setattr(talk, "ROW_S", 0.2)
    ended = threading.Event()

    def endless():
        try:
            while True:
                yield rows.UserRow(name="a" * 1000, status=None)
        finally:
            ended.set()

    scripted.script["users"] = endless()
    scripted.users = lambda _ask: scripted.script["users"]
    with connect(serve()) as connection:
        connection.sendall(encode_line(ask.ListUsers()))

        assert ended.wait(5)


def test_a_daemon_with_all_places_taken_turns_the_next_away(serve, scripted) -> None:
    scripted.script["events"] = []
    path = serve()
    with contextlib.ExitStack() as open_:
        for _ in range(16):
            connection = open_.enter_context(connect(path))
            connection.sendall(encode_line(ask.AskEvents(follow=True)))
            assert connection.recv(1000)

        assert exchange(path) == []


def test_a_peer_that_sends_half_a_line_and_leaves_is_forgotten(serve, scripted) -> None:
    path = serve()
    with connect(path) as connection:
        connection.sendall(b'{"ask":')

    assert exchange(path, ask.AskHealth())[-1].problem is rows.Problem.FAULT  # nothing scripted


def test_too_many_threads_end_one_connection_and_not_the_door(
    serve, scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.script["act"] = [rows.ActRow(name="ann")]
    path = serve()
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name.startswith("admin-"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        for _ in range(20):  # more than one uid may hold
            with connect(path) as connection:
                assert read_all(connection) == []

    assert isinstance(exchange(path, UNLOCK)[-1], rows.EndRow)
