"""What `why` tells of the past: who ended the last lock, and the refusal that a person read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.acts import Verb
from loginward.core.reasons import Reason, Verdict
from loginward.core.status import LockCause, PasswordStatus, UserState
from loginward.core.transitions import Transition
from loginward.runtime.events import ActEvent, TransitionEvent
from loginward.runtime.past import Past, past_of
from loginward.wire.admin.parts import EndedLockPart, LockPart, StatusPart
from tests.doubles.moving import NOW
from tests.runtime.decisions import decision
from tests.runtime.people import RIGHT, WRONG, person


def before(minutes):
    return NOW - timedelta(minutes=minutes)


LOCK = LockPart(
    cause=LockCause.THRESHOLD,
    since=before(20),
    until=NOW + timedelta(minutes=10),
    source="sshd 203.0.113.7",
    failures=5,
)
OTHER = LockPart(cause=LockCause.BY_ADMIN, since=before(60))
OUTLIVED = LockPart(cause=LockCause.THRESHOLD, since=before(50), until=before(20), failures=5)


def status(lock=None):
    held = PasswordStatus.ACTIVE if lock is None else PasswordStatus.LOCKED
    return StatusPart(state=UserState.ACTIVE, headline=held, statuses=(held,), lock=lock)


def act(minutes, was, becomes, verb="unlock", **more):
    return ActEvent(
        at=before(minutes), name="ann", by="root", uid=0, verb=verb,
        before=status(was), after=status(becomes), **more,
    )  # fmt: skip


def seen(minutes, was, becomes, transition=Transition.UNLOCKED):
    return TransitionEvent(
        at=before(minutes), name="ann", transition=transition,
        before=status(was), after=status(becomes),
    )  # fmt: skip


def tripped(minutes, lock):
    return decision(at=before(minutes), reference="AAAAA1", tripped=lock)


def refused(minutes, lock):
    return decision(
        at=before(minutes), reference="AAAAA2", reason=Reason.ACCOUNT_LOCKED, status=status(lock)
    )


UNLOCKED = EndedLockPart(lock=LOCK, ended_at=before(2), by="root", verb="unlock")
ELSEWHERE = EndedLockPart(lock=LOCK, ended_at=before(1))


@pytest.mark.parametrize(
    ("newest_first", "ended"),
    [
        pytest.param([], None, id="nothing-known"),
        pytest.param([act(2, LOCK, None), refused(5, LOCK)], UNLOCKED, id="unlocked"),
        pytest.param(
            [seen(1, LOCK, None), act(2, LOCK, None)], UNLOCKED, id="seen-after-it-was-unlocked"
        ),
        pytest.param(
            [seen(1, LOCK, None), refused(5, LOCK), act(40, OTHER, None)],
            ELSEWHERE,
            id="unlocked-elsewhere",
        ),
        pytest.param(
            [seen(1, LOCK, None), act(40, OTHER, None)], ELSEWHERE, id="an-older-lock-was-unlocked"
        ),
        pytest.param([seen(1, LOCK, None)], ELSEWHERE, id="only-seen"),
        pytest.param(
            [tripped(50, OUTLIVED)],
            EndedLockPart(lock=OUTLIVED, ended_at=before(20)),
            id="ended-by-itself",
        ),
        pytest.param(
            [seen(19, OUTLIVED, None), tripped(50, OUTLIVED)],
            EndedLockPart(lock=OUTLIVED, ended_at=before(20)),
            id="ended-by-itself-and-seen",
        ),
        pytest.param(
            [act(3, None, None, noop=True), act(4, None, None, problem="refused"), refused(5, LOCK)],
            EndedLockPart(lock=LOCK, ended_at=NOW),
            id="gone-and-nobody-saw-how",
        ),
        pytest.param(
            [seen(30, None, LOCK, Transition.LOCKED), act(40, OTHER, None)],
            EndedLockPart(lock=LOCK, ended_at=NOW),
            id="the-last-lock-not-the-one-before",
        ),
        pytest.param(
            [act(2, LOCK, None, verb="reset-password")],
            EndedLockPart(lock=LOCK, ended_at=before(2), by="root", verb="reset-password"),
            id="a-reset-ends-it-too",
        ),
    ],
)  # fmt: skip
def test_the_lock_that_holds_no_more(newest_first, ended):
    """R16, R50: since, cause, source, and who ended it."""
    assert past_of(newest_first, NOW).ended == ended


def test_the_last_refusal_whatever_came_after():
    allowed = decision(at=before(1), verdict=Verdict.ALLOW, reason=Reason.OK, reference="AAAAA9")
    past = past_of([allowed, refused(2, LOCK), tripped(3, LOCK)], NOW)
    assert (past.refusal.reference, past.refusal.reason) == ("AAAAA2", Reason.ACCOUNT_LOCKED)
    assert past_of([allowed], NOW) == Past()


def test_no_more_is_read_than_is_needed():
    def events():
        yield act(2, LOCK, None)
        yield refused(5, LOCK)
        raise AssertionError("read on")

    assert past_of(events(), NOW).refusal.reference == "AAAAA2"


def test_why_tells_who_unlocked_and_which_reference_was_read(host):
    """R50: what a person has read on the screen is on the page of the administrator."""
    host.people(person("ann"))
    for number in range(5):
        host.ask("ann", WRONG + b"%d" % number, rhost="203.0.113.7")
        host.hands.pass_by(timedelta(seconds=1))
    turn = host.ask("ann", RIGHT, rhost="203.0.113.7")
    assert host.why("ann").ended_lock is None  # it holds
    assert host.why("ann").last_refusal.reference == turn.reference
    host.hands.pass_by(timedelta(seconds=1))
    host.act(Verb.UNLOCK, "ANN")
    row = host.why("ann")
    assert (row.ended_lock.by, row.ended_lock.verb) == ("root", "unlock")
    assert (row.ended_lock.lock.failures, row.ended_lock.lock.cause) == (5, LockCause.THRESHOLD)
    assert row.ended_lock.lock.source == "sshd 203.0.113.7"
    assert row.last_refusal.reason is Reason.ACCOUNT_LOCKED
    assert host.parts.audit.find(row.last_refusal.reference).name == "ann"


def test_why_tells_that_a_lock_ended_by_itself(host):
    host.people(person("ann"))
    for number in range(5):
        host.ask("ann", WRONG + b"%d" % number)
    lock = host.account("ann").status.lock
    host.hands.pass_by(timedelta(hours=1))
    ended = host.why("ann").ended_lock
    assert (ended.lock, ended.ended_at, ended.by) == (lock, lock.until, "")


def test_a_repeat_that_is_kept_back_is_the_last_refusal(host):
    """Its line is not written yet; its reference was read all the same."""
    host.people(person("ann", "suspended"))
    turns = [host.ask("ann", RIGHT) for _ in range(3)]
    assert host.why("ann").last_refusal.reference == turns[-1].reference


def test_nobody_has_no_past(host):
    host.ask("nobody-here", WRONG)
    row = host.why("nobody-here")
    assert (row.ended_lock, row.last_refusal) == (None, None)
    assert row.clears == ("look at the spelling: loginward users lists the names",)
