"""Whether a sender kept the rules is told apart from whether it was answered (RFC 6613 2.6.4)."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from loginward.core.secret import Secret
from loginward.doors.radius.clients import RadiusClient
from loginward.doors.radius.counters import UNKNOWN, Counters
from loginward.doors.radius.intake import ACCOUNTING, AUTHENTICATION, Intake, Origin
from loginward.doors.radius.loop import Loop
from loginward.errors import ProtocolError
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import Attribute, attribute
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.password import hide
from loginward.wire.radius.signing import SharedSecret, seal_request, sign_request
from tests.doors.radius.stage import client, rules
from tests.doubles.clock import FixedWall

SECRET = SharedSecret(b"radsec")
BOTH = AUTHENTICATION | ACCOUNTING


class Judge:
    """Takes note of what is to be judged; answers or refuses it as it is told."""

    def __init__(self) -> None:
        self.asked = []
        self.broken = False

    def handle(self, exchange) -> None:
        if self.broken:
            raise ProtocolError("nothing that can be judged")
        self.asked.append(exchange)

    def accept(self) -> None:
        exchange = self.asked[-1]
        exchange.reply(replies.accept(exchange.packet, exchange.secret), exchange.arrived)


class Stage:
    """An intake before two judges, and what it answers."""

    def __init__(self, codes=BOTH, usable=True, **settings) -> None:
        self.counters, self.access, self.accounting = Counters(), Judge(), Judge()
        clock = FixedWall()
        self.loop = Loop(clock, lambda: self.counters.add(UNKNOWN, "faults"))
        service = SimpleNamespace(is_usable=lambda: usable)
        self.intake = Intake(
            service, self.access, self.accounting, clock, self.counters, self.loop
        )  # fmt: skip
        self.rules = rules(**settings)
        self.sent = []
        self.codes = codes

    def take(self, octets: bytes, connection: int = 1, **how) -> bool:
        nas = RadiusClient(client(**how), None)
        origin = Origin(
            nas,
            SECRET,
            "127.0.0.1",
            (-connection, "127.0.0.1", 4000),
            True,
            self.codes,
            self.sent.append,
        )
        return self.intake.take(octets, origin, self.rules)

    def counted(self, event: str) -> int:
        return self.counters.read().get(("nas", event), 0)


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.loop.close()


def login(identifier=1, secret=SECRET) -> bytes:
    random = os.urandom(16)
    named = attribute(Attribute.USER_NAME, b"alice")
    hidden = attribute(Attribute.USER_PASSWORD, hide(Secret(b"right"), random, secret))
    return sign_request(Code.ACCESS_REQUEST, identifier, random, named + hidden, secret)


def status(identifier=1, secret=SECRET) -> bytes:
    return sign_request(Code.STATUS_SERVER, identifier, os.urandom(16), b"", secret)


def account() -> bytes:
    return seal_request(Code.ACCOUNTING_REQUEST, 9, b"", SECRET, sign=False)


def unsigned() -> bytes:
    return bytes((1, 1, 0, 20)) + bytes(16)


def test_one_way_in_serves_logins_accounting_and_status(stage):
    assert stage.take(login())
    assert stage.take(account())
    assert stage.take(status(2))
    assert len(stage.access.asked) == len(stage.accounting.asked) == 1
    assert [decode(sent).code for sent in stage.sent] == [Code.ACCESS_ACCEPT]


@pytest.mark.parametrize(
    ("octets", "counted"),
    [
        pytest.param(login(secret=SharedSecret(b"another")), "bad-authenticator", id="wrong-secret"),
        pytest.param(login()[:30], "malformed", id="cut-short"),
        pytest.param(bytes((250, 1, 0, 20)) + bytes(16), "malformed", id="unknown-code"),
        pytest.param(bytes((2, 1, 0, 20)) + bytes(16), "wrong-port", id="a-reply"),
    ],
)  # fmt: skip
def test_what_its_sender_did_not_sign_is_told(stage, octets, counted):
    """But for a code that is not for this way in, which is let go."""
    assert stage.take(octets) == (counted == "wrong-port")
    assert stage.counted(counted) == 1
    assert not stage.sent
    assert not stage.access.asked


def test_a_request_without_a_message_authenticator_is_dropped_and_no_more(stage):
    assert stage.take(unsigned())
    assert (stage.counted("unsigned"), stage.access.asked) == (1, [])
    assert stage.take(unsigned(), require_message_authenticator=False)
    assert len(stage.access.asked) == 1


def test_what_cannot_be_judged_is_dropped_and_may_be_asked_again(stage):
    stage.access.broken = True
    request = login()
    assert stage.take(request)
    assert stage.counted("malformed") == 1
    stage.access.broken = False
    stage.take(request)
    assert len(stage.access.asked) == 1


def test_a_repeat_is_judged_once_and_answered_alike_on_its_connection_alone(stage):
    """RFC 6613 section 2.6.1: identifiers are a connection's own."""
    request = login()
    stage.take(request)
    stage.take(request)
    assert (len(stage.access.asked), stage.sent) == (1, [])
    stage.access.accept()
    stage.take(request)
    assert len(stage.sent) == 2
    assert len(set(stage.sent)) == 1
    stage.take(request, connection=2)
    assert len(stage.access.asked) == 2


@pytest.mark.parametrize(
    ("codes", "usable", "answer"),
    [
        (BOTH, True, Code.ACCESS_ACCEPT),
        (BOTH, False, None),
        (ACCOUNTING, False, Code.ACCOUNTING_RESPONSE),
    ],
)
def test_status_server_hears_of_what_it_asks_about(codes, usable, answer):
    """RFC 5997 section 3; silent-when-unusable speaks of logins."""
    stage = Stage(codes, usable=usable, status_server="silent-when-unusable")
    assert stage.take(status())
    assert [decode(sent).code for sent in stage.sent] == ([] if answer is None else [answer])
    stage.loop.close()
