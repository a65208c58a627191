"""The process that alone holds the admin account: what goes to it, what comes back (security.md 12)."""

from __future__ import annotations

import os
import socket
import struct
import threading
from datetime import UTC, datetime

import pytest

from loginward.core.acts import Verb
from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts
from loginward.core.secret import Secret
from loginward.directory.port import Act, Done, NotDone
from loginward.errors import ConfigError, DirectoryUnavailable
from loginward.runtime.admin_process import AdminProcess, Order, serve
from loginward.runtime.clock import SystemClock

CLOCK = SystemClock()
ANN = AccountFacts(
    account_id="id-ann", name="ann", ref="uid=ann,dc=b", read_at=datetime(2026, 6, 1, tzinfo=UTC)
)


class Recording:
    """A directory that notes what it is told, and answers or raises what it was given."""

    def __init__(self, answer):
        self.answer = answer
        self.told = []
        self.closed = threading.Event()

    def act(self, account, act, deadline):
        self.told.append((account, act, deadline.left, os.getpid()))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        self.closed.set()


@pytest.fixture
def beside():
    """Return the maker of a process's two ends; here its other end is a thread."""
    made = []

    def make(answer):
        ours, theirs = socket.socketpair()
        directory = Recording(answer)
        thread = threading.Thread(target=serve, args=(theirs, directory, CLOCK))
        thread.start()
        made.append((ours, theirs, thread))
        return AdminProcess(os.getpid(), ours), directory, ours

    yield make
    for ours, theirs, thread in made:
        ours.close()
        thread.join(10)
        theirs.close()
        assert not thread.is_alive()


def act(process, verb=Verb.UNLOCK, *, budget_s=5.0, **more):
    return process.act(ANN, Act(verb=verb, **more), Deadline.after(budget_s, CLOCK))


def test_an_order_arrives_as_it_was_given(beside):
    process, directory, _ = beside(Done())
    act(process, Verb.RESET_PASSWORD, password=Secret(b"next-horse\x00\xff"), force=True)
    ((account, told, left, _),) = directory.told
    assert (account.account_id, account.name, account.ref) == ("id-ann", "ann", "uid=ann,dc=b")
    assert (told.verb, told.force) == (Verb.RESET_PASSWORD, True)
    assert told.password.reveal() == b"next-horse\x00\xff"
    assert 0 < left <= 5.0


def test_an_order_without_a_password_brings_none(beside):
    process, directory, _ = beside(Done())
    act(process)
    assert directory.told[0][1].password is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Done(), id="done"),
        pytest.param(Done(was_noop=True, notes=("it was not locked",)), id="noop"),
        pytest.param(NotDone("the directory refused it"), id="not-done"),
    ],
)
def test_what_the_directory_answers_comes_back(beside, answer):
    process, _, _ = beside(answer)
    assert act(process) == answer
    assert act(process) == answer


def test_a_directory_that_does_not_answer_is_said_to_be_that_and_the_next_order_is_taken(beside):
    process, directory, _ = beside(DirectoryUnavailable("connect", "unplugged"))
    with pytest.raises(DirectoryUnavailable) as caught:
        act(process)
    assert caught.value.stage == "connect"
    directory.answer = Done()
    assert act(process) == Done()


def test_another_fault_of_ours_is_a_refusal_and_no_end_of_the_process(beside):
    process, _, _ = beside(ConfigError("directory.admin_account", "no rights"))
    assert act(process) == NotDone("directory.admin_account: no rights")
    assert act(process) == NotDone("directory.admin_account: no rights")


def test_a_process_that_is_gone_is_a_directory_that_cannot_be_had():
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(DirectoryUnavailable):
        act(AdminProcess(os.getpid(), ours))


def test_a_process_that_hangs_is_waited_for_no_longer_than_the_order_may_take():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(DirectoryUnavailable):
        act(AdminProcess(os.getpid(), ours), budget_s=-0.9)


def test_a_late_reply_is_not_taken_for_that_to_the_next_order(beside):
    """An operator who gave up is told nothing more; the next one is told of their own order."""
    process, directory, _ = beside(NotDone("the first one's"))
    may_answer, slow = threading.Event(), directory.act

    def late(account, act, deadline):
        may_answer.wait(10)
        return slow(account, act, deadline)

    directory.act = late
    with pytest.raises(DirectoryUnavailable):
        act(process, budget_s=-0.9)
    directory.act = lambda *_: Done(notes=("the second one's",))
    may_answer.set()
    assert act(process) == Done(notes=("the second one's",))


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(struct.pack("!I", 65537), id="too-long"),
        pytest.param(struct.pack("!I", 4) + b"\xc1\xc1\xc1\xc1", id="no-order"),
        pytest.param(struct.pack("!I", 100), id="cut-off"),
    ],
)
def test_nonsense_ends_the_process_and_its_connections(beside, octets):
    """Only the daemon has the other end: what is not an order means that it is gone."""
    _, directory, link = beside(Done())
    link.sendall(octets)
    link.shutdown(socket.SHUT_WR)
    assert directory.closed.wait(10)
    assert directory.told == []


def test_no_repr_shows_the_password():
    order = Order(
        number=1,
        verb=Verb.RESET_PASSWORD,
        account_id="id-ann",
        name="ann",
        ref="",
        budget_s=1.0,
        password=b"next-horse",
    )
    assert "horse" not in f"{order!r} {order}"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_of_its_own_holds_the_directory_and_ends_with_the_socket():
    class Tells(Recording):
        def act(self, account, act, deadline):
            return Done(notes=(str(os.getpid()),))

    process = AdminProcess.fork(lambda: Tells(None), CLOCK)
    (pid,) = act(process).notes
    assert int(pid) != os.getpid()
    process.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(int(pid), os.WNOHANG)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_directory_that_cannot_be_opened_there_ends_that_process_alone():
    def failing():
        raise SystemExit("no such server")

    process = AdminProcess.fork(failing, CLOCK)
    with pytest.raises(DirectoryUnavailable):
        act(process)
    process.close()
