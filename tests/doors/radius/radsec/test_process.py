"""The connections of the process: what they may cost, and that one costs the others nothing."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from loginward.doors.radius.loop import Loop
from loginward.doors.radius.radsec import frames, process
from loginward.doors.radius.radsec.frames import (
    Close,
    Closed,
    Configure,
    Configured,
    End,
    Opened,
    Received,
    Send,
    Take,
)
from loginward.doors.radius.radsec.process import Connections, serve
from loginward.errors import ProtocolError
from tests.doors.radius.radsec.conftest import NAME
from tests.doubles.clock import FixedWall
from tests.doubles.moving import MovingClock
from tests.doubles.radsec_peer import RadsecPeer, client_context

PACKET = b"\x04\x07\x00\x1e" + bytes(26)
ANSWER = b"\x05\x07\x00\x14" + bytes(16)


class Desk:
    """The process in a thread, and the daemon's end of its socket."""

    def __init__(self, papers) -> None:
        self.papers = papers
        self.link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.settimeout(10)
        self.clock = MovingClock()
        self.configured = 0
        self.faults = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.error: Exception | None = None
        loop = Loop(self.clock, self._fault)

        def run() -> None:
            try:
                serve(theirs, loop, self.clock, self._configured)
            except (OSError, ProtocolError) as error:
                self.error = error
            finally:
                theirs.close()
                loop.close()

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def _fault(self) -> None:
        self.faults += 1

    def _configured(self) -> None:
        self.configured += 1

    def order(self, order, sock: socket.socket | None = None) -> None:
        beside = [] if sock is None else [sock.fileno()]
        socket.send_fds(self.link, [frames.encode(order)], beside)

    def heard(self):
        return frames.decode_report(self.link.recv(frames.MAX_OCTETS))

    def configure(self, files: Configure | None = None) -> Configured:
        self.order(files or self.papers.files)
        report = self.heard()
        assert isinstance(report, Configured)
        return report

    def take(self, number: int, name: str = NAME) -> None:
        sock, _ = self.listener.accept()
        with sock:
            self.order(Take(number, name), sock)

    def connect(self, number: int, shows=None) -> RadsecPeer:
        """Return a peer that has been let in."""
        taking = threading.Thread(target=self.take, args=(number,))
        taking.start()
        context = client_context(self.papers.ours.ca_file, shows or self.papers.nas)
        peer = RadsecPeer(self.port, context)
        taking.join(10)
        assert self.heard() == Opened(number)
        return peer

    def bare(self, number: int) -> socket.socket:
        """Return a connection that has been taken, and has said nothing."""
        bare = socket.create_connection(("127.0.0.1", self.port), 10)
        self.take(number)
        self.configure()  # what was ordered before has been done
        return bare

    def pass_s(self, seconds: float) -> None:
        """Let time pass, and the process look, once it has done what was asked before."""
        self.configure()
        self.clock.pass_s(seconds)
        self.order(Close(0))  # wakes it

    def close(self) -> None:
        self.link.close()
        self.thread.join(10)
        self.listener.close()
        assert not self.thread.is_alive()


@pytest.fixture
def bare_desk(papers):
    made = Desk(papers)
    yield made
    made.close()
    assert made.faults == 0


@pytest.fixture
def desk(bare_desk):
    assert bare_desk.configure() == Configured()
    return bare_desk


def test_packets_go_both_ways(desk):
    with desk.connect(1) as peer:
        peer.sock.sendall(PACKET + PACKET[:5])
        assert desk.heard() == Received(1, PACKET)
        peer.sock.sendall(PACKET[5:])
        assert desk.heard() == Received(1, PACKET)
        desk.order(Send(1, ANSWER))
        assert peer.receive().raw == ANSWER
    assert desk.heard() == Closed(1, End.HUNG_UP)


def test_each_has_its_own_and_what_one_does_costs_no_other(desk):
    with desk.connect(1) as one, desk.connect(2) as two:
        one.sock.sendall(b"\1\1\0\1")
        assert desk.heard() == Closed(1, End.MALFORMED)
        assert one.receive() is None
        two.sock.sendall(PACKET)
        assert desk.heard() == Received(2, PACKET)
        desk.order(Send(1, ANSWER))
        desk.order(Close(2))
        assert two.receive() is None


def test_who_is_not_let_in_is_told_of_with_the_reason(desk, papers):
    context = client_context(papers.ours.ca_file)
    taking = threading.Thread(target=desk.take, args=(1,))
    taking.start()
    with contextlib.suppress(OSError), RadsecPeer(desk.port, context) as peer:
        assert peer.receive() is None
    taking.join(10)
    report = desk.heard()
    assert report == Closed(1, End.NO_HANDSHAKE, "peer did not return a certificate")


@pytest.mark.parametrize(
    ("begun", "after_s", "end"),
    [
        pytest.param(b"", process.HANDSHAKE_S, End.SLOW_HANDSHAKE, id="says-nothing"),
        pytest.param(b"\x16\x03\x01\x02", process.HANDSHAKE_S, End.SLOW_HANDSHAKE, id="says-little"),
    ],
)  # fmt: skip
def test_a_handshake_takes_so_long_and_no_longer(desk, begun, after_s, end):
    with desk.bare(1) as bare:
        bare.sendall(begun)
        desk.pass_s(after_s - 0.1)
        with desk.connect(2) as other:
            other.sock.sendall(PACKET)
            assert desk.heard() == Received(2, PACKET)
            desk.pass_s(1.2)
            assert desk.heard() == Closed(1, end)
            assert bare.recv(99) == b""


