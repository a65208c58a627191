"""The loop of the door: who is answered, what is dropped, what is told when."""

from __future__ import annotations

import os
import threading

import pytest

from loginward.doors.radius import judges
from loginward.doors.radius.port import AskTurn
from loginward.wire.radius.attributes import Attribute, attribute, eap_message
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.signing import sign_request
from tests.doors.radius.stage import (
    AWAY,
    OK,
    PASSWORD,
    WRONG,
    Service,
    client,
    reply,
    rules,
    served,
)
from tests.doubles.moving import MovingClock
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


def status(nas, *more, authenticator=None):
    """Return a Status-Server."""
    return sign_request(
        Code.STATUS_SERVER, 200, authenticator or os.urandom(16), b"".join(more), nas.shared
    )


def fence(nas):
    """Return once everything sent before has been looked at, and nothing of it answered."""
    assert nas.exchange(status(nas)).code in {ACCEPT, Code.ACCOUNTING_RESPONSE}


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
                stranger.sock.send(status(stranger))
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


class TestDuplicates:
    """RFC 5080 section 2.2.2."""

    def test_in_flight_it_is_dropped_and_judged_once(self):
        with served(shut=True) as door, door.nas() as nas:
            request = nas.request("alice", PASSWORD)
            for _ in range(5):
                nas.sock.send(request)
            fence(nas)
            door.service.gate.set()
            assert decode(nas.sock.recv(4096)).code is ACCEPT
            fence(nas)
            assert door.service.typed == [PASSWORD]
            assert door.counted("duplicate") == 4

    def test_answered_it_hears_the_same_octets(self, door):
        with door.nas() as nas:
            request = nas.request("alice", b"wrong")
            assert len({nas.exchange(request).raw for _ in range(10)}) == 1
        assert door.service.typed == [b"wrong"]

    def test_a_new_authenticator_purges_what_was_kept(self, door):
        with door.nas() as nas:
            first = nas.request("alice", PASSWORD)
            one = nas.exchange(first)
            nas._identifiers = iter([0])
            assert nas.exchange(nas.request("alice", b"wrong")).code is REJECT
            assert nas.exchange(first).raw != one.raw, "judged anew, with a Class of its own"
        assert door.service.typed == [PASSWORD, b"wrong", PASSWORD]

    def test_what_nobody_signed_never_touches_what_is_kept(self, door):
        with door.nas() as nas:
            first = nas.request("alice", PASSWORD)
            one = nas.exchange(first)
            forged = bytearray(first)
            forged[4:20] = os.urandom(16)
            nas.sock.send(forged)
            nas.sock.send(first[:20] + b"\0" + first[21:])
            fence(nas)
            assert door.counted("bad-authenticator") + door.counted("malformed") == 2
            assert nas.exchange(first).raw == one.raw
        assert door.service.typed == [PASSWORD]

    def test_another_port_is_another_client_socket(self, door):
        with door.nas() as nas, door.nas() as other:
            request = nas.request("alice", PASSWORD)
            assert nas.exchange(request).raw != other.exchange(request).raw
        assert len(door.service.typed) == 2

    def test_what_breaks_the_rules_is_not_kept(self, door):
        with door.nas() as nas:
            torn = nas.request("alice", PASSWORD, eap_message(b"\x02\x01\x00\x0a\x01alice"))
            nas.sock.send(torn)
            nas.sock.send(torn)
            fence(nas)
        assert door.counted("malformed") == 2
        assert door.counted("duplicate") == 0

    def test_what_was_met_with_silence_is_judged_when_asked_again(self):
        """The directory is back: the same request, sent again, gets in."""
        turns = [AWAY, OK]
        with served(service=Service(say=lambda *_: turns.pop(0))) as door, door.nas() as nas:
            request = nas.request("alice", PASSWORD)
            nas.sock.send(request)
            eventually(lambda: door.counted("silent") == 1, "answered")
            assert nas.exchange(request).code is ACCEPT


