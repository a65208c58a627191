"""The admin account's process: an order goes out once, and its own answer comes back."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import msgspec
import pytest

from loginward.core.acts import Verb
from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts
from loginward.core.secret import Secret
from loginward.directory.port import Act, Done, HiddenGroup, NotDone
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.runtime.admin_process import AdminProcess, Order, Reply, serve
from loginward.runtime.clock import SystemClock
from tests.doubles.moving import NOW
from tests.doubles.sockets import connections, listening, packets, served

CLOCK = SystemClock()
WHO = AccountFacts(account_id="id-1", name="bob", ref="uid=bob", read_at=NOW)


class Directory:
    """Keeps the acts, and answers what it is told to; each act is as slow as it is told to be."""

    def __init__(self, *answers):
        self.acts, self.answers, self.closed = [], list(answers), False
        self.hidden = ()

    def hidden_groups(self, names, deadline):
        if isinstance(self.hidden, Exception):
            raise self.hidden
        return self.hidden

    def act(self, account, act, deadline):
        self.acts.append((account.account_id, account.name, account.ref, act, deadline.left))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        self.closed = True


def act(process, verb=Verb.UNLOCK, within_s=5.0, **more):
    return process.act(WHO, Act(verb=verb, **more), Deadline.after(within_s, CLOCK))


@pytest.fixture
def ends():
    with packets() as pair:
        yield pair


@pytest.fixture
def serving(ends):
    """A directory and the daemon's end of the process that has it."""
    ours, theirs = ends
    directory = Directory()
    with served(ours, serve, theirs, directory, CLOCK):
        yield directory, AdminProcess(ours)
    assert directory.closed, "it ends with the daemon"


@pytest.mark.parametrize(
    "answer",
    [Done(), Done(was_noop=True), Done(notes=("first", "second")), NotDone("it is nobody's")],
)
def test_an_act_is_carried_out_for_the_account_and_its_answer_comes_back(serving, answer):
    directory, process = serving
    directory.answers = [answer]
    got = act(process, Verb.RESET_PASSWORD, password=Secret(b"new-horse-42"), force=True)
    assert got == answer
    (account_id, name, ref, done, left) = directory.acts[0]
    assert (account_id, name, ref) == ("id-1", "bob", "uid=bob")
    assert (done.verb, done.password.reveal(), done.force) == (
        Verb.RESET_PASSWORD,
        b"new-horse-42",
        True,
    )
    assert 0 < left <= 5


def test_what_its_account_cannot_see_comes_back(serving):
    """security.md 16; that it cannot be asked is not that all is seen."""
    directory, process = serving
    directory.hidden = (HiddenGroup("staff", "directory.admin_account"),)
    assert process.hidden_groups(Deadline.after(5, CLOCK)) == directory.hidden
    for fault in (DirectoryUnavailable("bind"), ProtocolError("a strange answer")):
        directory.hidden = fault
        with pytest.raises(DirectoryUnavailable):
            process.hidden_groups(Deadline.after(5, CLOCK))
    directory.hidden = ()
    assert process.hidden_groups(Deadline.after(5, CLOCK)) == ()
    assert directory.acts == []


def test_a_directory_that_is_away_is_said_and_a_fault_refuses(serving):
    directory, process = serving
    directory.answers = [DirectoryUnavailable("bind"), ProtocolError("a strange answer"), Done()]
    with pytest.raises(DirectoryUnavailable, match="bind"):
        act(process)
    assert isinstance(act(process), NotDone)
    assert act(process) == Done(), "it goes on"


def test_an_answer_too_late_is_not_taken_for_the_next_ones(ends):
    """Told "done" for another's order, an administrator would believe a lock ended that stands."""
    ours, theirs = ends
    process = AdminProcess(ours)
    with pytest.raises(DirectoryUnavailable):
        act(process, within_s=-0.95)
    late = msgspec.msgpack.decode(theirs.recv(65536), type=Order)

    def answer():
        mine = msgspec.msgpack.decode(theirs.recv(65536), type=Order)
        theirs.send(msgspec.msgpack.encode(Reply(number=late.number, noop=True)))
        theirs.send(msgspec.msgpack.encode(Reply(number=mine.number, refused="no right to")))

    thread = threading.Thread(target=answer)
    thread.start()
    assert act(process) == NotDone("no right to")
    thread.join(10)


