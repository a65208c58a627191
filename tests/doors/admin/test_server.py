"""The admin socket under good and bad peers."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time

import pytest

from loginward.core.acts import Verb
from loginward.core.secret import Secret
from loginward.doors.admin import talk
from loginward.doors.admin.roles import Roles
from loginward.doors.admin.server import AdminServer, listen
from loginward.errors import ConfigError, DirectoryUnavailable, StoreFault
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from loginward.wire.admin.lines import MAX_LINE, decode_row, encode_line, pieces
from tests.doubles.clock import NOW, FixedWall

UNLOCK = ask.ActOnUsers(verb=Verb.UNLOCK, names=("ann", "bob"))


def connect(path) -> socket.socket:
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


def exchange(path, *requests) -> list[rows.AnyRow]:
    with connect(path) as connection:
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(b"".join(encode_line(request) for request in requests))
        return read_all(connection)


def test_an_answer_begins_with_the_time_and_says_that_it_is_whole(serve, scripted) -> None:
    scripted.script["act"] = [rows.ActRow(name="ann"), rows.ActRow(name="bob", noop=True)]

    answer = exchange(serve(), UNLOCK)

    assert answer == [rows.BeganRow(now=NOW), *scripted.script["act"], rows.EndRow()]


@pytest.mark.parametrize(
    ("error", "problem", "text"),
    [
        (DirectoryUnavailable("connect"), rows.Problem.UNAVAILABLE, "(connect)"),
        (StoreFault("store.db is full", "make room"), rows.Problem.UNAVAILABLE, "store.db is full"),
        (ConfigError("policy.lockout", "too low"), rows.Problem.CONFIGURATION, "policy.lockout"),
        (OSError(5, "s3cret"), rows.Problem.FAULT, "a fault of ours"),
        (KeyError("s3cret"), rows.Problem.FAULT, "a fault of ours"),
    ],
)
def test_a_fault_is_told_by_its_kind(serve, scripted, error, problem, text) -> None:
    scripted.script["act"] = [rows.ActRow(name="ann"), error]

    answer = exchange(serve(), UNLOCK)

    assert answer[1] == rows.ActRow(name="ann")
    assert answer[-1].problem is problem
    assert text in answer[-1].why
    assert "s3cret" not in repr(answer)


def test_unknown_names_and_references_are_told(serve, scripted) -> None:
    scripted.script |= {"account": None, "why_reference": None}
    path = serve()

    for request in (ask.AskAccount(name="zoe"), ask.AskReference(reference="AAAAAA")):
        assert exchange(path, request)[-1].problem is rows.Problem.UNKNOWN


@pytest.mark.parametrize(
    "request_",
    [
        UNLOCK,
        ask.RemoveUsers(names=("ann", "bob")),
        ask.ForgetCopies(names=("ann", "bob")),
        *(ask.ActOnUsers(verb=verb, names=("ann", "bob")) for verb in Verb),
    ],
    ids=lambda r: getattr(getattr(r, "verb", None), "value", type(r).__name__),
)
def test_protected_accounts_are_out_of_reach_of_every_verb(serve, scripted, request_) -> None:
    """security.md 16: root is refused too, and the others of the bulk are done."""
    scripted.groups = {"ann": frozenset({"Domain Admins"}), "bob": frozenset({"staff"})}
    scripted.script["act"] = scripted.script["remove_users"] = [rows.ActRow(name="bob")]
    scripted.script["forget"] = [rows.ForgottenRow(name="bob", was_kept=True)]
    path = serve(Roles(protected_groups=frozenset({"domain admins"})))

    answer = exchange(path, request_)

    assert (answer[1].name, answer[1].problem) == ("ann", rows.Problem.NOT_PERMITTED)
    assert [row.name for row in answer[2:-1]] == ["bob"]
    reached = [asked for method, asked, _ in scripted.asked if method != "turned_away"]
    assert [asked.names for asked in reached] == [("bob",)]


def test_nobody_is_added_into_a_protected_group(serve, scripted) -> None:
    path = serve(Roles(protected_groups=frozenset({"admins"})))

    answer = exchange(path, ask.AddUser(name="eve", groups=("Admins",)))

    assert answer[1].problem is rows.Problem.NOT_PERMITTED
    assert [method for method, _, _ in scripted.asked] == ["turned_away"]


def test_a_file_arrives_whole(serve, scripted) -> None:
    file = bytes(range(256)) * 1000
    scripted.script["import_users"] = [rows.ImportedRow(accounts=1, pending=1, hashed=0)]
    order = ask.ImportUsers(form=rows.FileFormat.CSV, octets=len(file))

    answer = exchange(serve(), order, *pieces(file))

    assert scripted.files == [file]
    assert isinstance(answer[-1], rows.EndRow)


def test_more_of_a_file_than_was_said_is_refused(serve, scripted) -> None:
    order = ask.ImportUsers(form=rows.FileFormat.CSV, octets=3)

    answer = exchange(serve(), order, rows.PieceRow(octets=Secret(b"four")))

    assert answer[-1].problem is rows.Problem.USAGE
    assert scripted.files == []


def test_one_import_at_a_time(serve, scripted) -> None:
    path, finish = serve(), threading.Event()

    def slow(_ask, _octets, _by):
        yield rows.ProgressRow(step="hashing", done=1, total=2)
        finish.wait(10)
        yield rows.ImportedRow(accounts=2, pending=0, hashed=2)

    scripted.import_users = slow
    order = ask.ImportUsers(form=rows.FileFormat.CSV, octets=0)
    with connect(path) as first:
        first.sendall(encode_line(order))
        seen = b""
        while b"hashing" not in seen:
            seen += first.recv(1000)

        assert exchange(path, order)[-1].problem is rows.Problem.REFUSED
        finish.set()
        assert isinstance(read_all(first)[-1], rows.EndRow)
    assert isinstance(exchange(path, order)[-1], rows.EndRow)


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
    done = threading.Event()

    def slow(_ask, _by):
        time.sleep(0.3)
        done.set()
        yield rows.ActRow(name="ann")

    scripted.act = slow
    server = AdminServer(listen(tmp_path / "admin.sock"), scripted, Roles, FixedWall())
    server.start()
    with connect(tmp_path / "admin.sock") as connection:
        connection.sendall(encode_line(UNLOCK))
        assert connection.recv(1000)
        server.close()

    assert done.is_set()


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


def test_roles_are_those_of_the_moment_of_connecting(tmp_path, scripted) -> None:
    scripted.script["act"] = [rows.ActRow(name="ann")]
    scripted.groups = {"ann": frozenset({"g"})}
    path = tmp_path / "admin.sock"
    roles = [Roles()]
    server = AdminServer(listen(path), scripted, lambda: roles[-1], FixedWall())
    server.start()
    try:
        assert exchange(path, UNLOCK)[1].problem is None
        roles.append(Roles(protected_groups=frozenset({"g"})))
        assert exchange(path, UNLOCK)[1].problem is rows.Problem.NOT_PERMITTED
    finally:
        server.close()


ROUTES = [
    (ask.AskHealth(), "health"),
    (ask.AskMetrics(), "metrics"),
    (ask.AskAccount(name="ann"), "account"),
    (ask.AskWhy(name="ann"), "why"),
    (ask.AskReference(reference="7F3K2Q"), "why_reference"),
    (ask.ListUsers(), "users"),
    (ask.ListCache(), "copies"),
    (ask.AskEvents(), "events"),
    (ask.AskDoctor(), "findings"),
    (ask.RunRefresh(), "refresh"),
    (ask.AddUser(name="ann"), "add_user"),
    (ask.RemoveUsers(names=("ann",)), "remove_users"),
    (ask.ExportUsers(form=rows.FileFormat.CSV), "export_users"),
    (ask.ForgetCopies(names=("ann",)), "forget"),
    (ask.ClearCache(), "clear_copies"),
    (ask.AcceptClock(), "accept_clock"),
    (ask.Reload(), "reload"),
    (UNLOCK, "act"),
]
STREAMED = {"users", "copies", "events", "findings", "refresh", "remove_users", "export_users",
            "forget", "act"}  # fmt: skip


@pytest.mark.parametrize(("request_", "method"), ROUTES, ids=[method for _, method in ROUTES])
def test_each_request_reaches_its_method_with_its_operator(
    serve, scripted, request_, method: str
) -> None:
    row = rows.ActRow(name="whatever it says")
    scripted.script[method] = [row] if method in STREAMED else row

    answer = exchange(serve(), request_)

    assert answer[1:] == [row, rows.EndRow()]
    [(asked_method, _, by)] = scripted.asked
    changes_something = method not in {
        "health", "metrics", "account", "why", "why_reference", "users", "copies", "events", "findings",
    }  # fmt: skip
    assert (asked_method, bool(by)) == (method, changes_something)


def test_a_peer_that_sends_half_a_line_and_leaves_is_forgotten(serve, scripted) -> None:
    path = serve()
    with connect(path) as connection:
        connection.sendall(b'{"ask":')

    assert exchange(path, ask.AskHealth())[-1].problem is rows.Problem.FAULT  # nothing scripted


def test_an_uid_without_a_name_is_shown_as_its_number() -> None:
    from loginward.doors.admin.peer import _group_name, _name_of

    assert (_name_of(4_000_000_001), _group_name(4_000_000_001)) == ("4000000001", "4000000001")


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
