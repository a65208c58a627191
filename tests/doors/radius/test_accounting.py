"""RFC 2866: acknowledged once the session table knows; what says nothing is dropped."""

from __future__ import annotations

import pytest

from loginward.wire.radius.attributes import AcctStatus, Attribute, attribute, integer
from loginward.wire.radius.packet import Code
from loginward.wire.radius.signing import seal_request
from tests.doors.radius.stage import PASSWORD, served
from tests.doubles.nas import STATION
from tests.doubles.waiting import eventually

NAME = attribute(Attribute.USER_NAME, b"anybody")


@pytest.fixture
def door():
    with served() as door:
        yield door


def tell(door, status, session=b"s1", *more, **how):
    with door.accountant(**how) as accountant:
        reply = accountant.exchange(accountant.accounting(status, session, *more))
    assert reply.code is Code.ACCOUNTING_RESPONSE


def shown(door):
    return [(one.session_id, one.source, one.account_id) for one in door.sessions.all()]


def test_a_session_from_its_accept_to_its_stop(door):
    """Whose it is follows from the Class of the Accept, whatever name stands beside it."""
    with door.nas() as nas:
        class_ = nas.login("alice", PASSWORD).first(Attribute.CLASS)
    ours = attribute(Attribute.CLASS, class_)
    tell(door, AcctStatus.START, b"s1", NAME, ours)
    assert shown(door) == [(b"s1", "127.0.0.1", "id-alice")]
    (session,) = door.sessions.of_account("id-alice")
    assert (session.name, session.station) == ("alice", STATION.decode())
    tell(door, AcctStatus.INTERIM_UPDATE, b"s1", NAME, ours)
    assert len(door.sessions.all()) == 1
    tell(door, AcctStatus.STOP, b"s1", NAME, ours)
    assert door.sessions.all() == ()


def test_an_interim_update_may_be_the_first_that_is_heard(door):
    tell(door, AcctStatus.INTERIM_UPDATE)
    assert shown(door) == [(b"s1", "127.0.0.1", "")]


@pytest.mark.parametrize("status", [AcctStatus.ACCOUNTING_ON, AcctStatus.ACCOUNTING_OFF])
def test_a_nas_that_begins_or_ends_has_no_session_left_and_its_neighbour_keeps_its_own(
    door, status
):
    tell(door, AcctStatus.START, b"s1", source="127.0.0.1")
    tell(door, AcctStatus.START, b"s2", source="127.0.0.1")
    tell(door, AcctStatus.START, b"s1", source="127.0.0.2")
    tell(door, status, b"boot", source="127.0.0.1")
    assert shown(door) == [(b"s1", "127.0.0.2", "")]


def test_what_is_none_of_ours_is_acknowledged_and_changes_nothing(door):
    tell(door, 9)  # Tunnel-Start, RFC 2867
    assert door.sessions.all() == ()


def test_a_retransmission_hears_the_same_octets_and_counts_once(door):
    with door.accountant() as accountant:
        start = accountant.accounting(AcctStatus.START, b"s1")
        first = accountant.exchange(start).raw
        accountant.exchange(accountant.accounting(AcctStatus.STOP, b"s1"))
        assert accountant.exchange(start).raw == first
    assert door.sessions.all() == (), "the late start of a session that has ended begins none"


@pytest.mark.parametrize(
    "attributes",
    [
        b"",
        attribute(Attribute.ACCT_SESSION_ID, b"s1"),
        integer(Attribute.ACCT_STATUS_TYPE, AcctStatus.START),
        attribute(Attribute.ACCT_STATUS_TYPE, b"\x01") + attribute(Attribute.ACCT_SESSION_ID, b"s"),
    ],
)
def test_what_says_nothing_is_dropped_and_counted(door, attributes):
    with door.accountant() as accountant:
        accountant.sock.send(
            seal_request(Code.ACCOUNTING_REQUEST, 250, attributes, accountant.shared, sign=False)
        )
        eventually(lambda: door.counted("malformed") == 1, "it was taken")
        reply = accountant.exchange(accountant.accounting(AcctStatus.START, b"s9"))
        assert reply.identifier != 250, "it was acknowledged"
    assert [one.session_id for one in door.sessions.all()] == [b"s9"]


def test_what_our_secret_did_not_seal_is_dropped(door):
    with door.accountant(secret=b"some other secret") as forger:
        forger.sock.send(forger.accounting(AcctStatus.START, b"s1"))
        eventually(lambda: door.counted("bad-authenticator") == 1, "it was taken")
    assert door.sessions.all() == ()


def test_accounting_needs_no_message_authenticator_but_a_wrong_one_is_none(door):
    with door.accountant() as accountant:
        signed = accountant.accounting(AcctStatus.START, b"s1")
        sealed = seal_request(Code.ACCOUNTING_REQUEST, 251, signed[20:], accountant.shared)
        assert accountant.exchange(sealed).code is Code.ACCOUNTING_RESPONSE
        forged = signed[20:] + b"\x50\x12" + bytes(16)
        accountant.sock.send(
            seal_request(Code.ACCOUNTING_REQUEST, 252, forged, accountant.shared, sign=False)
        )
        eventually(lambda: door.counted("bad-authenticator") == 1, "it was taken")


def test_a_session_is_named_as_its_accounting_names_it_and_by_nothing_else(door):
    """RFC 5176 section 3: what a Disconnect-Request may say; not an octet of an empty attribute."""
    said = {
        Attribute.NAS_IP_ADDRESS: bytes((10, 20, 0, 7)),
        Attribute.NAS_IDENTIFIER: b"wlc-1",
        Attribute.CALLING_STATION_ID: b"00-11",
    }
    more = [attribute(type_, value) for type_, value in said.items()]
    empty = bytes((Attribute.NAS_IPV6_ADDRESS, 2))
    with door.nas() as nas:
        class_ = nas.login("alice", PASSWORD).first(Attribute.CLASS)
    ours = attribute(Attribute.CLASS, class_)
    tell(door, AcctStatus.START, b"s1", NAME, ours, empty, integer(Attribute.NAS_PORT, 7), *more)

    (session,) = door.sessions.all()
    assert session.named == b"".join(
        (
            attribute(Attribute.NAS_IP_ADDRESS, said[Attribute.NAS_IP_ADDRESS]),
            attribute(Attribute.NAS_IDENTIFIER, b"wlc-1"),
            NAME,
            attribute(Attribute.CALLING_STATION_ID, b"00-11"),
            attribute(Attribute.ACCT_SESSION_ID, b"s1"),
        )
    )
