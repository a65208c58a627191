"""One connection before real peers: who is let in, what is read, and what ends it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable

import pytest
from cryptography import x509

from loginward.doors.radius.radsec.connection import MAX_UNSENT, Connection, EndedError
from loginward.doors.radius.radsec.context import server_context
from loginward.doors.radius.radsec.frames import End
from tests.doors.radius.radsec.conftest import NAME
from tests.doubles.radsec_peer import client_context
from tests.live.certificates import Authority

PACKET = b"\x04\x07\x00\x1e" + bytes(26)
PATIENCE_S = 10
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Talk:
    """A connection of ours and its peer at both ends of loopback."""

    def __init__(self, papers, name: str = NAME) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.bare = socket.create_connection(listener.getsockname(), PATIENCE_S)
            ours, _ = listener.accept()
        self.ours = Connection(ours, server_context(papers.files), name)
        self.peer: ssl.SSLSocket | None = None

    def shake_hands(self, context: ssl.SSLContext) -> None:
        """Let both ends shake hands; raises what ours raises."""

        def connect() -> None:
            with contextlib.suppress(OSError):
                self.peer = context.wrap_socket(self.bare, server_hostname="localhost")

        peer = threading.Thread(target=connect)
        peer.start()
        try:
            while self.ours.until is None:
                self.wait()
                self.ours.shake_hands()
        finally:
            if self.ours.until is None:
                self.ours.close()
            peer.join(PATIENCE_S)

    def wait(self) -> None:
        import select

        assert select.select([self.ours], [], [], PATIENCE_S)[0]

    def received(self, until: Callable[[list[bytes]], bool]) -> list[bytes]:
        packets: list[bytes] = []
        while not until(packets):
            self.wait()
            packets += self.ours.receive()
        return packets

    def close(self) -> None:
        self.ours.close()
        (self.peer or self.bare).close()


@pytest.fixture
def talk(papers):
    made = Talk(papers)
    yield made
    made.close()


@pytest.fixture
def open_talk(papers, talk):
    talk.shake_hands(client_context(papers.ours.ca_file, papers.nas))
    return talk


@pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
def test_who_proves_its_name_is_heard_and_answered(papers, talk, version):
    talk.shake_hands(client_context(papers.ours.ca_file, papers.nas, version=version))
    certificate = x509.load_pem_x509_certificate(papers.nas.cert_file.read_bytes())
    assert talk.ours.until == certificate.not_valid_after_utc
    talk.peer.sendall(PACKET[:9])
    assert talk.received(lambda _: talk.ours.has_begun_a_packet) == []
    talk.peer.sendall(PACKET[9:] + PACKET)
    assert talk.received(lambda came: len(came) == 2) == [PACKET, PACKET]
    assert not talk.ours.has_begun_a_packet
    talk.ours.send(PACKET)
    assert talk.peer.recv(99) == PACKET


def test_a_version_of_the_past_is_not_spoken(papers, talk):
    context = client_context(papers.ours.ca_file, papers.nas)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(EndedError) as ended:
        talk.shake_hands(context)
    assert (ended.value.end, ended.value.detail) == (End.NO_HANDSHAKE, "unsupported protocol")


@pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
class TestWhoIsNotLetIn:
    def refused(self, papers, talk, version, shows) -> EndedError:
        with pytest.raises(EndedError) as ended:
            talk.shake_hands(client_context(papers.ours.ca_file, shows, version=version))
        return ended.value

    def test_without_a_certificate(self, papers, talk, version):
        ended = self.refused(papers, talk, version, None)
        assert ended.end is End.NO_HANDSHAKE
        assert ended.detail == "peer did not return a certificate"

    def test_of_another_authority(self, papers, talk, version, tmp_path):
        foreign = Authority(tmp_path, "of clients").client("nas", "n", x509.DNSName(NAME))
        assert self.refused(papers, talk, version, foreign).end is End.NO_HANDSHAKE

    def test_of_our_own_authority(self, papers, talk, version):
        """Who vouches for us vouches for no client (security.md 11)."""
        shows = papers.ours.client("nas", "n", x509.DNSName(NAME))
        assert self.refused(papers, talk, version, shows).end is End.NO_HANDSHAKE

    def test_with_another_name(self, papers, talk, version):
        shows = papers.theirs.client("other", NAME, x509.DNSName("other.example"))
        assert self.refused(papers, talk, version, shows).end is End.WRONG_NAME

    def test_with_the_certificate_of_a_server(self, papers, talk, version):
        shows = papers.theirs.server("a-server", names=(NAME,))
        ended = self.refused(papers, talk, version, shows)
        assert ended.end in {End.NO_HANDSHAKE, End.NOT_FOR_CLIENTS}

    def test_with_one_that_has_ended(self, papers, talk, version):
        from datetime import timedelta

        shows = papers.theirs.client(
            "ended", "n", x509.DNSName(NAME), lasts=timedelta(days=-1)
        )  # fmt: skip
        ended = self.refused(papers, talk, version, shows)
        assert (ended.end, ended.detail) == (End.NO_HANDSHAKE, "certificate has expired")


def test_what_is_not_tls_is_refused(talk):
    talk.bare.sendall(PACKET)
    talk.wait()
    with pytest.raises(EndedError) as ended:
        talk.ours.shake_hands()
    assert ended.value.end is End.NO_HANDSHAKE


def test_a_length_that_cannot_be_ends_it_after_the_packets_before(open_talk):
    open_talk.peer.sendall(PACKET + b"\1\1\0\5")
    open_talk.wait()
    came = open_talk.ours.receive()
    assert next(came) == PACKET
    with pytest.raises(EndedError) as ended:
        next(came)
    assert ended.value.end is End.MALFORMED


@pytest.mark.parametrize("politely", [True, False])
def test_a_peer_that_hangs_up_ends_it(open_talk, politely):
    if politely:
        with contextlib.suppress(OSError):
            open_talk.peer.settimeout(0.1)
            open_talk.peer.unwrap()
    open_talk.peer.close()
    open_talk.wait()
    with pytest.raises(EndedError) as ended:
        list(open_talk.ours.receive())
    assert ended.value.end is End.HUNG_UP


def test_a_peer_that_does_not_read_is_kept_so_much_and_no_more(open_talk):
    packet = b"\2\1\x10\0" + bytes(4092)

    def flood() -> None:
        for _ in range(10_000):
            open_talk.ours.send(packet)
            assert open_talk.ours.unsent_octets <= MAX_UNSENT

    with pytest.raises(EndedError) as ended:
        flood()
    assert ended.value.end is End.SLOW_READER
    assert open_talk.ours.wants_write


def test_what_had_to_wait_arrives_whole(open_talk):
    packet, sent = b"\2\1\x10\0" + bytes(4092), 0
    while not open_talk.ours.unsent_octets:
        open_talk.ours.send(packet)
        sent += len(packet)
    came = 0
    while came < sent:
        came += len(open_talk.peer.recv(65536))
        open_talk.ours.flush()
    assert (came, open_talk.ours.unsent_octets) == (sent, 0)
    assert not open_talk.ours.wants_write


def test_a_peer_that_was_gone_before_it_began(papers):
    context = server_context(papers.files)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()  # a reset

    def begin() -> None:
        connection = Connection(ours, context, NAME)
        try:
            connection.shake_hands()
        finally:
            connection.close()

    with pytest.raises(EndedError) as ended:
        begin()
    assert ended.value.end is End.HUNG_UP
    assert ours.fileno() == -1
