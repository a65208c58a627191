"""What a session may cost: number, time, share of a client, octets; and a fault costs one alone."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from loginward.doors.radius.eap import contexts, frames, process
from loginward.doors.radius.eap.frames import (
    Configure,
    Configured,
    Receive,
    Resume,
    Start,
    Turned,
)
from loginward.doors.radius.eap.process import Handshakes
from loginward.doors.radius.eap.session import EapSession
from loginward.doors.radius.eap.turns import (
    Accept,
    Accepted,
    Ask,
    EapMethod,
    Failed,
    NeedsPassword,
    Send,
    Why,
)
from loginward.errors import ProtocolError
from loginward.wire.eap import packet
from tests.doors.radius.eap.conftest import RealWall
from tests.doors.radius.eap.driving import all_methods
from tests.doubles.eap_peer import PEAP, Peer
from tests.live.certificates import Authority

IDENTITY = packet.response(7, 1, b"anonymous")


class Passing(RealWall):
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def monotonic(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Passing:
    return Passing()


@pytest.fixture
def handshakes(site, clock) -> Handshakes:
    made = Handshakes(clock)
    assert made.handle(Configure(site.eap)) == Configured()
    return made


def started(handshakes, session=1, client="wifi", octets=IDENTITY):
    report = handshakes.handle(Start(session, client, all_methods(), 1000, octets))
    assert isinstance(report, Turned)
    assert report.session == session
    return report.turn


def received(handshakes, octets, session=1):
    return handshakes.handle(Receive(session, octets)).turn


def why(turn) -> Why:
    assert isinstance(turn, Failed), turn
    return turn.why


def converse(handshakes, peer, session=1):
    turn = started(handshakes, session, octets=b"")
    while isinstance(turn, Send):
        turn = received(handshakes, peer.answer(turn.eap), session)
    return turn


def test_a_whole_login_leaves_nothing_behind(site, handshakes):
    turn = converse(handshakes, Peer(site.authority.ca_file))
    assert isinstance(turn, NeedsPassword)
    assert len(handshakes) == 1
    turn = handshakes.handle(Resume(1, Accept(), 9)).turn
    assert isinstance(turn, Accepted)
    assert len(handshakes) == 0
    assert handshakes._of_client == {}
    assert handshakes._octets == 0
    assert why(received(handshakes, IDENTITY)) is Why.UNKNOWN_SESSION


def test_sessions_have_a_number_that_is_not_passed(handshakes, monkeypatch):
    monkeypatch.setattr(process, "MAX_SESSIONS", 3)
    for n in range(3):
        assert isinstance(started(handshakes, n), Send)
    turn = started(handshakes, 4)
    assert why(turn) is Why.BUSY
    assert turn.eap == packet.failure(7)
    assert len(handshakes) == 3
    assert why(received(handshakes, b"", 0)) is Why.MALFORMED  # it ends, and makes room
    assert isinstance(started(handshakes, 5), Send)


def test_one_client_leaves_room_for_the_others(handshakes, monkeypatch):
    monkeypatch.setattr(process, "MAX_OF_A_CLIENT", 2)
    for n in range(2):
        assert isinstance(started(handshakes, n, "wifi"), Send)
    assert why(started(handshakes, 2, "wifi")) is Why.BUSY
    assert isinstance(started(handshakes, 3, "vpn"), Send)


def test_who_goes_silent_is_forgotten_after_half_a_minute(handshakes, clock):
    started(handshakes, 1)
    clock.moment += 29.9
    started(handshakes, 2)
    handshakes.expire()
    assert len(handshakes) == 2
    clock.moment += 0.1
    assert why(received(handshakes, IDENTITY, 1)) is Why.UNKNOWN_SESSION
    clock.moment += 29.9
    handshakes.expire()
    assert len(handshakes) == 0
    assert handshakes._of_client == {}


def test_who_speaks_is_heard_on_but_not_for_ever(site, handshakes, clock):
    """A person who types gets two minutes (security.md 21)."""
    peer = Peer(site.authority.ca_file, PEAP)
    assert isinstance(converse(handshakes, peer), NeedsPassword)
    for _ in range(4):
        clock.moment += 28
        turn = handshakes.handle(Resume(1, Ask("Code: "), 9)).turn
        assert isinstance(turn, Send)
        assert isinstance(received(handshakes, peer.answer(turn.eap)), NeedsPassword)
    clock.moment += 10
    turn = handshakes.handle(Resume(1, Accept(), 9)).turn
    assert why(turn) is Why.UNKNOWN_SESSION
    assert turn.eap == packet.failure(9)


def test_pieces_held_for_all_sessions_have_a_bound(handshakes, monkeypatch):
    monkeypatch.setattr(process, "MAX_HELD", 5000)
    for n in range(3):
        turn = started(handshakes, n)
        turn = received(handshakes, packet.response(turn.eap[1], 21, b"\x40" + bytes(1600)), n)
        assert isinstance(turn, Send)
    turn = started(handshakes, 3)
    turn = received(handshakes, packet.response(turn.eap[1], 21, b"\x40" + bytes(1600)), 3)
    assert why(turn) is Why.BUSY
    assert len(handshakes) == 3
    assert handshakes._octets == 4800


def test_a_fault_of_ours_costs_its_session_alone(handshakes, monkeypatch, caplog):
    started(handshakes, 1)
    started(handshakes, 2)
    monkeypatch.setattr(EapSession, "receive", lambda *_: 1 // 0)
    assert why(received(handshakes, IDENTITY, 1)) is Why.FAULT
    assert len(handshakes) == 1
    assert "ZeroDivisionError" in caplog.text


def test_without_files_nothing_begins(clock):
    assert why(started(Handshakes(clock))) is Why.BUSY


class TestConfiguring:
    def test_files_that_cannot_be_used_leave_the_earlier_ones_in_use(
        self, site, handshakes, tmp_path
    ):
        broken = tmp_path / "broken.pem"
        broken.write_text("")
        report = handshakes.handle(Configure(replace(site.eap, key_file=broken)))
        assert isinstance(report, Configured)
        assert report.path == "doors.radius.eap.key_file"
        assert isinstance(converse(handshakes, Peer(site.authority.ca_file)), NeedsPassword)

    def test_sessions_go_on_with_what_they_began_with(self, site, handshakes, tmp_path):
        peer = Peer(site.authority.ca_file)
        turn = started(handshakes, octets=b"")
        for _ in range(3):
            turn = received(handshakes, peer.answer(turn.eap))
        other = Authority(tmp_path).server("other")
        changed = replace(site.eap, cert_file=other.cert_file, key_file=other.key_file)
        assert handshakes.handle(Configure(changed)) == Configured()

        while isinstance(turn, Send):
            turn = received(handshakes, peer.answer(turn.eap))
        assert isinstance(turn, NeedsPassword)
        assert why(converse(handshakes, Peer(site.authority.ca_file), 2)) is Why.HANDSHAKE

    def test_rights_are_given_up_after_the_first_files_and_once(self, site, clock):
        given_up = []
        handshakes = Handshakes(clock, lambda: given_up.append(1))
        handshakes.handle(Configure(replace(site.eap, key_file=Path("/nonexistent"))))
        assert given_up == []
        for _ in range(2):
            handshakes.handle(Configure(site.eap))
        assert given_up == [1]

    def test_what_root_alone_may_read_stays_as_it_was_read(self, site, clock, monkeypatch):
        handshakes = Handshakes(clock)
        handshakes.handle(Configure(site.eap))

        def forbidden(file: Path) -> bytes:
            if file == site.eap.key_file:
                raise PermissionError(13, "Permission denied")
            return contexts.read_file(file)

        monkeypatch.setattr(process, "read_file", forbidden)
        assert handshakes.handle(Configure(site.eap)) == Configured()
        fresh = Handshakes(clock).handle(Configure(site.eap))
        assert isinstance(fresh, Configured)
        assert "Permission denied" in fresh.problem


class TestServing:
    @pytest.fixture
    def link(self, handshakes):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ended = []

        def run():
            try:
                process.serve(theirs, handshakes)
            except ProtocolError:
                ended.append("refused")
            else:
                ended.append("closed")
            theirs.close()

        thread = threading.Thread(target=run)
        thread.start()
        ours.settimeout(10)
        yield ours, ended
        ours.close()
        thread.join(10)

    def test_an_order_has_one_report(self, link):
        ours, _ = link
        for n in (1, 2):
            ours.send(frames.encode(Start(n, "wifi", all_methods(), 1000, IDENTITY)))
        reports = [frames.decode_report(ours.recv(frames.MAX_OCTETS)) for _ in (1, 2)]
        assert [report.session for report in reports] == [1, 2]

    def test_what_is_no_order_ends_it(self, link):
        ours, ended = link
        ours.send(b"hello")
        assert ours.recv(10) == b""
        assert ended == ["refused"]

    def test_the_daemons_end_ends_it(self, handshakes):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.close()
        process.serve(theirs, handshakes)
        theirs.close()


def test_methods_are_all_known():
    assert {method.value for method in EapMethod} == {
        "eap-ttls-pap", "eap-ttls-gtc", "peap-gtc", "eap-tls",
    }  # fmt: skip
