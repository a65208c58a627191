"""The process with root's rights: a socket, a closed list, nothing else (security.md 12)."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from loginward.host import roothelper
from loginward.host.clears import Clears
from loginward.host.roothelper import RootHelper, serve
from loginward.host.rootverbs import RootVerb
from tests.doubles.sockets import packets, served

ASK = struct.Struct("!IBI")
AGENT = str(Path(roothelper.__file__).parents[2])


@pytest.fixture
def pair():
    with packets() as pair:
        yield pair


@pytest.fixture
def asked(monkeypatch):
    seen = []

    def carry_out(verb, uid, _clears):
        seen.append((verb, uid))
        return "no such user" if uid == 7 else ""

    monkeypatch.setattr(roothelper, "carry_out", carry_out)
    return seen


@pytest.fixture
def helper(pair, asked):
    ours, theirs = pair
    with served(ours, serve, theirs, Clears(None)):
        yield RootHelper(ours)


def test_a_verb_and_a_uid_are_asked_for_and_the_outcome_comes_back(helper, asked):
    assert helper.ask(RootVerb.FAILLOCK, 1000) == ""
    assert helper.ask(RootVerb.SSSD, 7) == "no such user"
    assert asked == [(RootVerb.FAILLOCK, 1000), (RootVerb.SSSD, 7)]


def test_many_threads_each_get_their_own_answer(helper):
    answers = []

    def ask(uid):
        answers.append((uid, helper.ask(RootVerb.FAILLOCK, uid)))

    threads = [threading.Thread(target=ask, args=(uid,)) for uid in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(uid, "no such user" if uid == 7 else "") for uid in range(1, 21)]


@pytest.mark.fuzz
@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(ASK.pack(1, 0, 1000)[:-1], id="short"),
        pytest.param(ASK.pack(1, 0, 1000) + b"x", id="long"),
        pytest.param(ASK.pack(1, 3, 1000), id="no-such-verb"),
        pytest.param(ASK.pack(1, 255, 1000), id="last-verb"),
        pytest.param(b"/bin/sh -c id", id="a-command"),
    ],
)
def test_what_is_not_understood_ends_it_and_does_nothing(pair, asked, octets):
    ours, theirs = pair
    ours.send(octets)
    serve(theirs, Clears(None))
    assert asked == []


def test_an_answer_too_late_is_not_taken_for_the_next(pair):
    ours, theirs = pair
    helper = RootHelper(ours)
    assert "in time" in helper.ask(RootVerb.FAILLOCK, 1, within_s=0.01)
    late, _, _ = ASK.unpack(theirs.recv(100))

    def answer():
        number, _, _ = ASK.unpack(theirs.recv(100))
        theirs.send(struct.pack("!I", late) + b"too late")
        theirs.send(struct.pack("!I", number) + b"mine")

    thread = threading.Thread(target=answer)
    thread.start()
    assert helper.ask(RootVerb.FAILLOCK, 2) == "mine"
    thread.join()


def test_a_helper_that_is_gone_is_said(pair):
    ours, theirs = pair
    theirs.close()
    helper = RootHelper(ours)
    assert helper.ask(RootVerb.FAILLOCK, 1) == "the root helper cannot be asked"
    helper.close()
    helper.close()
    assert helper.ask(RootVerb.FAILLOCK, 1) == "the root helper cannot be asked"


FORK = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from loginward.host.roothelper import RootHelper
from loginward.host.rootverbs import RootVerb
kept = open("/etc/hostname")
os.environ["SECRET"] = "hunter2"
helper = RootHelper.fork()
pid = helper._pid
answer = helper.ask(RootVerb.FAILLOCK, 0)
folder = f"/proc/{pid}/fd"
held = sorted(os.readlink(f"{folder}/{name}").partition(":")[0] for name in os.listdir(folder))
print(json.dumps({"pid": pid, "answer": answer, "held": held, "cwd": os.readlink(f"/proc/{pid}/cwd")}))
sys.stdout.flush()
if sys.argv[2] == "close":
    helper.close()
    print(os.path.exists(f"/proc/{pid}"))
else:
    os.kill(os.getpid(), 9)
"""


def forked(end):
    run = subprocess.run(
        [sys.executable, "-c", FORK, AGENT, end],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    first, *rest = run.stdout.splitlines()
    return json.loads(first), rest


def test_the_helper_holds_its_socket_and_nothing_else():
    seen, rest = forked("close")
    assert seen["answer"] == "never for root"
    assert seen["held"] == ["/dev/null"] * 3 + ["socket"]
    assert seen["cwd"] == "/"
    assert rest == ["False"], "closing ends it"


def test_it_does_not_outlive_the_daemon():
    seen, _ = forked("kill")
    for _ in range(500):
        if not _runs(seen["pid"]):
            return
        threading.Event().wait(0.01)
    pytest.fail("the helper goes on without its daemon")


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
