"""Octets that nobody planned, signed or not, at both ports of the door that is served.

The invariant: the door never has a fault, goes on answering, and accepts exactly those whose octets
are the password.
"""

from __future__ import annotations

import os
import random

import pytest

from loginward.core.secret import Secret
from loginward.wire.radius.attributes import AcctStatus, Attribute, ServiceType, attribute, integer
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.password import hide
from loginward.wire.radius.signing import seal_request, sign_request
from tests.doors.radius.stage import PASSWORD, rules, served
from tests.doubles.waiting import eventually

pytestmark = pytest.mark.fuzz

PACKETS = 2000
A_LOT = 40  # sent before the answers are read
INTERESTING = (0, 1, 2, 3, 6, 18, 24, 33, 79, 80, 253, 255)


def pieces(nas, authenticator):
    """Return attributes to build requests of."""
    hidden = hide(Secret(PASSWORD), authenticator, nas.shared)
    return [
        attribute(Attribute.USER_NAME, b"alice"),
        attribute(Attribute.USER_PASSWORD, hidden),
        attribute(Attribute.CALLING_STATION_ID, b"00-11"),
        attribute(Attribute.STATE, os.urandom(16)),
        attribute(Attribute.PROXY_STATE, b"proxy"),
        attribute(Attribute.CLASS, b"lw1:" + bytes(16)),
        attribute(Attribute.NAS_PORT_ID, b"\xff\xfe"),
        attribute(Attribute.EAP_MESSAGE, b"\x02\x01\x00\x0a\x01alice"),
        integer(Attribute.SERVICE_TYPE, ServiceType.CALL_CHECK),
        integer(Attribute.ACCT_STATUS_TYPE, AcctStatus.START),
        attribute(Attribute.ACCT_SESSION_ID, b"s-1"),
        attribute(Attribute.CHAP_PASSWORD, bytes(17)),
        bytes((26, 6)) + bytes(4),
    ]


def mutated(dice, octets):
    octets = bytearray(octets)
    for _ in range(dice.choice((0, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(octets) + 1)
        kind = dice.randrange(3)
        if kind == 0 and at < len(octets):
            octets[at] = dice.choice(INTERESTING)
        elif kind == 1 and at < len(octets):
            del octets[at]
        else:
            octets.insert(at, dice.choice(INTERESTING))
    return bytes(octets[:3900])


def datagram(dice, nas, number, *, accounting):
    """Return one request, mostly signed after it was spoilt."""
    authenticator = dice.randbytes(16)
    known = pieces(nas, authenticator)
    chosen = known[:2] * dice.randrange(2) + dice.sample(known, dice.randrange(len(known)))
    octets = mutated(dice, b"".join(chosen))
    if dice.randrange(10) == 0:
        return mutated(dice, bytes((dice.randrange(50), number)) + octets)
    if accounting:
        return seal_request(
            Code.ACCOUNTING_REQUEST, number, octets, nas.shared, sign=bool(dice.randrange(2))
        )
    code = Code.STATUS_SERVER if dice.randrange(12) == 0 else Code.ACCESS_REQUEST
    return sign_request(code, number, authenticator, octets, nas.shared)


@pytest.mark.parametrize("port", ["auth", "acct"])
def test_nothing_that_is_sent_breaks_the_door(port):
    dice = random.Random(f"2865 {port}")
    with served(rules(), workers=2) as door:
        with door.nas() if port == "auth" else door.accountant() as nas:
            accepted = set()
            for number in range(PACKETS):
                sent = datagram(dice, nas, number % 200, accounting=port == "acct")
                for _ in range(1 + (dice.randrange(8) == 0)):
                    nas.sock.send(sent)
                if number % A_LOT == A_LOT - 1:
                    eventually(lambda: busy(door) == 0, "the judges never end")
                    accepted |= read_to_the_fence(nas)
        assert door.counted("faults", "-") == 0
        assert door.server.is_well
        counts = door.counters.read()
        typed = [typed for talk in door.service.talks if talk.request.name for typed in talk.typed]
    events = {event for _, event in counts}
    assert {"malformed", "duplicate", "status-server"} <= events
    if port == "acct":
        assert typed == []
        assert counts["nas", "accounting-request"] > PACKETS / 6
    else:
        assert {"no-proof", "no-method", "no-login", "unknown-state"} <= events
        assert PASSWORD in typed
        assert len(accepted) == typed.count(PASSWORD)


def busy(door):
    gauges = door.server.gauges()
    return gauges["in_flight"] + gauges["waiting"]


def read_to_the_fence(nas):
    """Return what was accepted, each once, up to the answer to a Status-Server of ours."""
    fence = sign_request(Code.STATUS_SERVER, 255, os.urandom(16), b"", nas.shared)
    nas.sock.send(fence)
    accepted = set()
    while (reply := decode(nas.sock.recv(4096))).identifier != 255:
        if reply.holds(Attribute.CLASS):
            accepted.add(reply.raw)
    return accepted
