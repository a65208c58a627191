"""Acts on accounts, as typed: arguments, what is printed, exit code."""

from __future__ import annotations

import json

import pytest

from loginward.core.acts import Verb
from loginward.core.secret import Secret
from loginward.errors import ConfigError, DirectoryUnavailable, StoreFault
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from tests.cli import samples
from tests.cli.conftest import Done


def test_unlock_in_bulk(world) -> None:
    """R10, R44, R45: one line each, before and after, a no-op said so, the failure on stderr."""
    world.admin.script["act"] = [
        rows.ActRow(
            name="frank",
            before=samples.FRANK_BEFORE,
            after=samples.FRANK_AFTER,
            notes=("attempts cleared on this host",),
        ),
        rows.ActRow(name="bob", before=samples.status(), after=samples.status(), noop=True),
        rows.ActRow(name="zoe", problem=rows.Problem.UNKNOWN, why="no account of that name"),
    ]

    assert world.run("unlock", "frank", "bob", "zoe") == Done(
        1,
        "frank: locked, expired -> expired   "
        "(attempts cleared on this host; password still expired since 20 Nov)\n"
        "bob: not locked, nothing done\n",
        "loginward: error: zoe: no account of that name\n",
    )
    order = ask.ActOnUsers(verb=Verb.UNLOCK, names=("frank", "bob", "zoe"))
    assert world.admin.asked == [("act", order, "root")]


def test_a_noop_alone_is_no_failure(world) -> None:
    world.admin.script["act"] = [rows.ActRow(name="bob", noop=True)]

    assert world.run("unlock", "bob") == Done(0, "bob: not locked, nothing done\n", "")


PLAIN = [
    ["unlock"],
    ["users", "lock"],
    ["expire"],
    ["suspend"],
    ["activate"],
    ["resend-activation"],
]

WITH_PASSWORD = [["reset-password"], ["set-temporary"], ["set-first-password"]]


@pytest.mark.parametrize("argv", PLAIN, ids=lambda argv: argv[-1])
def test_each_plain_verb(world, argv: list[str]) -> None:
    world.admin.script["act"] = [
        rows.ActRow(name="ann", before=samples.status(), after=samples.status())
    ]

    assert world.run(*argv, "ann") == Done(0, "ann: active\n", "")
    assert world.admin.asked == [
        ("act", ask.ActOnUsers(verb=Verb(argv[-1]), names=("ann",)), "root")
    ]


@pytest.mark.parametrize("argv", WITH_PASSWORD, ids=lambda argv: argv[-1])
def test_each_verb_with_a_password(world, argv: list[str]) -> None:
    """The octets arrive as piped, and are shown nowhere."""
    world.admin.script["act"] = [
        rows.ActRow(name="ann", before=samples.status(samples.PENDING), after=samples.status())
    ]

    done = world.run(*argv, "ann", "--password-stdin", stdin=b"s\xe9cret pass \nsecond line\n")

    assert done == Done(0, "ann: pending -> active\n", "")
    [(_, order, _)] = world.admin.asked
    assert (order.verb, order.password) == (Verb(argv[-1]), Secret(b"s\xe9cret pass "))


def test_every_verb_has_a_command() -> None:
    assert {argv[-1] for argv in PLAIN + WITH_PASSWORD} == {verb.value for verb in Verb}


def test_a_password_is_never_taken_from_argv(world) -> None:
    done = world.run("set-temporary", "ann", "--password", "s3cret")

    assert (done.code, world.admin.asked) == (2, [])
    assert "s3cret" not in done.err


def test_a_password_without_a_terminal_or_stdin(world) -> None:
    assert world.run("set-temporary", "ann", "--password-stdin").err == (
        "loginward: error: no password on stdin\nloginward: hint: one line each\n"
    )
    assert world.admin.asked == []


def test_force_goes_along(world) -> None:
    world.admin.script["act"] = [rows.ActRow(name="ann")]

    assert world.run("activate", "ann", "--force") == Done(0, "ann: done\n", "")
    assert world.admin.asked[0][1].force
    assert world.run("unlock", "ann", "--force").code == 2


def test_a_token_is_shown_once(world) -> None:
    """R42: and its octets are legible in JSON."""
    world.admin.script["act"] = [rows.ActRow(name="dave", token=samples.TOKEN)]

    assert world.run("resend-activation", "dave") == Done(
        0,
        "dave: done\ndave: activation token, shown this once: K7QM-2F9T-XW3B\n"
        "dave: next, by who has the token: loginward passwd dave --token\n",
        "",
    )
    assert json.loads(world.run("resend-activation", "dave", "--json").out)["token"] == (
        "K7QM-2F9T-XW3B"
    )


@pytest.mark.parametrize(
    ("problems", "code"),
    [
        pytest.param([rows.Problem.UNKNOWN], 1, id="unknown"),
        pytest.param([rows.Problem.REFUSED], 1, id="refused"),
        pytest.param([rows.Problem.NOT_PERMITTED], 77, id="protected"),
        pytest.param([rows.Problem.UNAVAILABLE] * 2, 69, id="directory-away-for-all"),
        pytest.param([rows.Problem.UNAVAILABLE, None], 1, id="away-for-some"),
        pytest.param([rows.Problem.UNAVAILABLE, rows.Problem.UNKNOWN], 1, id="mixed"),
    ],
)
def test_exit_codes_of_a_bulk(world, problems, code: int) -> None:
    world.admin.script["act"] = [rows.ActRow(name="a", problem=one, why="no") for one in problems]

    assert world.run("suspend", *("a" for _ in problems)).code == code


@pytest.mark.parametrize(
    ("error", "code", "err"),
    [
        (DirectoryUnavailable("connect"), 69, "the directory gives no answer (connect)"),
        (StoreFault("store.db is damaged", "restore it"), 69, "store.db is damaged"),
        (ConfigError("policy.lockout.threshold", "must be at least 1"), 78, "policy.lockout.threshold: must be at least 1"),
        (ZeroDivisionError("s3cret"), 70, "a fault of ours"),
    ],
)  # fmt: skip
def test_a_fault_of_the_daemon_is_an_error_with_a_hint(world, error, code: int, err: str) -> None:
    world.admin.script["reload"] = error
    done = world.run("config", "reload")
    first, second = done.err.splitlines()

    assert (done.code, done.out, first) == (code, "", f"loginward: error: {err}")
    assert second.startswith("loginward: hint: ")


def test_an_answer_cut_short_is_not_taken_for_whole(world) -> None:
    world.admin.script["users"] = [samples.USERS[0], DirectoryUnavailable("search")]
    done = world.run("users", "--names")

    assert (done.code, done.out) == (69, "alice\n")
