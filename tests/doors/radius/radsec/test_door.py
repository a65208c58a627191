"""RADIUS over TLS at the daemon: who may connect, what is answered, what hangs up (security.md 11)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from loginward.doors.radius.loop import Loop
from loginward.doors.radius.radsec import door as door_module
from loginward.doors.radius.radsec.door import TlsDoor
from loginward.doors.radius.radsec.keeper import TlsProcess
from loginward.runtime.radsec_process import spawn
from loginward.settings.radius import RadiusTls
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import AcctStatus, Attribute, ErrorCause, as_integer
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.signing import seal_reply, seal_request
from tests.doors.radius.radsec.conftest import NAME, Papers
from tests.doors.radius.stage import PASSWORD, Door, client, rules, served
from tests.doubles.radsec_peer import RADSEC, RadsecPeer, client_context
from tests.doubles.waiting import eventually
from tests.live.certificates import Authority, Pair

ACCEPT, REJECT = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT


@dataclass
class Site:
    """A door with its real process, on loopback."""

    papers: Papers
    door: Door
    tls: TlsDoor
    process: TlsProcess
    port: int
    loop: Loop
    answers: list[tuple[bytes, tuple[str, int]]]

    def context(self, shows: Pair | None) -> ssl.SSLContext:
        return client_context(self.papers.ours.ca_file, shows)

    def peer(self, shows: Pair | None = None, source: str = "127.0.0.1") -> RadsecPeer:
        return RadsecPeer(self.port, self.context(shows or self.papers.nas), source=source)

    def refuses(self, context: ssl.SSLContext, source: str = "127.0.0.1") -> None:
        """See that a peer is told nothing, whatever it sends."""
        with contextlib.suppress(OSError), RadsecPeer(self.port, context, source=source) as peer:
            with contextlib.suppress(OSError):
                peer.sock.sendall(peer.login("alice", PASSWORD))
            assert peer.receive() is None

    def counts(self, event: str, who: str = "nas") -> None:
        eventually(lambda: self.door.counted(event, who) > 0, self.door.counters.read)


def with_tls(papers: Papers, **nas: Any):
    """Return rules with two clients by TLS and one by UDP alone."""
    server = papers.server
    tls = RadiusTls(
        listen=("127.0.0.1:2083",), cert_file=server.cert_file, key_file=server.key_file,
        client_ca_file=papers.theirs.ca_file,
    )  # fmt: skip
    one = replace(client("nas", "127.0.0.0/24"), tls_name=NAME, **nas)
    two = replace(client("two", "127.0.2.0/24"), tls_name="two.example", secret_file=None)
    return rules(one, two, client("plain", "127.0.3.0/24"), tls=tls)


@contextlib.contextmanager
def site_of(papers: Papers, in_force=None, **how: Any) -> Iterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    made: list[Site] = []

    def opening(door: Door, loop: Loop) -> None:
        clock = door.server._clock
        answers: list[tuple[bytes, tuple[str, int]]] = []
        tls = TlsDoor(
            (listener,), door.server.intake, lambda: door.rules, loop, clock, door.counters,
            lambda octets, sender: answers.append((octets, sender)),
        )  # fmt: skip
        process = TlsProcess(spawn, loop, clock, tls.report, tls.lost)
        process.open(papers.files)
        tls.start(process)
        port = listener.getsockname()[1]
        made.append(Site(papers, door, tls, process, port, loop, answers))

    try:
        with served(in_force or with_tls(papers), opening=opening, **how):
            yield made[0]
    finally:
        for site in made:
            site.process.close()
            site.tls.close()


@pytest.fixture(scope="module")
def site(papers):
    with site_of(papers) as made:
        yield made


def test_logins_accounting_and_status_share_a_connection(site):
    with site.peer() as peer:
        assert peer.exchange(peer.login("alice", PASSWORD)).code is ACCEPT
        assert peer.exchange(peer.login("alice", b"wrong")).code is REJECT
        assert peer.exchange(peer.status()).code is ACCEPT
        started = peer.accounting(AcctStatus.START, b"s-1")
        assert peer.exchange(started).code is Code.ACCOUNTING_RESPONSE
    session = next(one for one in site.door.sessions.all() if one.session_id == b"s-1")
    assert (session.client, session.source) == ("nas", "127.0.0.1")


def test_many_requests_at_once_are_answered_each_by_its_identifier(site):
    with site.peer() as peer:
        asked = [peer.login("alice", PASSWORD) for _ in range(200)]
        peer.sock.sendall(b"".join(asked))
        answered = {peer.receive().identifier for _ in asked}
    assert answered == {request[1] for request in asked}


def test_identifiers_are_a_connections_own(site):
    """RFC 6613 section 2.6.1: what one asked is no repeat of what another asked."""
    before = len(site.door.service.talks)
    with site.peer() as one, site.peer() as two:
        request = one.login("alice", PASSWORD)
        first, again, elsewhere = (peer.exchange(request) for peer in (one, one, two))
    assert first.raw == again.raw
    assert elsewhere.code is ACCEPT
    assert len(site.door.service.talks) == before + 2


class TestWhoIsNotHeard:
    def test_without_a_certificate(self, site):
        site.refuses(site.context(None))
        site.counts("tls-no-handshake")

    def test_of_another_authority(self, site, tmp_path):
        foreign = Authority(tmp_path, "of clients").client("nas", "n", x509.DNSName(NAME))
        site.refuses(site.context(foreign))
        site.counts("tls-no-handshake")

    def test_with_the_name_of_another_client(self, site, papers):
        shows = papers.theirs.client("two", "n", x509.DNSName("two.example"))
        site.refuses(site.context(shows))
        site.counts("tls-wrong-name")
        with site.peer(shows, source="127.0.2.9") as peer:
            assert peer.exchange(peer.login("alice", PASSWORD)).code is ACCEPT
        site.refuses(site.context(papers.nas), source="127.0.2.9")
        site.counts("tls-wrong-name", "two")

    def test_from_outside_its_addresses(self, site, papers):
        site.refuses(site.context(papers.nas), source="127.0.9.9")
        assert site.door.counted("unknown-client", "-") > 0

    def test_from_the_address_of_a_client_by_udp(self, site, papers):
        site.refuses(site.context(papers.nas), source="127.0.3.9")
        site.counts("tls-not-configured", "plain")

    def test_nothing_of_all_that_reached_the_law(self, site):
        names = {talk.request.service for talk in site.door.service.talks}
        assert names <= {"nas", "two"}


@pytest.mark.parametrize(
    ("spoil", "event"),
    [
        pytest.param(lambda ok: ok[:-1] + bytes([ok[-1] ^ 1]), "bad-authenticator", id="signature"),
        pytest.param(lambda ok: ok[:2] + b"\0\3" + ok[4:], "tls-malformed", id="length"),
        pytest.param(lambda ok: ok[:21] + b"\1" + ok[22:], "malformed", id="attribute"),
    ],
)  # fmt: skip
def test_what_breaks_the_rules_closes_the_connection(site, spoil, event):
    """RFC 6613 section 2.6.4."""
    with site.peer() as peer, site.peer() as other:
        peer.sock.sendall(spoil(peer.status()))
        assert peer.receive() is None
        site.counts(event)
        assert other.exchange(other.status()).code is ACCEPT


def test_an_unknown_code_is_let_go(site):
    with site.peer() as peer:
        peer.sock.sendall(bytes((250, 1, 0, 20)) + bytes(16))
        assert peer.exchange(peer.status()).code is ACCEPT
    site.counts("unknown-code")


@pytest.mark.parametrize("code", [Code.DISCONNECT_REQUEST, Code.COA_REQUEST])
def test_requests_that_are_ours_to_send_are_refused_by_name(site, code):
    """RFC 6614 section 2.5: a NAK with Error-Cause 406."""
    with site.peer() as peer:
        refused = peer.exchange(seal_request(code, 3, b"", RADSEC))
        assert refused.code is replies.UNWANTED[code]
        cause = as_integer(refused.first(Attribute.ERROR_CAUSE))
        assert cause == ErrorCause.UNSUPPORTED_EXTENSION
        peer.sock.sendall(bytes((code, 1, 0, 20)) + bytes(16))
        assert peer.receive() is None


def test_requests_of_ours_go_over_the_connection_and_their_answers_come_back(site):
    """security.md 20: to nobody but who is connected from there."""
    request = seal_request(Code.DISCONNECT_REQUEST, 9, b"", RADSEC)
    with site.peer() as older, site.peer() as peer:
        for one in (older, peer):
            one.exchange(one.status())
        place = peer.sock.getsockname()
        assert site.tls.connection_of("nas", "127.0.0.1") == place
        assert site.tls.connection_of("nas", "127.0.0.9") is None
        assert site.tls.connection_of("two", "127.0.0.1") is None
        site.loop.post(lambda: site.tls.send(request, ("127.0.0.1", 1)))
        site.loop.post(lambda: site.tls.send(request, place))
        assert peer.receive().raw == request
        acknowledged = seal_reply(Code.DISCONNECT_ACK, decode(request), b"", RADSEC)
        peer.sock.sendall(acknowledged)
        eventually(lambda: site.answers == [(acknowledged, place)], lambda: site.answers)
        assert older.exchange(older.status()).code is ACCEPT


def test_a_slow_handshake_and_half_a_packet_hold_up_nobody(site):
    with (
        socket.create_connection(("127.0.0.1", site.port)) as silent,
        site.peer() as half,
        site.peer() as peer,
    ):
        silent.sendall(b"\x16\x03\x01")
        half.sock.sendall(half.status()[:11])
        eventually(lambda: site.tls.gauges()["half_open"] == 1, site.tls.gauges)
        assert peer.exchange(peer.login("alice", PASSWORD)).code is ACCEPT
    eventually(lambda: site.tls.gauges()["connections"] == 0, site.tls.gauges)


def test_a_client_that_is_one_no_more_is_not_heard_again(papers):
    with site_of(papers) as site, site.peer() as peer, site.peer() as other:
        for one in (peer, other):
            assert one.exchange(one.status()).code is ACCEPT
        site.door.rules = with_tls(papers, groups=("staff",))
        assert peer.exchange(peer.status()).code is ACCEPT  # the same client, other rules
        site.door.rules = rules(client("nas", "127.0.0.0/8"))
        peer.sock.sendall(peer.status())
        assert peer.receive() is None
        site.counts("tls-no-client-any-more")


def test_a_request_without_a_message_authenticator_goes_by_the_clients_setting(papers):
    from tests.doubles.radsec_peer import unsigned_login

    with site_of(papers) as site, site.peer() as peer:
        peer.sock.sendall(unsigned_login("alice", PASSWORD))
        assert peer.exchange(peer.status()).code is ACCEPT
        assert site.door.counted("unsigned") == 1
        site.door.rules = with_tls(papers, require_message_authenticator=False)
        assert peer.exchange(unsigned_login("alice", PASSWORD)).code is ACCEPT


def test_a_process_that_is_killed_is_replaced_and_clients_come_again(papers):
    with site_of(papers) as site, site.peer() as peer:
        assert peer.exchange(peer.status()).code is ACCEPT
        site.process._child.process.kill()
        assert peer.receive() is None
        eventually(lambda: site.process.restarts == 1, "no other process is started")
        with site.peer() as again:
            assert again.exchange(again.status()).code is ACCEPT


def test_half_open_connections_are_bounded_for_each_client(papers, monkeypatch):
    monkeypatch.setattr(door_module, "MOST_HALF_OPEN_OF_A_CLIENT", 5)
    with site_of(papers) as site, ExitStack() as opened:
        shows = papers.theirs.client("two", "n", x509.DNSName("two.example"))
        for _ in range(8):
            opened.enter_context(socket.create_connection(("127.0.0.1", site.port)))
        eventually(lambda: site.door.counted("tls-full") == 3, site.tls.gauges)
        assert site.tls.gauges()["half_open"] == 5
        with site.peer(shows, source="127.0.2.1") as other:
            assert other.exchange(other.login("alice", PASSWORD)).code is ACCEPT


def test_connections_are_bounded_in_all(papers, monkeypatch):
    monkeypatch.setattr(door_module, "MOST", 3)
    with site_of(papers) as site, ExitStack() as opened:
        peers = [opened.enter_context(site.peer()) for _ in range(3)]
        for peer in peers:
            peer.exchange(peer.status())
        site.refuses(site.context(papers.nas))
        site.counts("tls-full")
        peers[0].sock.close()
        eventually(lambda: site.tls.gauges()["connections"] == 2, site.tls.gauges)
        with site.peer() as peer:
            assert peer.exchange(peer.status()).code is ACCEPT


def test_a_process_that_says_nothing_of_a_handshake_is_given_up(papers, monkeypatch):
    monkeypatch.setattr(door_module, "_SILENCE_S", 0.5)
    with site_of(papers) as site, socket.create_connection(("127.0.0.1", site.port)):
        eventually(lambda: site.process.restarts == 1, "the process goes on")
        assert site.tls.gauges() == {"connections": 0, "half_open": 0}


def test_a_thousand_connections_are_served_and_let_go(papers):
    """And none that comes beside them waits for one of them."""
    with site_of(papers) as site, ExitStack() as opened:
        peers: list[RadsecPeer] = []

        def connect() -> None:
            context = site.context(papers.nas)
            for _ in range(250):
                peer = opened.enter_context(RadsecPeer(site.port, context))
                assert peer.exchange(peer.status()).code is ACCEPT
                peers.append(peer)

        threads = [threading.Thread(target=connect) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(peers) == 1000
        assert site.tls.gauges() == {"connections": 1000, "half_open": 0}
        for peer in peers[::100]:
            assert peer.exchange(peer.login("alice", PASSWORD)).code is ACCEPT
        pid = site.process._child.process.pid
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        resident_kb = next(int(line.split()[1]) for line in status if "VmRSS" in line)
        assert resident_kb < 150_000
        opened.close()
        eventually(lambda: site.tls.gauges()["connections"] == 0, site.tls.gauges)
