"""The closed list of what is done as root: nothing in it comes from who asks."""

from __future__ import annotations

import os
import pwd
import time
from types import SimpleNamespace

import pytest

from loginward.host import rootverbs
from loginward.host.clears import MOST, Clears
from loginward.host.rootverbs import RootVerb, carry_out, run


@pytest.fixture
def ran(monkeypatch):
    commands = []
    monkeypatch.setattr(rootverbs, "run", lambda command: commands.append(command) or "")
    monkeypatch.setattr(
        rootverbs, "program_of", lambda verb: f"/usr/sbin/{rootverbs._PROGRAMS[verb]}"
    )
    return commands


def test_each_verb_is_one_fixed_command(ran):
    uid = pwd.getpwnam("nobody").pw_uid
    for verb in RootVerb:
        assert carry_out(verb, uid, Clears(None)) == ""
    assert ran == [
        ("/usr/sbin/faillock", "--dir", "/var/run/faillock", "--user", "nobody", "--reset"),
        ("/usr/sbin/sss_cache", "-u", "nobody"),
        ("/usr/sbin/nscd", "-i", "passwd"),
    ]


@pytest.mark.parametrize(
    ("uid", "problem"),
    [(0, "never for root"), (3_999_999_999, "no such user"), (2**70, "no such user")],
)
def test_root_and_nobody_at_all_are_refused(ran, uid, problem):
    assert problem in carry_out(RootVerb.FAILLOCK, uid, Clears(None))
    assert ran == []


def test_one_accounts_tally_is_cleared_so_often_an_hour_and_no_more(ran):
    """Whoever took over the daemon's user would else guess at local accounts without end."""
    nobody, other = pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("daemon").pw_uid
    clears = Clears(None)
    said = [carry_out(RootVerb.FAILLOCK, nobody, clears) for _ in range(MOST + 2)]
    assert said[:MOST] == [""] * MOST
    assert "within the hour" in said[MOST] == said[MOST + 1]
    assert len(ran) == MOST
    assert carry_out(RootVerb.SSSD, nobody, clears) == ""
    assert carry_out(RootVerb.FAILLOCK, other, clears) == ""


def test_what_cannot_be_counted_is_not_cleared(ran, tmp_path):
    uid = pwd.getpwnam("nobody").pw_uid
    assert "cannot be counted" in carry_out(RootVerb.FAILLOCK, uid, Clears(tmp_path / "gone"))
    (tmp_path / str(uid)).write_text("no number")
    assert "cannot be counted" in carry_out(RootVerb.FAILLOCK, uid, Clears(tmp_path))
    assert ran == []


@pytest.mark.parametrize("name", ["--reset", "a b", "a/../b", "", "a\n", "ü"])
def test_a_name_that_a_program_could_misread_is_refused(ran, monkeypatch, name):
    user = SimpleNamespace(pw_name=name)
    monkeypatch.setattr(rootverbs.pwd, "getpwuid", lambda _: user)
    assert carry_out(RootVerb.FAILLOCK, 1000, Clears(None)) == "not a name to hand to a program"
    assert ran == []


def test_a_program_that_is_not_here_is_said(monkeypatch):
    monkeypatch.setattr(rootverbs, "_SBIN", ("/nowhere",))
    assert (
        carry_out(RootVerb.NSCD, pwd.getpwnam("nobody").pw_uid, Clears(None))
        == "nscd is not installed"
    )


def test_a_program_runs_with_a_bare_environment_and_its_last_words_are_kept(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "/nowhere.so")
    env = run(("/bin/sh", "-c", 'echo noise >&2; echo "$(env | sort | tr "\\n" " ")" >&2; exit 3'))
    assert "LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin PWD=/" in env
    assert "PRELOAD" not in env
    assert run(("/bin/sh", "-c", "exit 3")) == "/bin/sh ended with 3"
    assert run(("/bin/true",)) == ""
    assert "No such file" in run(("/nowhere/tool",))


def test_a_program_that_hangs_is_ended():
    began = time.monotonic()
    assert "within 0.1 s" in run(("/bin/sleep", "30"), 0.1)
    assert time.monotonic() - began < 5


def test_faillock_is_where_it_is_looked_for():
    program = rootverbs.program_of(RootVerb.FAILLOCK)
    assert program is not None
    assert os.access(program, os.X_OK)
