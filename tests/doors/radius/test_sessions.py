"""Whose session it is, is known by our Class alone; the table is bounded and forgets in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loginward.core.transitions import Bar
from loginward.doors.radius import sessions as module
from loginward.doors.radius.sessions import PENDING_S, SILENT_S, Heard, Sessions
from tests.doors.radius.stage import OK
from tests.doubles.moving import NOW, MovingClock

CLASS = b"lw1:a class of ours"


@pytest.fixture
def clock():
    return MovingClock()


@pytest.fixture
def table(clock):
    return Sessions(clock)


def hear(table, session=b"s1", *classes, client="vpn", source="10.0.0.1", name="mallory"):
    table.heard(
        Heard(
            client=client, source=source, session_id=session, classes=classes, name=name, station="st"
        )
    )  # fmt: skip


def names(table):
    return [(one.name, one.account_id, one.session_id) for one in table.all()]


def test_an_accept_becomes_a_session_with_its_first_accounting(table, clock):
    table.accepted(CLASS, "vpn", OK, "00-11")
    assert table.all() == ()
    clock.pass_s(PENDING_S)
    hear(table, b"s1", b"a foreign class", CLASS)
    (one,) = table.of_account("id-alice")
    assert (one.name, one.client, one.source, one.session_id) == ("alice", "vpn", "10.0.0.1", b"s1")
    assert (one.station, one.since, one.is_ours, one.class_) == ("00-11", NOW, True, CLASS)


def test_a_name_makes_nobodys_session(table):
    """security.md 20: without our Class it is shown, and belongs to no account."""
    hear(table, name="alice")
    (one,) = table.all()
    assert (one.name, one.account_id, one.is_ours) == ("alice", "", False)
    assert table.of_account("") == ()
    assert table.of_account("id-alice") == ()


def test_a_class_serves_one_session_and_only_its_client(table):
    table.accepted(CLASS, "vpn", OK, "")
    hear(table, b"stolen", CLASS, client="wifi")
    assert table.of_account("id-alice") == ()
    hear(table, b"s1", CLASS)
    hear(table, b"again", CLASS)
    assert [one.session_id for one in table.of_account("id-alice")] == [b"s1"]


def test_an_interim_update_changes_nothing_but_when_it_was_heard(table, clock):
    table.accepted(CLASS, "vpn", OK, "")
    hear(table, b"s1", CLASS)
    hear(table, b"s2")
    clock.pass_s(60)
    hear(table, b"s1", b"another class", name="bob")
    assert names(table) == [("mallory", "", b"s2"), ("alice", "id-alice", b"s1")]
    assert table.all()[1].since == NOW


def test_a_stop_ends_that_session_alone(table):
    hear(table, b"s1")
    hear(table, b"s1", source="10.0.0.2")
    hear(table, b"s2")
    table.ended("vpn", "10.0.0.1", b"s1")
    table.ended("vpn", "10.0.0.1", b"never heard of")
    assert [(one.source, one.session_id) for one in table.all()] == [
        ("10.0.0.2", b"s1"), ("10.0.0.1", b"s2"),
    ]  # fmt: skip


def test_accounting_on_clears_that_senders_alone(table):
    hear(table, b"s1")
    hear(table, b"s2", source="10.0.0.2")
    hear(table, b"s3", client="wifi")
    table.restarted("vpn", "10.0.0.1")
    assert {one.session_id for one in table.all()} == {b"s2", b"s3"}


def test_an_accept_that_nobody_accounts_for_is_forgotten(table, clock):
    table.accepted(CLASS, "vpn", OK, "")
    clock.pass_s(PENDING_S + 1)
    table.accepted(b"another", "vpn", OK, "")
    hear(table, b"late", CLASS)
    assert not table.all()[0].is_ours


def test_a_session_that_says_nothing_for_two_days_has_ended(table, clock):
    hear(table, b"quiet")
    clock.pass_s(SILENT_S)
    hear(table, b"s2")
    assert len(table.all()) == 2
    clock.pass_s(1)
    hear(table, b"s3")
    assert [one.session_id for one in table.all()] == [b"s2", b"s3"]


def test_one_client_cannot_fill_the_table_and_what_ends_makes_room(table, monkeypatch):
    monkeypatch.setattr(module, "MOST_OF_A_CLIENT", 3)
    monkeypatch.setattr(module, "MOST", 5)
    for n in range(10):
        hear(table, b"%d" % n)
    assert len(table.all()) == 3
    for n in range(10):
        hear(table, b"%d" % n, client="wifi")
    assert len(table.all()) == 5
    table.ended("vpn", "10.0.0.1", b"0")
    hear(table, b"new")
    assert [one.session_id for one in table.all() if one.client == "vpn"] == [b"1", b"2", b"new"]


def test_accepts_are_bounded_the_oldest_goes(table, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    for n in range(3):
        table.accepted(b"%d" % n, "vpn", OK, "")
    hear(table, b"first", b"0")
    hear(table, b"last", b"2")
    assert [one.is_ours for one in table.all()] == [False, True]


def test_a_session_is_named_to_its_nas_as_its_accounting_said(table):
    """Not as the Accept had it: the NAS may know another User-Name, an outer one say."""
    table.accepted(CLASS, "vpn", OK, "00-11")
    said = Heard(
        client="vpn", source="10.0.0.1", session_id=b"s1", classes=(CLASS,), name="outer",
        station="st", named=b"as accounted",
    )  # fmt: skip
    assert table.heard(said) is None
    assert [(one.name, one.named) for one in table.all()] == [("alice", b"as accounted")]


def test_what_begins_after_its_account_was_barred_is_told_once(table):
    """Between the Accept and the first accounting there is no session that could be ended."""
    table.accepted(CLASS, "vpn", OK, "")
    assert table.barred("id-alice", Bar.LOCKED_BY_ADMIN) == ()
    said = Heard(
        client="vpn", source="10.0.0.1", session_id=b"s1", classes=(CLASS,), name="", station=""
    )

    begun, bar = table.heard(said)
    assert (bar, begun.session_id) == (Bar.LOCKED_BY_ADMIN, b"s1")
    assert table.heard(said) is None  # an interim update
    assert [one.session_id for one in table.of_account("id-alice")] == [b"s1"]


def begins(table, session, class_):
    said = Heard(
        client="vpn", source="10.0.0.1", session_id=session, classes=(class_,), name="", station=""
    )
    return table.heard(said)


def test_a_bar_is_one_accounts_and_ends_with_the_next_accept(table):
    """Whoever is let in again is barred no more, whatever was missed in between."""
    table.accepted(b"alice", "vpn", OK, "")
    table.accepted(b"bob", "vpn", replace(OK, account_id="id-bob"), "")
    hear(table, b"running", b"alice")
    table.accepted(b"waiting", "vpn", OK, "")
    (running,) = table.barred("id-alice", Bar.SUSPENDED)
    assert running.session_id == b"running"

    assert begins(table, b"1", b"bob") is None
    assert begins(table, b"2", b"nobody's") is None
    assert begins(table, b"3", b"waiting") is not None
    table.accepted(b"again", "vpn", OK, "")
    assert begins(table, b"4", b"again") is None
    assert table.barred("", Bar.SUSPENDED) == ()
    assert begins(table, b"5", b"nobody's") is None


def test_a_session_whose_nas_did_not_answer_is_told_when_the_nas_is_heard_again(table):
    table.accepted(CLASS, "vpn", OK, "")
    assert begins(table, b"s1", CLASS) is None
    (session,) = table.barred("id-alice", Bar.SUSPENDED)
    assert begins(table, b"s1", CLASS) is None  # it is being asked

    table.left(session)
    assert begins(table, b"s1", CLASS)[1] is Bar.SUSPENDED
    assert begins(table, b"s1", CLASS) is None

    table.left(session)
    table.accepted(b"again", "vpn", OK, "")
    assert begins(table, b"s1", CLASS) is None  # let in again meanwhile
    table.ended("vpn", "10.0.0.1", b"s1")
    table.left(session)
    assert table.all() == ()