class TestStatusServer:
    """RFC 5997."""

    def test_alive_whatever_stands_in_it_and_nobody_is_judged(self, door):
        name = attribute(Attribute.USER_NAME, b"alice")
        hidden = attribute(Attribute.USER_PASSWORD, bytes(16))
        with door.nas() as nas, door.accountant() as accountant:
            answer = nas.exchange(status(nas, name, hidden, *PROXY))
            assert answer.code is ACCEPT
            types = [type_ for type_, _ in answer.attributes]
            assert types == [Attribute.MESSAGE_AUTHENTICATOR] + [Attribute.PROXY_STATE] * len(PROXY)
            assert accountant.exchange(status(accountant)).code is Code.ACCOUNTING_RESPONSE
        assert door.service.talks == []

    def test_the_same_again_is_answered_again(self, door):
        with door.nas() as nas:
            asked = status(nas)
            assert nas.exchange(asked).raw == nas.exchange(asked).raw

    def test_silent_only_where_the_site_says_so_and_nothing_can_be_judged(self):
        in_force = rules(status_server="silent-when-unusable")
        with served(in_force) as door, door.nas() as nas, door.accountant() as accountant:
            assert nas.exchange(status(nas)).code is ACCEPT
            door.service.usable = False
            nas.sock.send(status(nas))
            assert nas.login("alice", PASSWORD).code is ACCEPT, "the next reply is to the login"
            assert accountant.exchange(status(accountant)).code is Code.ACCOUNTING_RESPONSE
            door.rules = rules()
            assert nas.exchange(status(nas)).code is ACCEPT


class TestProxyState:
    """RFC 2865 section 5.33: unmodified, all of them, in order."""

    @pytest.mark.parametrize(
        ("name", "code"), [("alice", ACCEPT), ("bob", REJECT), ("eve", CHALLENGE)]
    )
    def test_every_reply_brings_them_back(self, name, code):
        turns = {"alice": OK, "bob": WRONG, "eve": AskTurn("New password:")}
        service = Service(say=lambda talk, _: turns[talk.request.name])
        with served(service=service) as door, door.nas() as nas:
            answer = nas.login(name, PASSWORD, *PROXY)
        assert answer.code is code
        assert answer.all(Attribute.PROXY_STATE) == [one[2:] for one in PROXY]

    def test_accounting_too(self, door):
        with door.accountant() as accountant:
            answer = accountant.exchange(accountant.accounting(1, b"s", *PROXY))
        assert answer.all(Attribute.PROXY_STATE) == [one[2:] for one in PROXY]


class TestRejectDelay:
    """A reject leaves at its arrival plus the delay, by the loop's timer; nothing else waits."""

    @pytest.fixture
    def clock(self):
        return MovingClock()

    @pytest.fixture
    def slow(self, clock):
        with served(rules(reject_delay_s=1.0), clock=clock) as door:
            yield door

    def test_to_the_moment(self, slow, clock):
        with slow.nas() as nas:
            nas.sock.send(nas.request("alice", b"wrong"))
            eventually(lambda: slow.service.typed == [b"wrong"], "never judged")
            clock.pass_s(0.999)
            fence(nas)
            clock.pass_s(0.001)
            nas.sock.send(status(nas))
            codes = {decode(nas.sock.recv(4096)).code for _ in range(2)}
        assert codes == {ACCEPT, REJECT}

    def test_the_time_of_judging_is_part_of_it(self, clock):
        with served(rules(reject_delay_s=1.0), clock=clock, shut=True) as door, door.nas() as nas:
            nas.sock.send(nas.request("alice", b"wrong"))
            assert door.service.at_gate.acquire(timeout=5)
            clock.pass_s(1.0)
            door.service.gate.set()
            assert decode(nas.sock.recv(4096)).code is REJECT

    def test_who_is_let_in_or_asked_does_not_wait(self, slow):
        with slow.nas() as nas:
            assert nas.login("alice", PASSWORD).code is ACCEPT

    def test_unknown_wrong_and_without_a_proof_wait_alike(self, slow, clock):
        with slow.nas() as nas:
            for request in (
                nas.request("alice", b"wrong"), nas.request("alice", None),
                nas.request("alice", b"x", state=b"unknown"),
            ):  # fmt: skip
                nas.sock.send(request)
            eventually(lambda: slow.service.typed == [b"wrong"], "never judged")
            fence(nas)
            clock.pass_s(1.0)
            nas.sock.send(status(nas))
            codes = [decode(nas.sock.recv(4096)).code for _ in range(4)]
        assert sorted(codes) == [ACCEPT, REJECT, REJECT, REJECT]

    def test_meanwhile_a_retransmission_is_dropped_and_afterwards_answered_at_once(
        self, slow, clock
    ):
        with slow.nas() as nas:
            request = nas.request("alice", b"wrong")
            nas.sock.send(request)
            eventually(lambda: slow.service.typed == [b"wrong"], "never judged")
            nas.sock.send(request)
            fence(nas)
            clock.pass_s(1.0)
            nas.sock.send(status(nas))
            came = [decode(nas.sock.recv(4096)) for _ in range(2)]
            first = next(one for one in came if one.code is REJECT)
            assert nas.exchange(request).raw == first.raw
        assert slow.service.typed == [b"wrong"]


