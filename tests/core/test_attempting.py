"""Attempts, conversation by conversation, and how each ends for its tally."""

from __future__ import annotations

import pytest

from loginward.core.attempting import outcome_of
from loginward.core.attempts import Granted, Outcome
from loginward.core.commands import Means, Settled, Typed, Unmoved
from loginward.core.decision import Decision, refuse
from loginward.core.evidence import NoVerdict, Refusal, Refused, Wrong
from loginward.core.login import Login, UnexpectedEventError
from loginward.core.reasons import Reason, Verdict
from loginward.core.secret import Secret
from loginward.core.steps import Attempt
from tests.core.people import NOW, RIGHT
from tests.core.playing import fresh, gathered, play, request
from tests.core.scripts_attempts import ONLINE
from tests.core.scripts_away import KEPT, OFFLINE

ALLOW = Decision(verdict=Verdict.ALLOW, reason=Reason.OK)
KEPT_IN = Decision(verdict=Verdict.ALLOW, reason=Reason.OK, allowed_by="keep_while:mail")
TO_CHANGE = Decision(verdict=Verdict.ALLOW, reason=Reason.OK, allowed_by="change")
CHANGE = Decision(verdict=Verdict.CHANGE, reason=Reason.CHANGE_REQUIRED)
EXPIRED = refuse(Reason.PASSWORD_EXPIRED)


@pytest.mark.parametrize("script", [*ONLINE, *OFFLINE, *KEPT], ids=lambda script: script.name)
def test_script(script):
    play(script, Login(script.request, lambda: NOW))


@pytest.mark.parametrize(
    ("decision", "checked", "means", "outcome"),
    [
        pytest.param(ALLOW, RIGHT, Means.DIRECTORY, Outcome.ALLOWED, id="let-in"),
        pytest.param(ALLOW, RIGHT, Means.VERIFIER, Outcome.ALLOWED, id="let-in-offline"),
        pytest.param(ALLOW, RIGHT, Means.KEPT, Outcome.PROVEN, id="unlocked-while-kept"),
        pytest.param(KEPT_IN, RIGHT, Means.DIRECTORY, Outcome.PROVEN, id="kept-in"),
        pytest.param(TO_CHANGE, RIGHT, Means.DIRECTORY, Outcome.PROVEN, id="only-to-change"),
        pytest.param(CHANGE, RIGHT, Means.DIRECTORY, Outcome.PROVEN, id="a-change-must-follow"),
        pytest.param(EXPIRED, RIGHT, Means.DIRECTORY, Outcome.PROVEN, id="expired"),
        pytest.param(EXPIRED, Wrong(), Means.DIRECTORY, Outcome.WRONG, id="wrong"),
        pytest.param(EXPIRED, Wrong(), Means.KEPT, Outcome.WRONG, id="wrong-at-the-resource"),
        pytest.param(EXPIRED, Wrong(repeat=True), Means.DIRECTORY, Outcome.NO_VERDICT, id="I19"),
        pytest.param(EXPIRED, NoVerdict("x"), Means.DIRECTORY, Outcome.NO_VERDICT, id="silence"),
        pytest.param(
            EXPIRED, Refused(Refusal.LOCKED), Means.DIRECTORY, Outcome.NO_VERDICT, id="refused"
        ),
        pytest.param(EXPIRED, None, Means.DIRECTORY, Outcome.NO_VERDICT, id="unchecked"),
    ],
)
def test_how_an_attempt_ends(decision, checked, means, outcome):
    attempt = Attempt(gathered=gathered(fresh()), decision=decision, checked=checked)
    assert outcome_of(attempt, means) is outcome


WRONG_ANSWERS = [
    pytest.param([], Unmoved(), id="instead-of-what-was-typed"),
    pytest.param([Typed(Secret(b"x"))], Settled(), id="instead-of-facts"),
    pytest.param([Typed(Secret(b"x")), gathered(fresh())], Unmoved(), id="instead-of-leave"),
    pytest.param(
        [Typed(Secret(b"x")), gathered(fresh()), Granted("r")], Unmoved(), id="instead-of-a-check"
    ),
    pytest.param(
        [Typed(Secret(b"x")), gathered(fresh()), Granted("r"), RIGHT],
        Typed(Secret(b"hunter2")),
        id="instead-of-a-second-look",
    ),
    pytest.param(
        [Typed(Secret(b"x")), gathered(fresh()), Granted("r"), Wrong()],
        Granted("r"),
        id="instead-of-the-settlement",
    ),
]


@pytest.mark.parametrize(("events", "wrong"), WRONG_ANSWERS)
def test_an_answer_to_another_question_is_a_fault_and_shows_no_secret(events, wrong):
    login = Login(request(), lambda: NOW)
    login.start()
    for event in events:
        login.resume(event)
    with pytest.raises(UnexpectedEventError) as raised:
        login.resume(wrong)
    assert str(raised.value) == type(wrong).__name__
