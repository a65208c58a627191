"""What the parts of the login machine share."""

from __future__ import annotations

import pytest

from loginward.core.commands import Means, Settled, Unmoved
from loginward.core.evidence import NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.core.readings import Copy, Fresh, Unknown
from loginward.core.requests import Purpose
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus
from loginward.core.steps import (
    Attempt,
    UnexpectedEventError,
    expect,
    judge,
    means_of,
    readable,
    still_proves,
    typed,
)
from tests.core.people import EXPIRED, LOCKED, NOW, RIGHT, alice
from tests.core.playing import BY_VERIFIER, fresh, gathered

SAME, CHANGED, OTHER = alice(), alice(changed_at=NOW), alice(account_id="id-2")
EMBEDDED = Proven(proof=Proof.EMBEDDED)
MOVED = NoVerdict("moved")
BOTH = frozenset({PasswordStatus.LOCKED, PasswordStatus.EXPIRED})


@pytest.mark.parametrize(
    ("checked", "after", "says"),
    [
        pytest.param(RIGHT, Fresh(SAME), RIGHT, id="nothing-of-it-moved"),
        pytest.param(RIGHT, Fresh(CHANGED), RIGHT, id="a-bind-was-sent-after-the-reading"),
        pytest.param(EMBEDDED, Fresh(CHANGED), EMBEDDED, id="so-was-the-embedded-check"),
        pytest.param(BY_VERIFIER, Copy(SAME), BY_VERIFIER, id="the-same-change-time"),
        pytest.param(BY_VERIFIER, Fresh(CHANGED), MOVED, id="R18-a-verifier-is-of-one-password"),
        pytest.param(RIGHT, Fresh(OTHER), MOVED, id="another-entry"),
        pytest.param(RIGHT, Unknown(), RIGHT, id="gone-is-refused-anyway"),
        pytest.param(Wrong(), Fresh(OTHER), Wrong(), id="wrong-stays-wrong"),
        pytest.param(
            Refused(Refusal.LOCKED), Fresh(CHANGED), Refused(Refusal.LOCKED), id="refused"
        ),
    ],
)
def test_r60_what_a_check_still_says_of_an_account_that_moved(checked, after, says):
    assert still_proves(checked, Fresh(SAME), after) == says


@pytest.mark.parametrize(
    ("reading", "asks", "means"),
    [
        pytest.param(fresh(), {}, Means.DIRECTORY, id="online"),
        pytest.param(Copy(SAME), {}, Means.VERIFIER, id="offline"),
        pytest.param(fresh(**LOCKED), {"keep_while": BOTH}, Means.KEPT, id="R53-locked"),
        pytest.param(Copy(alice(**LOCKED)), {"keep_while": BOTH}, Means.KEPT, id="R53-offline"),
        pytest.param(fresh(), {"keep_while": BOTH}, Means.DIRECTORY, id="nothing-to-keep"),
        pytest.param(
            fresh(**EXPIRED), {"keep_while": BOTH}, Means.DIRECTORY, id="expired-the-bind-is-free"
        ),
        pytest.param(
            fresh(**EXPIRED, grace_left=1), {"keep_while": BOTH}, Means.KEPT, id="expired-in-grace"
        ),
        pytest.param(
            fresh(**EXPIRED, grace_left=1),
            {"keep_while": BOTH, "changing": True},
            Means.DIRECTORY,
            id="a-change-may-spend-it",
        ),
        pytest.param(
            Copy(alice(**EXPIRED, grace_left=1)),
            {"keep_while": BOTH},
            Means.VERIFIER,
            id="offline-nothing-is-spent",
        ),
    ],
)
def test_against_what_a_password_is_checked(reading, asks, means):
    assert means_of(gathered(reading, **asks), NOW) is means


def test_an_event_of_another_kind_is_a_fault():
    unmoved = Unmoved()
    assert expect(unmoved, Unmoved) is unmoved
    with pytest.raises(UnexpectedEventError, match=r"^Settled$"):
        expect(Settled(), Unmoved)
    with pytest.raises(UnexpectedEventError, match=r"^NoneType$"):
        expect(None, Unmoved)


def test_only_an_account_can_be_judged():
    assert readable(fresh()) == fresh()
    with pytest.raises(UnexpectedEventError):
        readable(Unknown())


def test_both_rules_judge_in_their_order():
    assert judge(gathered(fresh(**LOCKED)), RIGHT, lambda: NOW).message == "account-locked.until"
    assert judge(gathered(fresh()), Wrong(), lambda: NOW).message == "wrong-credentials"


def test_asking_shows_no_secret_when_it_is_answered_with_one_out_of_place():
    steps = typed(Purpose.PASSWORD)
    next(steps)
    with pytest.raises(UnexpectedEventError) as raised:
        steps.send(Secret(b"hunter2"))
    assert "hunter2" not in repr(raised.value)


def test_an_attempt_that_ends_a_login_says_all_it_knows():
    decision = judge(gathered(fresh()), RIGHT, lambda: NOW)
    attempt = Attempt(gathered=gathered(fresh()), decision=decision, checked=RIGHT, changed=True)
    done = attempt.done
    assert (done.decision, done.reading, done.checked) == (decision, fresh(), RIGHT)
    assert (done.changed, done.problem, done.tripped) == (True, None, None)
