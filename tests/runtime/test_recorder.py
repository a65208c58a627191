"""What the trail says of a decision, a transition and a fault of the store (R45)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.facts import status_at
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Peer, Phase
from loginward.core.status import Lock, LockCause, PasswordStatus
from loginward.core.transitions import Transition
from loginward.runtime.events import (
    ClaimPart,
    FaultEvent,
    PeerPart,
    TransitionEvent,
    event_line,
)
from loginward.store.faults import Tampered
from tests.runtime.people import RIGHT, WRONG

OTHER = Peer(uid=1000, real_uid=1000, pid=77)


def last(host, kind):
    return [one.event for one in host.parts.audit.last(100) if isinstance(one.event, kind)]


def test_a_decision_names_who_was_judged_from_where_and_by_what(site):
    turn = site.ask("ann", RIGHT, rhost="203.0.113.7")
    event = site.event(turn)
    assert (event.name, event.account, event.service) == ("ann", "id-ann", "sshd")
    assert (event.verdict, event.reason) == (Verdict.ALLOW, Reason.OK)
    assert event.source == "sshd 203.0.113.7"
    assert (event.checked, event.offline) == ("proven (bind)", False)
    assert event.read_at == site.parts.clock.now()
    assert event.peer == PeerPart(uid=0, real_uid=0)
    assert event.claimed is None, "root's word stands"


@pytest.mark.parametrize(
    ("typed", "times", "checked"),
    [(WRONG, 1, "wrong"), (WRONG, 2, "wrong (known)"), (RIGHT, 1, "proven (bind)")],
)
def test_what_the_check_showed(site, typed, times, checked):
    for _ in range(times):
        turn = site.ask("ann", typed)
    assert site.parts.audit.find(turn.reference).checked == checked


def test_nothing_was_checked_of_whom_the_account_phase_judged(site):
    assert site.event(site.acct("ann")).checked == ""


def test_an_offline_decision_says_so_and_why(site):
    site.ask("ann", RIGHT)
    site.parts.verifiers.idle()
    site.paper.down = True
    event = site.event(site.ask("ann", RIGHT))
    assert (event.offline, event.checked) == (True, "proven (verifier)")
    assert "directory: connect" in event.evidence


def test_the_lock_that_an_attempt_tripped_is_in_its_event(site):
    for n in range(5):
        turn = site.ask("ann", b"guess number %d" % n)
    event = site.event(turn)
    assert event.tripped.cause is LockCause.THRESHOLD
    assert event.tripped.failures == 5


def test_what_others_than_root_say_of_themselves_is_a_claim(site):
    """security.md 6."""
    turn = site.ask("ann", RIGHT, peer=OTHER, service="dovecot", rhost="192.0.2.1", tty="t")
    event = site.event(turn)
    assert event.claimed == ClaimPart(service="dovecot", rhost="192.0.2.1", tty="t")
    assert event.peer == PeerPart(uid=1000, real_uid=1000, pid=77)
    assert "192.0.2.1" not in event.source


def test_a_name_that_nobody_has_is_not_written_as_typed(site):
    """security.md 25: people type their passwords there."""
    event = site.event(site.ask("hunter2-my-password", RIGHT))
    assert event.reason is Reason.USER_UNKNOWN
    assert "hunter2" not in event_line(event).decode()


@pytest.mark.parametrize("phase", [Phase.AUTHN, Phase.ACCT])
def test_no_event_holds_a_password(site, phase):
    """I15."""
    turn = site.ask("ann", RIGHT, phase=phase)
    assert RIGHT not in event_line(site.event(turn))


def test_a_transition_has_both_states_and_who_tripped_it(site):
    now = site.parts.clock.now()
    lock = Lock(id="1", cause=LockCause.THRESHOLD, since=now, until=now + timedelta(hours=1),
                source="sshd 203.0.113.7")  # fmt: skip
    before = site.paper.find("ann", None)
    site.paper.move("ann", locks=(lock,))
    after = site.paper.find("ann", None)
    site.parts.recorder.transition(
        Transition.LOCKED, status_at(before, now), status_at(after, now), after
    )
    (event,) = last(site, TransitionEvent)
    assert (event.name, event.account, event.transition) == ("ann", "id-ann", Transition.LOCKED)
    assert event.before.statuses == (PasswordStatus.ACTIVE,)
    assert event.after.lock.until == lock.until
    assert (event.at, event.source) == (now, "sshd 203.0.113.7")


def test_the_end_of_a_lock_is_not_said_to_come_from_where_the_lock_did(site):
    """Who unlocked is not known of a transition; whence the lock had come stays with the lock."""
    now = site.parts.clock.now()
    lock = Lock(id="1", cause=LockCause.THRESHOLD, since=now, source="sshd 203.0.113.7")
    after = site.paper.find("ann", None)
    site.paper.move("ann", locks=(lock,))
    before = site.paper.find("ann", None)
    site.parts.recorder.transition(
        Transition.UNLOCKED, status_at(before, now), status_at(after, now), after
    )
    (event,) = last(site, TransitionEvent)
    assert (event.source, event.after.lock) == ("", None)
    assert event.before.lock.source == "sshd 203.0.113.7"


def test_a_fault_of_the_store_is_told_with_whom_it_concerns(site):
    site.parts.store.file.note(Tampered("the row is not ours"), "ann")
    (event,) = last(site, FaultEvent)
    assert (event.part, event.at) == ("store", site.parts.clock.now())
    assert event.problem.startswith("ann: ")
    assert event.remedy
