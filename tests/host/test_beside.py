"""The root helper as systemd starts it: for one caller, with few rights (security.md 12)."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from loginward.host.beside import connect
from loginward.host.clears import MOST
from loginward.host.roothelper import RootHelper
from loginward.host.rootverbs import RootVerb
from tests.doubles.systemd import PATIENCE_S, Accepting, as_user

ASK = """
import sys
from pathlib import Path
from loginward.host.roothelper import RootHelper
from loginward.host.rootverbs import RootVerb
helper = RootHelper.at(Path(sys.argv[1]))
print([helper.ask(RootVerb.FAILLOCK, int(uid)) for uid in sys.argv[2:]])
"""
HELPER = [sys.executable, "-I", "-m", "loginward.host.roothelper", "nobody"]
# What the unit leaves of root's rights.
BOUND = "--bounding-set=-all,+dac_override,+audit_write"
FEW_RIGHTS = ["setpriv", BOUND, "--inh-caps=-all", "--no-new-privs"]
NOBODYS = "only nobody may"


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="loginward-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def ask(user, path, *uids):
    """Ask as a user; return what was answered."""
    words = [sys.executable, "-I", "-c", ASK, path, *map(str, uids)]
    done = subprocess.run(
        [*as_user(user), *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.stdout.strip() or done.stderr


def test_the_agents_user_is_answered_and_each_question_has_a_process_of_its_own(folder):
    with Accepting(folder / "root.sock", HELPER) as unit:
        said = ask("nobody", unit.path, 0, 4_000_000_000)
        assert said == "['never for root', 'no such user on this host']"
        assert len(unit.processes) == 2
        assert unit.ended() == (0, "")


@pytest.mark.parametrize("user", ["daemon", "root"])
def test_nobody_else_is_heard_not_even_root(folder, user):
    with Accepting(folder / "root.sock", HELPER) as unit:
        said = ask(user, unit.path, 0)
        assert "the root helper" in said
        code, words = unit.ended()
        assert (code, NOBODYS in words) == (77, True)


def test_a_helper_for_a_user_that_is_not_there_hears_nobody(folder):
    with Accepting(folder / "root.sock", [*HELPER[:-1], "no-such-user"]) as unit:
        assert "the root helper" in ask("nobody", unit.path, 0)
        assert unit.ended() == (77, "loginward: error: there is no user no-such-user\n")


def test_with_the_few_rights_of_its_unit_it_resets_a_real_tally(folder):
    """R62: CAP_DAC_OVERRIDE and CAP_AUDIT_WRITE are enough; whoever asks again and again is refused.

    Each question has a process of its own: what they count lies where the unit says.
    """
    tallies, conf = folder / "tallies", folder / "faillock.conf"
    tallies.mkdir()
    conf.write_text(f"dir = {tallies}\n")
    tally = tallies / "nobody"
    failure = struct.pack("=52sHHQ", b"192.0.2.1", 0, 3, 1_800_000_000)
    tally.write_bytes(failure)
    os.chown(tally, 65534, 0)
    tally.chmod(0o600)
    script = 'mount --bind "$1" /etc/security/faillock.conf; shift; exec "$@"'
    own_conf = ["unshare", "-m", "sh", "-c", script, "sh", str(conf)]
    kept = folder / "loginward-root"
    kept.mkdir(0o700)
    command = [*own_conf, *FEW_RIGHTS, *HELPER]
    with Accepting(folder / "root.sock", command, {"RUNTIME_DIRECTORY": str(kept)}) as unit:
        assert ask("nobody", unit.path, 65534) == "['']"
        assert tally.stat().st_size == 0
        assert ask("nobody", unit.path, *[65534] * (MOST - 1)) == str([""] * (MOST - 1))
        tally.write_bytes(failure)
        assert "within the hour" in ask("nobody", unit.path, 65534)
        assert len(unit.processes) == MOST + 1
        assert unit.ended() == (0, "")
    assert tally.read_bytes() == failure


def test_where_nothing_can_be_counted_nothing_is_cleared(folder):
    with Accepting(folder / "root.sock", HELPER) as unit:
        assert "cannot be counted" in ask("nobody", unit.path, 65534)


@pytest.mark.fuzz
@pytest.mark.parametrize("octets", [b"x", b"/bin/sh -c id", struct.pack("!IBI", 1, 3, 1000)])
def test_what_is_not_understood_ends_it(folder, octets):
    """The caller is root's own test here; the octets come first all the same."""
    with Accepting(folder / "root.sock", [*HELPER[:-1], "root"]) as unit:
        with connect(unit.path, PATIENCE_S) as connection:
            connection.send(octets)
            assert connection.recv(100) == b""
        assert unit.ended() == (0, "")


def test_a_socket_that_root_does_not_listen_at_is_told_nothing(folder):
    """Whoever else got a socket in its place would be told new passwords, at the other helper."""
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    path = folder / "open/root.sock"
    code = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); "
        "s.bind(sys.argv[1]); s.listen(); print('listens', flush=True); "
        "print(s.accept()[0].recv(100))"
    )
    with subprocess.Popen(
        [*as_user("nobody"), sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "listens\n"
        helper = RootHelper.at(path)
        assert helper.ask(RootVerb.FAILLOCK, 1000) == "the root helper cannot be asked"
        assert other.stdout.readline() == "b''\n"


def test_where_nobody_listens_it_cannot_be_asked_and_later_it_can(folder):
    helper = RootHelper.at(folder / "root.sock")
    assert helper.ask(RootVerb.FAILLOCK, 0) == "the root helper cannot be asked"
    with Accepting(folder / "root.sock", [*HELPER[:-1], "root"]):
        assert helper.ask(RootVerb.FAILLOCK, 0) == "never for root"
    helper.close()


def test_standard_input_of_another_kind_is_refused():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        done = subprocess.run(
            HELPER, stdin=theirs, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert done.returncode == 77
    assert "not a Unix socket of packets" in done.stderr
