"""How a login ends on the wire: what an Accept carries, and when a Reject leaves."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from loginward.doors.radius.accepts import CLASS_MARK, Accepts
from loginward.doors.radius.endings import Endings
from loginward.doors.radius.exchange import Exchange
from loginward.doors.radius.sessions import Sessions
from loginward.errors import ProtocolError
from loginward.wire.radius.attributes import Attribute, attribute
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.password import mppe_keys
from loginward.wire.radius.signing import SharedSecret, check_reply
from tests.doors.radius.stage import OK, reply, rules
from tests.doubles.moving import MovingClock
from tests.doubles.nas import SECRET, Nas, said

ARRIVED = 123.0
SUCCESS, FAILURE = b"\x03\x07\x00\x04", b"\x04\x07\x00\x04"
LONG = "words " * 50
WARNED = replace(OK, message="Your password expires in 3 days.")


class Ending:
    """One request that ends, and what left."""

    def __init__(self, delay_s=1.0, *more):
        in_force = rules(replies=(reply(Filter_Id="anybody"),), reject_delay_s=delay_s)
        clock = MovingClock()
        with Nas(1) as nas:
            self.packet = decode(nas.request("alice", b"x", *more))
        self.left = []
        self.exchange = Exchange(
            packet=self.packet, client=in_force.clients.find("127.0.0.1"),
            secret=SharedSecret(SECRET), rules=in_force, source="127.0.0.1", arrived=ARRIVED,
            reply=lambda octets, at: self.left.append((octets, at)), drop=lambda: None,
        )  # fmt: skip
        self.endings = Endings(Accepts(Sessions(clock), clock, os.urandom))

    @property
    def reply(self):
        ((octets, _),) = self.left
        packet = decode(octets)
        check_reply(packet, self.packet, self.exchange.secret)
        return packet

    @property
    def at(self):
        ((_, at),) = self.left
        return at


def test_an_accept_gives_what_the_rules_give_and_leaves_at_once():
    ending = Ending()
    ending.endings.accept(ending.exchange, WARNED)
    accept = ending.reply
    assert (accept.code, ending.at) == (Code.ACCESS_ACCEPT, ARRIVED)
    assert accept.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
    assert accept.all(Attribute.FILTER_ID) == [b"anybody"]
    assert accept.first(Attribute.CLASS).startswith(CLASS_MARK)
    assert said(accept) == "Your password expires in 3 days."


def test_beside_eap_it_carries_success_and_keys_and_no_text():
    """RFC 3579 sections 2.6.5 and 3.2."""
    ending = Ending()
    keys = mppe_keys(bytes(64), bytes(16), SharedSecret(SECRET), os.urandom(4))
    ending.endings.accept(ending.exchange, WARNED, eap=SUCCESS, keys=keys)
    accept = ending.reply
    assert accept.all(Attribute.EAP_MESSAGE) == [SUCCESS]
    assert said(accept) == ""
    assert len(accept.all(Attribute.VENDOR_SPECIFIC)) == 2
    assert accept.all(Attribute.FILTER_ID) == [b"anybody"]


@pytest.mark.parametrize(
    ("delay_s", "at"), [(1.0, ARRIVED + 1.0), (0.1, ARRIVED + 0.1), (None, ARRIVED)]
)
def test_a_reject_leaves_in_its_own_time_and_gives_nothing(delay_s, at):
    ending = Ending(delay_s)
    ending.endings.reject(ending.exchange, "No.")
    reject = ending.reply
    assert (reject.code, ending.at, said(reject)) == (Code.ACCESS_REJECT, at, "No.")
    assert not any(reject.holds(kind) for kind in (Attribute.CLASS, Attribute.FILTER_ID))


def test_a_reject_beside_eap_carries_failure_and_no_text():
    ending = Ending()
    ending.endings.reject(ending.exchange, "No.", eap=FAILURE)
    assert ending.reply.all(Attribute.EAP_MESSAGE) == [FAILURE]
    assert said(ending.reply) == ""


@pytest.mark.parametrize("how", ["accept", "reject"])
def test_where_proxy_states_leave_no_room_nothing_leaves(how):
    ending = Ending(1.0, *[attribute(Attribute.PROXY_STATE, b"p" * 253)] * 15)
    end = {
        "accept": lambda: ending.endings.accept(ending.exchange, replace(OK, message=LONG)),
        "reject": lambda: ending.endings.reject(ending.exchange, LONG),
    }[how]
    with pytest.raises(ProtocolError):
        end()
    assert ending.left == []
