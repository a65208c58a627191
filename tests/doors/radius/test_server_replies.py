"""What leaves the door, and when."""

from __future__ import annotations

import pytest

from loginward.doors.radius.port import AskTurn
from loginward.wire.radius.attributes import Attribute, attribute
from loginward.wire.radius.packet import Code, decode
from tests.doors.radius.stage import OK, PASSWORD, WRONG, Service, fence, rules, served
from tests.doubles.moving import MovingClock
from tests.doubles.waiting import eventually

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


class TestStatusServer:
    """RFC 5997."""

    def test_alive_whatever_stands_in_it_and_nobody_is_judged(self, door):
        name = attribute(Attribute.USER_NAME, b"alice")
        hidden = attribute(Attribute.USER_PASSWORD, bytes(16))
        with door.nas() as nas, door.accountant() as accountant:
            answer = nas.exchange(nas.status(name, hidden, *PROXY))
            assert answer.code is ACCEPT
            types = [type_ for type_, _ in answer.attributes]
            assert types == [Attribute.MESSAGE_AUTHENTICATOR] + [Attribute.PROXY_STATE] * len(PROXY)
            assert accountant.exchange(accountant.status()).code is Code.ACCOUNTING_RESPONSE
        assert door.service.talks == []

    def test_the_same_again_is_answered_again(self, door):
        with door.nas() as nas:
            asked = nas.status()
            assert nas.exchange(asked).raw == nas.exchange(asked).raw

    def test_silent_only_where_the_site_says_so_and_nothing_can_be_judged(self):
        in_force = rules(status_server="silent-when-unusable")
        with served(in_force) as door, door.nas() as nas, door.accountant() as accountant:
            assert nas.exchange(nas.status()).code is ACCEPT
            door.service.usable = False
            nas.sock.send(nas.status())
            assert nas.login("alice", PASSWORD).code is ACCEPT, "the next reply is to the login"
            assert accountant.exchange(accountant.status()).code is Code.ACCOUNTING_RESPONSE
            door.rules = rules()
            assert nas.exchange(nas.status()).code is ACCEPT


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
            nas.sock.send(nas.status())
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
            nas.sock.send(nas.status())
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
            nas.sock.send(nas.status())
            came = [decode(nas.sock.recv(4096)) for _ in range(2)]
            first = next(one for one in came if one.code is REJECT)
            assert nas.exchange(request).raw == first.raw
        assert slow.service.typed == [b"wrong"]
