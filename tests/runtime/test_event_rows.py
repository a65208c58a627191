"""A line of the audit trail, as the admin socket shows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, Phase
from loginward.core.status import Lock, LockCause, PasswordStatus, Status, UserState
from loginward.core.transitions import Bar, Transition
from loginward.doors.radius.disconnect import Outcome
from loginward.runtime.audit import Entry
from loginward.runtime.event_rows import row_of, shown
from loginward.runtime.events import (
    ActEvent,
    DaemonEvent,
    DecisionEvent,
    DisconnectEvent,
    FaultEvent,
    TransitionEvent,
)
from loginward.wire.admin.parts import lock_part, status_part

AT = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
LOCK = Lock(id="l", cause=LockCause.THRESHOLD, until=AT)


def status(*held, state=UserState.ACTIVE, must_change=False):
    return status_part(
        Status(
            state=state,
            statuses=frozenset(held or {PasswordStatus.ACTIVE}),
            lock=LOCK if PasswordStatus.LOCKED in held else None,
            must_change=must_change,
        )
    )


LOCKED = status(PasswordStatus.LOCKED, PasswordStatus.EXPIRED)


def row(kind, **more):
    return row_of(Entry("7-1", kind(at=AT, name="ann", **more)))


def decision(**more):
    asked = {"door": Door.LOGIN, "phase": Phase.AUTHN, "service": "sshd"}
    answered = {"verdict": Verdict.REFUSE, "reason": Reason.ACCOUNT_LOCKED}
    return row(DecisionEvent, **(asked | answered | more))


@pytest.mark.parametrize(
    ("held", "line"),
    [
        pytest.param(status(), "active", id="in-order"),
        pytest.param(LOCKED, "locked, expired", id="by-rank"),
        pytest.param(
            status(PasswordStatus.EXPIRED, state=UserState.SUSPENDED),
            "suspended, expired",
            id="the-state-first",
        ),
        pytest.param(status(must_change=True), "active, must change", id="temporary"),
    ],
)
def test_a_status_is_one_line(held, line):
    assert shown(held) == line


def test_a_decision_says_who_where_and_why():
    """The reference that the person was told leads to it."""
    shows = decision(reference="7F3K2Q", source="sshd 203.0.113.7", status=LOCKED, count=3)
    assert (shows.id, shows.at, shows.event, shows.name) == ("7-1", AT, "decision", "ann")
    assert (shows.door, shows.phase, shows.service) == ("login", "authn", "sshd")
    assert (shows.verdict, shows.reason, shows.after) == (
        "refuse",
        "account-locked",
        "locked, expired",
    )
    assert (shows.reference, shows.source, shows.count) == ("7F3K2Q", "sshd 203.0.113.7", 3)


def test_of_what_narrows_a_decision_only_what_there_is_is_shown():
    assert decision().more == {}
    assert decision().after == ""
    whole = decision(
        detail="until",
        checked="wrong",
        allowed_by="keep_while:mail",
        offline=True,
        tripped=lock_part(LOCK),
    )
    assert whole.more == {
        "detail": "until",
        "checked": "wrong",
        "allowed-by": "keep_while:mail",
        "offline": "yes",
        "tripped": "threshold",
    }


def test_an_act_says_who_did_it_and_what_it_changed():
    """R45."""
    done = row(ActEvent, by="root (eve)", uid=0, verb="unlock", before=LOCKED, after=status())
    assert (done.event, done.by, done.verb) == ("act", "root (eve)", "unlock")
    assert (done.before, done.after, done.text) == ("locked, expired", "active", "")


def test_an_act_that_failed_says_why_and_one_that_was_done_what_else_it_did():
    failed = row(ActEvent, by="eve", uid=7, verb="unlock", why="no right", notes=("a note",))
    assert (failed.before, failed.after, failed.text) == ("", "", "no right")
    done = row(ActEvent, by="eve", uid=7, verb="unlock", notes=("one", "two"))
    assert done.text == "one; two"


def disconnect(outcome, **more):
    return row(
        DisconnectEvent, client="wifi", station="00-11", session="5F3A", bar=Bar.SUSPENDED,
        outcome=outcome, **more,
    )  # fmt: skip


def test_a_disconnect_says_whose_session_where_and_what_came_of_it():
    done = disconnect(Outcome.ACKNOWLEDGED, nas="10.20.0.7:3799")
    assert (done.event, done.name, done.verb) == ("disconnect", "ann", "acknowledged")
    assert (done.door, done.service, done.source) == ("radius", "wifi", "00-11")
    assert done.text == "suspended: session 5F3A at 10.20.0.7:3799"
    assert done.more == {"bar": "suspended", "session": "5F3A", "nas": "10.20.0.7:3799"}


@pytest.mark.parametrize(
    ("outcome", "cause", "says"),
    [
        (Outcome.NOT_THERE, 503, "session 5F3A at n"),
        (Outcome.REFUSED, 501, "session 5F3A at n: Error-Cause 501 administratively-prohibited"),
        (Outcome.REFUSED, 999, "session 5F3A at n: Error-Cause 999"),
        (Outcome.REFUSED, None, "session 5F3A at n: without an Error-Cause"),
        (Outcome.UNANSWERED, None, "session 5F3A at n: no answer"),
        (Outcome.UNSIGNED, None, "session 5F3A at n: answered, but not signed by this secret"),
    ],
)
def test_each_way_a_disconnect_ends_is_told_apart(outcome, cause, says):
    told = disconnect(outcome, nas="n", cause=cause)
    assert (told.verb, told.text) == (outcome.value, f"suspended: {says}")
    assert bool(told.more.get("error-cause")) is (cause is not None)


@pytest.mark.parametrize("outcome", [Outcome.KEPT, Outcome.NEVER, Outcome.NO_SECRET, Outcome.MOVED])
def test_what_was_not_even_asked_says_why(outcome):
    assert re.fullmatch(r"suspended: session 5F3A: .* client.*", disconnect(outcome).text)


def test_a_transition_shows_both_ends():
    moved = row(
        TransitionEvent,
        transition=Transition.LOCKED,
        before=status(),
        after=LOCKED,
        source="sshd 203.0.113.7",
    )
    assert (moved.event, moved.verb, moved.source) == ("transition", "locked", "sshd 203.0.113.7")
    assert (moved.before, moved.after) == ("active", "locked, expired")


def test_an_unlock_tells_where_the_lock_came_from_and_not_that_the_unlock_did():
    """Also of a trail in which the event itself still has the source of its lock."""
    before = msgspec.structs.replace(
        LOCKED, lock=msgspec.structs.replace(LOCKED.lock, source="sshd 203.0.113.7")
    )
    moved = row(
        TransitionEvent,
        transition=Transition.UNLOCKED,
        before=before,
        after=status(),
        source="sshd 203.0.113.7",
    )
    assert (moved.source, moved.more) == ("", {"locked-from": "sshd 203.0.113.7"})


def test_faults_and_the_daemons_own_doings_are_said_in_words():
    fault = row(FaultEvent, part="store", problem="the disk is full")
    assert (fault.event, fault.text) == ("fault", "store: the disk is full")
    own = row(DaemonEvent, what="reload", text="policy.reveal", by="root")
    assert (own.event, own.verb, own.text, own.by) == ("daemon", "reload", "policy.reveal", "root")
