"""The loop of the door: who is answered, what is dropped, and how it ends."""

from __future__ import annotations

import os
import threading

import pytest

from loginward.doors.radius.port import AskTurn
from loginward.wire.radius.attributes import Attribute, attribute
from loginward.wire.radius.packet import Code, decode
from tests.doors.radius.stage import PASSWORD, Service, client, fence, rules, served
from tests.doubles.nas import said
from tests.doubles.waiting import eventually
from tests.wire.radius.malformed import CASES, OPTED_OUT
from tests.wire.radius.stage import OCTETS

ACCEPT, REJECT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE
PROXY = [
    attribute(Attribute.PROXY_STATE, b"first"),
    bytes((Attribute.PROXY_STATE, 2)),  # RFC 2865 section 5.33 wants an octet; a proxy may not
    attribute(Attribute.PROXY_STATE, b"first"),
    attribute(Attribute.PROXY_STATE, b"\0third"),
]


@pytest.fixture
def door():
    with served() as door:
        yield door


def heard(nas, datagram):
    """Return what a datagram is answered with, "drop" if the next login is answered first.

    With one judge, whatever is judged is answered in the order in which it came.
    """
    nas.sock.send(datagram)
    nas._identifiers = iter([201])
    after = nas.request("nobody", PASSWORD)
    nas.sock.send(after)
    came = decode(nas.sock.recv(4096))
    if came.identifier == 201:
        return "drop"
    assert decode(nas.sock.recv(4096)).identifier == 201
    return came


class TestMalformed:
    """The matrix, from the socket to the answer."""

    def answered(self, datagram, expected, **settings):
        in_force = rules(client(**settings), secrets={"nas": OCTETS})
        with served(in_force, workers=1) as door, door.nas(secret=OCTETS) as nas:
            came = heard(nas, datagram)
            counts = door.counters.read()
            typed = [talk for talk in door.service.talks if talk.request.name != "nobody"]
        if expected == "drop":
            assert came == "drop"
            assert typed == []
            faults = ("malformed", "unsigned", "bad-authenticator", "wrong-port")
            assert sum(counts.get(("nas", event), 0) for event in faults) == 1
            return
        assert came.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
        accepted = expected in {"accept", "alive"}
        assert came.code is (ACCEPT if accepted else REJECT)
        assert came.holds(Attribute.CLASS) == (expected == "accept")

    @pytest.mark.parametrize(("datagram", "expected"), CASES)
    def test_of_a_client_that_must_sign(self, datagram, expected):
        self.answered(datagram, expected)

    @pytest.mark.parametrize(("datagram", "expected"), OPTED_OUT)
    def test_of_a_client_that_need_not(self, datagram, expected):
        self.answered(datagram, expected, require_message_authenticator=False)


