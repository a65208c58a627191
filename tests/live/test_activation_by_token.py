"""A new person's first minutes: the token that was printed, a password of their own, a login.

The person is `nobody` here: another user than the daemon's operator, with no role at all.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.cli import main as command
from loginward.core.acts import Verb
from loginward.core.reasons import Reason
from tests.runtime.daemon import LOGINWARD, Daemon, is_root, served
from tests.runtime.people import NEXT, RIGHT, WRONG

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("activation")]

PERSON = pwd.getpwnam("nobody")
TOKEN = re.compile(r"activation token, shown this once: (\S+)")
NEVER_GIVEN = b"never-given-to-anybody-0123456789"


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with served() as running:
        yield running


def administrator(daemon: Daemon, *words: str) -> str:
    """Run a command as the administrator; return what it printed."""
    done = subprocess.run(
        [LOGINWARD, *words, "--runtime-dir", daemon.run],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    return done.stdout


def token_of(shown: str, name: str) -> bytes:
    """Return the token that a command printed, having named what to do with it."""
    assert f"loginward passwd {name} --token" in shown
    return TOKEN.search(shown)[1].encode()


def activate(run: Path, name: str, token: bytes, new: bytes) -> tuple[int, str]:
    """Run `passwd --token` as a user without any right; return its exit code and what it said.

    In a fork: the folder of the program may be closed to that user.
    """
    assert is_root(), "run the tests as root: what others may is tried for real"
    for module in ("cli.login", "cli.activation", "cli.client"):
        importlib.import_module(f"loginward.{module}")
    typed, told = os.pipe(), os.pipe()
    os.write(typed[1], token + b"\n" + new + b"\n")
    os.close(typed[1])
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.setgroups([])
            os.setresgid(PERSON.pw_gid, PERSON.pw_gid, PERSON.pw_gid)
            os.setresuid(PERSON.pw_uid, PERSON.pw_uid, PERSON.pw_uid)
            sys.stdin = io.TextIOWrapper(os.fdopen(typed[0], "rb"))
            sys.stdout = sys.stderr = os.fdopen(told[1], "w")
            code = command.main(
                ["passwd", name, "--token", "--password-stdin", "--runtime-dir", str(run)]
            )
            sys.stderr.flush()
        finally:
            os._exit(code)
    os.close(typed[0])
    os.close(told[1])
    with os.fdopen(told[0]) as said:
        text = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the child only talks
def test_a_new_person_chooses_a_password_and_signs_in(daemon: Daemon) -> None:
    """R03, I14: the token opens once; whoever typed it is in the trail, what they typed is not."""
    token = token_of(administrator(daemon, "users", "add", "ann"), "ann")
    assert daemon.ask("ann", RIGHT, service="login")[0].reason is Reason.PASSWORD_PENDING

    assert activate(daemon.run, "ann", token, b"short")[1].startswith(
        "loginward: error: ann: Too short"
    )
    assert activate(daemon.run, "ann", token, RIGHT) == (0, "ann: password set; sign in with it\n")
    assert daemon.ask("ann", RIGHT)[0].reason is Reason.OK
    assert activate(daemon.run, "ann", token, NEXT)[0] == 1
    assert daemon.ask("ann", NEXT)[0].reason is not Reason.OK

    shown = [row for row in daemon.events("ann") if row.verb == "activated"]
    assert [(row.by, row.before, row.after) for row in shown] == [("nobody", "pending", "active")]
    trail = "".join(file.read_text() for file in (daemon.state / "events").iterdir())
    for secret in (token, RIGHT, NEXT):
        assert secret.decode() not in trail


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_i14_wrong_unknown_outdated_and_used_are_answered_alike(daemon: Daemon) -> None:
    """R42: by text and exit code nobody learns which names there are."""
    old = token_of(administrator(daemon, "users", "add", "cleo"), "cleo")
    new = token_of(administrator(daemon, "resend-activation", "cleo"), "cleo")
    added = token_of(administrator(daemon, "users", "add", "dora"), "dora")
    daemon.act(Verb.SET_FIRST_PASSWORD, "dora", password=WRONG)

    answers = {
        (code, said.replace(name, "NAME"))
        for name, token in [
            ("cleo", NEVER_GIVEN), ("nobody-at-all", NEVER_GIVEN), ("cleo", old), ("dora", added),
        ]
        for code, said in [activate(daemon.run, name, token, RIGHT)]
    }  # fmt: skip

    [(code, said)] = answers
    assert code == 1
    assert said.startswith("loginward: error: NAME: There is no open activation")
    assert activate(daemon.run, "cleo", new, RIGHT)[0] == 0
    row = json.loads(administrator(daemon, "status", "cleo", "--json").splitlines()[0])
    assert row["status"]["headline"] == "active"