def test_a_packet_once_begun_is_finished_or_the_connection_is_closed(desk):
    with desk.connect(1) as peer:
        peer.sock.sendall(PACKET + PACKET[:7])
        assert desk.heard() == Received(1, PACKET)
        desk.pass_s(process.PACKET_S + 1.1)
        assert desk.heard() == Closed(1, End.SLOW_PACKET)
        assert peer.receive() is None


def test_one_that_says_nothing_for_long_is_closed(desk):
    with desk.connect(1), desk.connect(2) as busy:
        desk.pass_s(process.IDLE_S - 1)
        busy.sock.sendall(PACKET)
        assert desk.heard() == Received(2, PACKET)
        desk.pass_s(2.1)
        assert desk.heard() == Closed(1, End.IDLE)
        busy.sock.sendall(PACKET)
        assert desk.heard() == Received(2, PACKET)


def test_one_whose_certificate_ends_is_closed(desk, papers):
    end = x509.load_pem_x509_certificate(papers.nas.cert_file.read_bytes()).not_valid_after_utc
    with desk.connect(1):
        desk.clock._start = end - timedelta(seconds=100)
        desk.pass_s(98)
        assert desk.configure() == Configured()
        desk.pass_s(4)
        assert desk.heard() == Closed(1, End.EXPIRED)


def test_one_that_does_not_read_is_closed_and_the_others_are_served(desk):
    packet = b"\2\1\x10\0" + bytes(4092)
    with desk.connect(1) as deaf, desk.connect(2) as other:
        report, until = None, time.monotonic() + 20
        while report is None:
            assert time.monotonic() < until, "a peer that does not read is kept"
            said, room, _ = select.select([desk.link], [desk.link], [], 1)
            if said:
                report = desk.heard()
            elif room:
                desk.order(Send(1, packet))
        assert report == Closed(1, End.SLOW_READER)
        other.sock.sendall(PACKET)
        assert desk.heard() == Received(2, PACKET)
        del deaf


def test_nobody_is_taken_before_it_is_configured(bare_desk):
    with socket.create_connection(("127.0.0.1", bare_desk.port), 10) as bare:
        bare_desk.take(1)
        assert bare_desk.heard() == Closed(1, End.NO_ROOM)
        assert bare.recv(9) == b""
    bare_desk.order(Take(2, NAME))
    assert bare_desk.heard() == Closed(2, End.NO_ROOM)


def test_files_that_cannot_be_used_leave_the_earlier_ones_in_use(bare_desk, papers):
    wrong = msgspec.structs.replace(papers.files, key_file="/nonexistent")
    assert bare_desk.configure(wrong).key == "key_file"
    assert bare_desk.configured == 0
    assert bare_desk.configure() == Configured()
    assert bare_desk.configured == 1
    assert bare_desk.configure(wrong).key == "key_file"
    bare_desk.connect(1).sock.close()
    assert bare_desk.configured == 1


def test_what_may_not_be_read_any_more_stays_as_it_was_and_only_that(papers, monkeypatch):
    def forbidden(files: Configure):
        raise PermissionError(13, "Permission denied", files.key_file)

    said = []
    clock = FixedWall()
    loop = Loop(clock, lambda: None)
    made = Connections(loop, clock, said.append)
    made.handle(papers.files, None)
    monkeypatch.setattr(process, "server_context", forbidden)
    made.handle(papers.files, None)
    assert said == [Configured(), Configured()]
    made.handle(msgspec.structs.replace(papers.files, key_file="/other"), None)
    assert said[-1] == Configured("", "/other: Permission denied")
    later = Connections(loop, clock, said.append)
    later.handle(papers.files, None)
    loop.close()
    assert "Permission denied" in said[-1].problem


def test_new_files_are_for_new_connections(desk, papers, tmp_path):
    from tests.live.certificates import Authority

    others = Authority(tmp_path, "other clients")
    with desk.connect(1) as old:
        files = msgspec.structs.replace(papers.files, client_ca_file=str(others.ca_file))
        assert desk.configure(files) == Configured()
        with desk.connect(2, others.client("n", "n", x509.DNSName(NAME))) as new:
            for number, peer in ((1, old), (2, new)):
                peer.sock.sendall(PACKET)
                assert desk.heard() == Received(number, PACKET)


def test_it_ends_with_the_daemon_and_with_what_is_no_order(papers):
    first = Desk(papers)
    first.close()
    assert first.error is None
    second = Desk(papers)
    second.link.send(b"hello")
    second.thread.join(10)
    second.close()
    assert isinstance(second.error, ProtocolError)


def test_a_daemon_that_is_gone_while_something_is_told_ends_it_too(desk):
    with desk.connect(1) as peer:
        desk.link.shutdown(socket.SHUT_RD)
        peer.sock.sendall(PACKET)
        desk.thread.join(10)
        assert isinstance(desk.error, OSError)


def test_descriptors_are_given_back(desk):
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for number in range(20):
        with desk.connect(number) as peer:
            peer.sock.sendall(b"\1\1\0\1")
            assert desk.heard() == Closed(number, End.MALFORMED)
    assert count() <= before + 1