class TestOverload:
    """RFC 5080 section 2.2.3."""

    def test_new_logins_are_shed_while_those_under_way_are_finished_first(
        self, monkeypatch, caplog
    ):
        monkeypatch.setattr(judges, "MOST_NEW", 20)
        service = Service(say=lambda talk, _: OK if len(talk.typed) > 1 else AskTurn("New:"))
        with served(service=service, workers=2) as door, door.nas() as nas:
            state = nas.login("going on", PASSWORD).first(Attribute.STATE)
            assert service.at_gate.acquire(timeout=5)
            service.gate.clear()
            shed = [nas.request(f"new {n}", PASSWORD) for n in range(50)]
            for request in shed[:2]:
                nas.sock.send(request)
                assert service.at_gate.acquire(timeout=5), "no judge is left"
            for request in shed[2:]:
                nas.sock.send(request)
            eventually(lambda: door.counted("shed") == 50 - 20 - 2, "nothing was shed")
            fence(nas)
            goes_on = nas.request("going on", b"new one", state=state)
            nas.sock.send(goes_on)
            eventually(lambda: door.server.gauges()["waiting"] == 21, "it was shed too")
            door.service.order.clear()
            service.gate.set()
            came = [decode(nas.sock.recv(4096)) for _ in range(23)]
            assert [one.identifier for one in came if one.code is ACCEPT] == [goes_on[1]]
            assert "going on" in service.order[:3], "after the two under way, before those waiting"
            assert nas.exchange(shed[-1]).code is CHALLENGE, "shed, it may be asked again"
        assert len([line for line in caplog.messages if "too many requests" in line]) == 1


class TestReload:
    """A new configuration counts for the next packet, and loses nothing that is under way."""

    def test_what_was_answered_and_who_was_asked_goes_on(self):
        service = Service(say=lambda talk, _: OK if len(talk.typed) > 1 else AskTurn("New:"))
        with served(service=service) as door, door.nas() as nas:
            request = nas.request("alice", PASSWORD)
            asked = nas.exchange(request)
            door.rules = rules(client(), client("more", "192.0.2.0/24"))
            assert nas.exchange(request).raw == asked.raw
            state = asked.first(Attribute.STATE)
            assert nas.login("alice", b"new one", state=state).code is ACCEPT
        assert len(service.talks) == 1

    def test_a_request_keeps_to_what_was_in_force_when_it_came(self):
        before, after = (
            rules(replies=(reply(Filter_Id="old"),)),
            rules(replies=(reply(Filter_Id="new"),)),
        )
        with served(before, shut=True) as door, door.nas() as nas:
            nas.sock.send(nas.request("alice", PASSWORD))
            assert door.service.at_gate.acquire(timeout=5)
            door.rules = after
            door.service.gate.set()
            assert decode(nas.sock.recv(4096)).first(Attribute.FILTER_ID) == b"old"
            assert nas.login("alice", PASSWORD).first(Attribute.FILTER_ID) == b"new"

    def test_a_client_that_is_gone_and_a_secret_that_is_old_are_not_believed(self, door):
        with door.nas() as nas, door.nas(secret=b"another secret, new") as renewed:
            door.rules = rules(secrets={"nas": b"another secret, new"})
            nas.sock.send(nas.request("alice", PASSWORD))
            assert renewed.login("alice", PASSWORD).code is ACCEPT
            assert door.counted("bad-authenticator") == 1
            door.rules = rules(client("other", "192.0.2.1"))
            renewed.sock.send(renewed.request("alice", PASSWORD))
            eventually(lambda: door.counted("unknown-client", "-") == 1, "answered")


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
