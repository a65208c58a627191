"""The admin socket asked well: each request reaches its method, and its answer comes back whole."""

from __future__ import annotations

import threading

import pytest

from loginward.core.acts import Verb
from loginward.core.secret import Secret
from loginward.doors.admin.roles import Roles
from loginward.doors.admin.server import AdminServer, listen
from loginward.errors import ConfigError, DirectoryUnavailable, StoreFault
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from loginward.wire.admin.lines import encode_line, pieces
from tests.doors.admin.asking import UNLOCK, connect, exchange, read_all
from tests.doubles.clock import NOW, FixedWall


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


def test_where_a_protected_group_is_hidden_nothing_is_done_to_anybody(serve, scripted) -> None:
    """security.md 16: whoever is in it cannot be told apart from others."""
    scripted.script["act"] = [rows.ActRow(name="ann"), rows.ActRow(name="bob")]
    scripted.script["forget"] = []
    scripted.hidden = ("service_account sees no member of g",)
    path = serve(Roles(protected_groups=frozenset({"g"})))
    for request in (UNLOCK, ask.ForgetCopies(names=("ann", "bob"))):
        _, *told, end = exchange(path, request)
        assert [(row.name, row.problem) for row in told] == [
            ("ann", rows.Problem.REFUSED),
            ("bob", rows.Problem.REFUSED),
        ]
        assert told[0].why.startswith("service_account sees no member of g, so that")
        assert isinstance(end, rows.EndRow)
    assert {method for method, _, _ in scripted.asked} == {"turned_away"}


@pytest.mark.parametrize("hidden", [(), ("service_account sees no member of g",)])
def test_a_refresh_clears_nothing_for_the_protected(serve, scripted, hidden) -> None:
    """security.md 16: it ends the locks that this agent keeps, as an unlock does."""
    scripted.script["refresh"] = []
    scripted.groups = {"ann": frozenset({"G"})}
    path = serve(Roles(protected_groups=frozenset({"g"})))
    would = ask.RunRefresh(name="ann", dry_run=True)
    assert exchange(path, would)[1:] == [rows.EndRow()]
    assert exchange(path, ask.RunRefresh(name="bob"))[1:] == [rows.EndRow()]
    scripted.hidden = hidden
    _, step, _ = exchange(path, ask.RunRefresh(name="bob" if hidden else "ann"))
    assert (step.state, "protected" in step.text) == (rows.StepState.FAILED, True)
    assert [method for method, _, _ in scripted.asked] == ["refresh", "refresh", "turned_away"]


ROUTES = [
    (ask.AskHealth(), "health"),
    (ask.AskMetrics(), "metrics"),
    (ask.AskAccount(name="ann"), "account"),
    (ask.AskWhy(name="ann"), "why"),
    (ask.AskReference(reference="7F3K2Q"), "why_reference"),
    (ask.ListUsers(), "users"),
    (ask.ListCache(), "copies"),
    (ask.ListRadiusSessions(), "radius_sessions"),
    (ask.ExplainRadius(name="ann"), "explain_radius"),
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
            "forget", "act", "radius_sessions"}  # fmt: skip


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
        "radius_sessions", "explain_radius",
    }  # fmt: skip
    assert (asked_method, bool(by)) == (method, changes_something)