class TestClients:
    """The secret follows from where a packet comes from."""

    def test_nobody_we_know_hears_nothing(self):
        with served(rules(client("nas", "127.0.0.2"))) as door:
            with door.nas(source="127.0.0.1", patience_s=0.2) as stranger:
                stranger.sock.send(stranger.request("alice", PASSWORD))
                stranger.sock.send(stranger.status())
                with door.nas(source="127.0.0.2") as nas:
                    fence(nas)
                with pytest.raises(TimeoutError):
                    stranger.sock.recv(4096)
            assert door.counted("unknown-client", "-") == 2
            assert door.service.talks == []

    def test_the_narrowest_network_says_whose_secret_counts_not_the_packet(self):
        clients = client("wide", "127.0.0.0/8"), client("narrow", "127.0.0.9/32")
        secrets = {"wide": b"w" * 16, "narrow": b"n" * 16}
        claim = [
            attribute(Attribute.NAS_IP_ADDRESS, bytes((127, 0, 0, 1))),
            attribute(Attribute.NAS_IDENTIFIER, b"wide"),
        ]
        with served(rules(*clients, secrets=secrets)) as door:
            with door.nas(source="127.0.0.9", secret=b"n" * 16) as nas:
                assert nas.login("alice", PASSWORD, *claim).code is ACCEPT
            with door.nas(source="127.0.0.9", secret=b"w" * 16) as nas:
                nas.sock.send(nas.request("alice", PASSWORD, *claim))
                eventually(lambda: door.counted("bad-authenticator", "narrow") == 1, "believed")
            with door.nas(source="127.0.0.1", secret=b"w" * 16) as nas:
                assert nas.login("alice", PASSWORD).code is ACCEPT
            assert [talk.request.service for talk in door.service.talks] == ["narrow", "wide"]

    def test_ipv6(self):
        with served(host="::1") as door, door.nas(host="::1") as nas:
            assert nas.login("alice", PASSWORD).code is ACCEPT
            assert nas.login("alice", b"wrong").code is REJECT

    def test_each_port_is_for_its_own_requests(self, door):
        with door.nas() as nas, door.accountant() as accountant:
            nas.sock.send(nas.accounting(1, b"s"))
            accountant.sock.send(accountant.request("alice", PASSWORD))
            fence(nas)
            fence(accountant)
        assert door.counted("wrong-port") == 2
        assert (door.service.talks, door.sessions.all()) == ([], ())

    def test_one_warning_a_client_and_hour(self, caplog):
        in_force = rules(client(require_message_authenticator=False))
        with served(in_force) as door, door.nas() as nas:
            for n in range(20):
                through = b"".join(PROXY)
                length = (20 + len(through)).to_bytes(2, "big")
                nas.sock.send(bytes((1, n)) + length + os.urandom(16) + through)
            fence(nas)
            assert door.counted("unsigned") == 20
        assert len([line for line in caplog.messages if "RADIUS client nas" in line]) == 1


class TestItself:
    """The door goes on, and ends in order."""

    def test_a_fault_of_ours_costs_the_packet_that_it_came_with(self, door, monkeypatch):
        with door.nas() as nas:
            monkeypatch.setattr(door.service, "converse", lambda _: 1 / 0)
            nas.sock.send(nas.request("alice", PASSWORD))
            eventually(lambda: door.counted("faults", "-") == 1, "nobody counted it")
            monkeypatch.undo()
            assert nas.login("alice", PASSWORD).code is ACCEPT
        assert door.server.is_well

    def test_at_its_end_it_answers_what_is_in_flight(self):
        with served(shut=True) as door, door.nas() as nas:
            nas.sock.send(nas.request("alice", PASSWORD))
            assert door.service.at_gate.acquire(timeout=5)
            ending = threading.Thread(target=door.server.stop)
            ending.start()
            door.service.gate.set()
            assert decode(nas.sock.recv(4096)).code is ACCEPT
            ending.join(5)
            assert not door.server.is_well

    def test_a_reject_that_waits_for_its_moment_is_not_lost_at_the_end(self):
        with served(rules(reject_delay_s=5.0)) as door, door.nas() as nas:
            nas.sock.send(nas.request("alice", b"wrong"))
            eventually(lambda: door.service.typed == [b"wrong"], "never judged")
            fence(nas)
            door.server.stop()
            reject = decode(nas.sock.recv(4096))
        assert (reject.code, said(reject)) == (REJECT, "No.")

    def test_its_gauges(self):
        service = Service(say=lambda *_: AskTurn("New:"))
        with served(service=service, shut=True, workers=1) as door, door.nas() as nas:
            for n in range(3):
                nas.sock.send(nas.request(f"user {n}", PASSWORD))
            busy = {"in_flight": 1, "waiting": 2, "challenges": 0, "remembered": 3}
            eventually(lambda: door.server.gauges().items() >= busy.items(), door.server.gauges)
            service.gate.set()
            eventually(lambda: door.server.gauges()["challenges"] == 3, "nobody was asked")
