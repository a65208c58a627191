"""What is asked again, and what a new configuration leaves as it was (RFC 5080 section 2.2.2)."""

from __future__ import annotations

import os

import pytest

from loginward.doors.radius.port import AskTurn
from loginward.wire.radius.attributes import Attribute, eap_message
from loginward.wire.radius.packet import Code, decode
from tests.doors.radius.stage import (
    AWAY,
    OK,
    PASSWORD,
    Service,
    client,
    fence,
    reply,
    rules,
    served,
)
from tests.doubles.waiting import eventually

ACCEPT, REJECT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE


@pytest.fixture
def door():
    with served() as door:
        yield door


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
