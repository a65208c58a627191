"""`login` and `passwd` against a scripted daemon on a real login socket."""

from __future__ import annotations

import json

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.core.secret import Secret
from loginward.wire.login import Answer, Ask, Begin, Notice, Result
from tests.cli.conftest import Done

ASK = Ask(purpose=Purpose.PASSWORD, prompt="Password: ")
NEW = Ask(purpose=Purpose.NEW)
AGAIN = Ask(purpose=Purpose.NEW_AGAIN)


def end(verdict: Verdict, reason: Reason, **more: object) -> Result:
    return Result(verdict=verdict, reason=reason, **more)


ALLOW = end(Verdict.ALLOW, Reason.OK)


def test_a_login_is_both_phases_of_one_transaction(world) -> None:
    """The octets go as piped; a warning is shown on stderr."""
    world.login.scripts = [
        [ASK, end(Verdict.ALLOW, Reason.OK, transaction="t1")],
        [Notice("Your password expires on 5 December."), ALLOW],
    ]

    done = world.run("login", "ann", "--service", "sshd", "--password-stdin", stdin=b"p\xe4ss \n")

    assert done == Done(0, "ann: signed in\n", "Your password expires on 5 December.\n")
    assert world.login.heard == [
        Begin(phase=Phase.AUTHN, user="ann", service="sshd"),
        Answer(Secret(b"p\xe4ss ")),
        Begin(phase=Phase.ACCT, user="ann", service="sshd", transaction="t1"),
    ]


def test_a_refusal_names_reason_and_reference(world) -> None:
    world.login.scripts = [
        [ASK, Notice("Your account is locked.", is_error=True),
         end(Verdict.REFUSE, Reason.ACCOUNT_LOCKED, reference="4MX8ZP", delay_ms=50)],
    ]  # fmt: skip

    assert world.run("login", "bob", "--password-stdin", stdin=b"pw\n") == Done(
        1,
        "",
        "Your account is locked.\n"
        "loginward: error: bob: account-locked\n"
        "loginward: hint: loginward why --ref 4MX-8ZP\n",
    )


def test_a_change_that_is_due_is_no_login(world) -> None:
    world.login.scripts = [[ASK, end(Verdict.CHANGE, Reason.CHANGE_REQUIRED)]]

    assert world.run("login", "erin", "--password-stdin", stdin=b"pw\n") == Done(
        1,
        "",
        "loginward: error: erin: change-required\nloginward: hint: loginward passwd erin\n",
    )


def test_the_account_phase_has_the_last_word(world) -> None:
    world.login.scripts = [[ASK, ALLOW], [end(Verdict.REFUSE, Reason.USER_SUSPENDED)]]

    assert world.run("login", "ann", "--password-stdin", stdin=b"pw\n").code == 1


def test_a_directory_that_is_away_is_no_refusal(world) -> None:
    world.login.scripts = [[ASK, end(Verdict.REFUSE, Reason.DIRECTORY_UNAVAILABLE)]]

    assert world.run("login", "ann", "--password-stdin", stdin=b"pw\n") == Done(
        69,
        "",
        "loginward: error: the directory gives no answer\nloginward: hint: loginward status\n",
    )


def test_login_as_json(world) -> None:
    world.login.scripts = [
        [ASK, Notice("Locked.", is_error=True),
         end(Verdict.REFUSE, Reason.ACCOUNT_LOCKED, reference="4MX8ZP")],
    ]  # fmt: skip
    done = world.run("login", "bob", "--password-stdin", "--json", stdin=b"pw\n")

    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out) == {
        "type": "login", "name": "bob", "verdict": "refuse", "reason": "account-locked",
        "reference": "4MX8ZP", "notices": ["Locked."],
    }  # fmt: skip


def test_a_change_takes_the_old_and_the_new_password(world) -> None:
    """R19, R41: asked twice, answered twice with the one line that was piped."""
    world.login.scripts = [[ASK, NEW, AGAIN, ALLOW]]

    done = world.run("passwd", "ann", "--password-stdin", stdin=b"old one\nnew one\n")

    assert done == Done(0, "ann: password changed\n", "")
    assert world.login.heard == [
        Begin(phase=Phase.CHAUTHTOK_UPDATE, user="ann", service="passwd"),
        Answer(Secret(b"old one")),
        Answer(Secret(b"new one")),
        Answer(Secret(b"new one")),
    ]


def test_a_new_password_that_is_refused_is_asked_for_again(world) -> None:
    world.login.scripts = [
        [ASK, NEW, AGAIN, Notice("At least 12 characters.", is_error=True), NEW, AGAIN, ALLOW]
    ]

    done = world.run("passwd", "ann", "--password-stdin", stdin=b"old\nshort\nlong enough now\n")

    assert (done.code, done.err) == (0, "At least 12 characters.\n")
    assert world.login.heard[-1] == Answer(Secret(b"long enough now"))


def test_passwd_without_a_name_is_about_oneself(world) -> None:
    world.login.scripts = [[end(Verdict.REFUSE, Reason.USER_UNKNOWN)]]

    assert world.run("passwd").err.startswith("loginward: error: root: user-unknown")


@pytest.mark.parametrize(
    ("script", "code", "text"),
    [
        pytest.param([], 69, "hung up", id="hangs-up"),
        pytest.param([b"HTTP/1.1 400 Bad Request\r\n\r\n"], 70, "not understood", id="garbage"),
        pytest.param([Begin(phase=Phase.AUTHN, user="a", service="b")], 70, "not understood", id="odd"),
    ],
)  # fmt: skip
def test_a_daemon_that_talks_nonsense(world, script, code: int, text: str) -> None:
    world.login.scripts = [script]
    done = world.run("login", "ann", "--password-stdin", stdin=b"pw\n")

    assert (done.code, done.out) == (code, "")
    assert text in done.err


def test_notices_cannot_drive_the_terminal(world) -> None:
    world.login.scripts = [[Notice("\x1b[2J\u202ecleared"), end(Verdict.REFUSE, Reason.MALFORMED)]]

    assert "\x1b" not in world.run("login", "ann").err


@pytest.mark.parametrize("name", ["", "a" * 2000])
def test_a_name_that_cannot_be_sent(world, name: str) -> None:
    done = world.run("login", name, "--password-stdin", stdin=b"pw\n")

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("loginward: error: this cannot be asked: ")