def test_no_secret_is_in_the_order_as_it_is_written_into_a_log():
    """I15."""
    order = Order(number=1, verb=Verb.RESET_PASSWORD, account_id="1", name="bob", ref="", budget_s=1.0,
                  password=b"new-horse-42")  # fmt: skip
    assert "horse" not in repr(order)


@pytest.mark.fuzz
@pytest.mark.parametrize("octets", [b"\xc1", b"x" * 1000, msgspec.msgpack.encode({"number": 1})])
def test_what_is_no_order_ends_the_process_and_does_nothing(ends, octets):
    ours, theirs = ends
    directory = Directory()
    ours.send(octets)
    serve(theirs, directory, CLOCK)
    assert (directory.acts, directory.closed) == ([], True)


def test_a_forked_one_ends_when_it_is_closed():
    process = AdminProcess.fork(lambda: Directory(Done(was_noop=True)), CLOCK)
    pid = process._pid
    assert act(process) == Done(was_noop=True)
    process.close()
    process.close()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(DirectoryUnavailable):
        act(process)


def test_a_forked_one_holds_its_socket_and_nothing_of_the_daemons(tmp_path):
    """security.md 12: the daemon's end of the root helper is the daemon's alone."""
    with packets() as (ours, _), (tmp_path / "secret").open("w"):
        os.set_inheritable(ours.fileno(), True)
        process = AdminProcess.fork(lambda: Directory(Done()), CLOCK)
        assert act(process) == Done()
        held = {
            int(path.name): str(path.readlink())
            for path in Path(f"/proc/{process._pid}/fd").iterdir()
        }
        process.close()
    assert (held.pop(0), held.pop(1)) == ("/dev/null", "/dev/null")
    assert held.pop(2) == str(Path("/proc/self/fd/2").readlink()), "it says what goes wrong"
    (link,) = held.values()
    assert link.startswith("socket:")


class Unit:
    """Listens, and answers each order of each connection with what it counts."""

    def __init__(self, path):
        self.connections, self.orders = [], 0
        self._listener = listening(path, socket.SOCK_SEQPACKET)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        for connection in connections(self._listener):
            self.connections.append(connection)
            while octets := connection.recv(65536):
                self.orders += 1
                order = msgspec.msgpack.decode(octets, type=Order)
                if order.force:  # dies of it
                    break
                connection.send(msgspec.msgpack.encode(Reply(number=order.number)))
            connection.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def unit(tmp_path):
    made = Unit(tmp_path / "writer.sock")
    yield made
    made.close()


def test_one_that_systemd_starts_is_reached_when_it_is_needed_and_once(tmp_path, unit):
    process = AdminProcess.at(tmp_path / "writer.sock")
    assert unit.connections == []
    assert act(process) == Done()
    assert act(process) == Done()
    assert (len(unit.connections), unit.orders) == (1, 2)
    process.close()


def test_one_that_died_of_an_order_is_started_again_for_the_next_and_not_told_twice(tmp_path, unit):
    """An order that was sent may have been carried out: it is not sent again."""
    process = AdminProcess.at(tmp_path / "writer.sock")
    with pytest.raises(DirectoryUnavailable):
        act(process, force=True)
    assert unit.orders == 1
    assert act(process) == Done()
    assert (len(unit.connections), unit.orders) == (2, 2)
    process.close()


def test_where_none_listens_the_act_is_not_done(tmp_path):
    process = AdminProcess.at(tmp_path / "writer.sock")
    with pytest.raises(DirectoryUnavailable) as raised:
        act(process)
    assert raised.value.stage == "admin-account"
    process.close()
