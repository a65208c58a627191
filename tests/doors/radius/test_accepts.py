"""What an Accept gives: the rule's attributes, a Class nobody can guess, an end in time."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from loginward.doors.radius.accepts import CLASS_MARK, Accepts
from loginward.doors.radius.exchange import Exchange
from loginward.doors.radius.sessions import Heard, Sessions
from loginward.wire.radius.attributes import Attribute, as_integer
from loginward.wire.radius.packet import decode
from loginward.wire.radius.signing import SharedSecret, sign_reply
from tests.doors.radius.stage import OK, reply, rules
from tests.doubles.moving import MovingClock
from tests.doubles.nas import SECRET, Nas

STAFF = reply("staff", Filter_Id="staff", Session_Timeout="3600")
ENDLESS = reply(Filter_Id="anybody")
OURS = replace(OK, groups=frozenset({"staff"}))


@pytest.fixture
def clock():
    return MovingClock()


@pytest.fixture
def sessions(clock):
    return Sessions(clock)


@pytest.fixture
def given(clock, sessions):
    """Return what an Accept of a result holds."""
    in_force = rules(replies=(STAFF, ENDLESS))
    shared = SharedSecret(SECRET)
    with Nas(1) as nas:
        packet = decode(nas.request("alice", b"x"))
    exchange = Exchange(
        packet=packet, client=in_force.clients.find("127.0.0.1"), secret=shared, rules=in_force,
        source="127.0.0.1", arrived=0.0, reply=lambda *_: None, drop=lambda: None,
    )  # fmt: skip
    accepts = Accepts(sessions, clock, os.urandom)
    return lambda result: decode(
        sign_reply(2, packet, accepts.attributes(exchange, result), shared)
    )


def timeout(accept):
    return as_integer(accept.first(Attribute.SESSION_TIMEOUT))


def test_the_rules_attributes_and_one_class(given):
    accept = given(OURS)
    assert accept.all(Attribute.FILTER_ID) == [b"staff"]
    (class_,) = accept.all(Attribute.CLASS)
    assert class_.startswith(CLASS_MARK)
    assert len(class_) == len(CLASS_MARK) + 16
    assert timeout(accept) == 3600


def test_no_two_accepts_share_a_class(given):
    assert len({given(OURS).first(Attribute.CLASS) for _ in range(50)}) == 50


def test_accounting_with_the_class_is_that_accounts(given, sessions):
    class_ = given(OURS).first(Attribute.CLASS)
    sessions.heard(
        Heard(client="nas", source="127.0.0.1", session_id=b"1", classes=(class_,), name="", station="")
    )  # fmt: skip
    (session,) = sessions.of_account("id-alice")
    assert (session.name, session.station) == ("alice", "00-11-22-33-44-55")


@pytest.mark.parametrize(
    ("left_s", "expected"),
    [(7200, 3600), (3600, 3600), (600, 600), (1.9, 1), (0.4, 1), (0, 3600), (-5, 3600)],
)
def test_no_session_outlives_the_password(given, clock, left_s, expected):
    """Who is let in with one that is due already (grace, a resource) has the configured time."""
    due = clock.now() + timedelta(seconds=left_s)
    assert timeout(given(replace(OURS, due_at=due))) == expected


def test_where_no_timeout_is_configured_none_is_sent(given, clock):
    due = clock.now() + timedelta(seconds=60)
    assert timeout(given(replace(OK, due_at=due))) is None
