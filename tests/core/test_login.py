"""The login machine, conversation by conversation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.commands import (
    Ask,
    ChangePassword,
    Done,
    Gathered,
    Known,
    Means,
    ReadFacts,
    Recheck,
    Reserve,
    Settle,
    Settled,
    Typed,
    Unmoved,
    Verify,
)
from loginward.core.evidence import Proven, Refused, Wrong
from loginward.core.facts import status_at
from loginward.core.login import Login
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Verdict
from loginward.core.requests import Phase
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus, UserState
from tests.core import people
from tests.core.people import HOUR, NOW, lock
from tests.core.playing import Script, asked, fresh, gathered, play, request
from tests.core.scripts import SCRIPTS
from tests.core.scripts_attempts import REFUSED_BEFORE
from tests.core.scripts_away import OFFLINE
from tests.core.scripts_changing import ACCOUNT


@pytest.mark.parametrize(
    "script", [*REFUSED_BEFORE, *OFFLINE, *ACCOUNT], ids=lambda script: script.name
)
def test_script(script):
    play(script, Login(script.request, lambda: NOW))


def test_names_of_scripts_are_their_own():
    assert len({script.name for script in SCRIPTS}) == len(SCRIPTS)


@pytest.mark.parametrize("cut", [1, -1])
def test_a_script_fails_on_what_is_left_over(cut):
    """The scripts can fail: one step less, or one too many, is seen."""
    whole = SCRIPTS[[s.name for s in SCRIPTS].index("online: right")]
    steps = whole.steps[:-1] if cut < 0 else (*whole.steps, asked())
    with pytest.raises(AssertionError, match="left over" if cut < 0 else "ended early"):
        play(Script("cut", steps, "ok", Verdict.ALLOW), Login(request(), lambda: NOW))


def test_a_lock_that_ends_while_the_password_is_typed_is_over():
    """Every rule asks for the time itself; nothing is judged at the time of the beginning."""
    times = iter([NOW, NOW + 2 * HOUR, *[NOW + 3 * HOUR] * 9])
    login = Login(request(), lambda: next(times))
    login.start()
    login.resume(Typed(Secret(b"x")))
    ended = login.resume(gathered(fresh(locks=(lock(until=NOW + HOUR),))))
    assert isinstance(ended, Done)  # at NOW it still held
    login = Login(request(), lambda: NOW + HOUR)
    login.start()
    login.resume(Typed(Secret(b"x")))
    reserve = login.resume(gathered(fresh(locks=(lock(until=NOW + HOUR),))))
    assert isinstance(reserve, Reserve)


# --- any world -----------------------------------------------------------------------------------

ANSWERS = {
    ReadFacts: st.builds(Gathered, people.readings, people.askers, people.rules),
    Ask: st.sampled_from([b"correct horse", b"battery staple", b"", b"a\0b"]).map(
        lambda octets: Typed(Secret(octets))
    ),
    Reserve: st.one_of(
        st.just(Granted("r1")),
        st.just(Granted("r1")),
        st.just(AtLimit(in_flight=3)),
        st.builds(LockedNow, people.locks),
        st.builds(Known, people.checks),
    ),
    Verify: people.checks,
    Recheck: st.just(Unmoved()) | st.builds(Gathered, people.readings, people.askers, people.rules),
    Settle: st.builds(Settled, st.none() | people.locks),
    ChangePassword: st.just(Changed()) | st.builds(NotChanged, st.sampled_from(ChangeProblem)),
}
judged_phases = st.sampled_from(
    [Phase.AUTHN, Phase.ACCT, Phase.CHAUTHTOK_PRELIM, Phase.CHAUTHTOK_UPDATE]
)


def run(phase, data):
    """Drive a login in a world that answers anything, and return all that was said."""
    login, said = Login(request(phase), lambda: NOW), []
    command = login.start()
    while not isinstance(command, Done):
        answer = data.draw(ANSWERS[type(command)], label=type(command).__name__)
        said.append((command, answer))
        assert len(said) < 60
        command = login.resume(answer)
    return said, command


@given(judged_phases, st.data())
def test_every_login_ends_and_every_attempt_with_it(phase, data):
    """One attempt, at most one check of it, one settlement; nothing is reserved for good."""
    said, _ = run(phase, data)
    granted = sum(isinstance(answer, Granted) for _, answer in said)
    checks = [command for command, _ in said if isinstance(command, Verify)]
    settled = [command for command, _ in said if isinstance(command, Settle)]
    assert granted == len(checks) == len(settled)
    assert sum(check.means is Means.DIRECTORY for check in checks) <= 1  # no double binds
    assert len(checks) <= 2


@given(judged_phases, st.data())
def test_i5_nobody_is_let_in_against_the_last_reading(phase, data):
    said, done = run(phase, data)
    if not done.decision.lets_in:
        assert not done.changed
        return
    assert isinstance(done.reading, Fresh | Copy)
    status = status_at(done.reading.facts, NOW)
    assert status.state is UserState.ACTIVE
    assert PasswordStatus.PENDING not in status.statuses
    if phase is not Phase.ACCT:
        assert isinstance(done.checked, Proven)
    if PasswordStatus.LOCKED in status.statuses:
        assert done.decision.allowed_by == "keep_while:mail"
        assert not done.changed
    writes = [answer for command, answer in said if isinstance(command, ChangePassword)]
    assert done.changed == any(isinstance(answer, Changed) for answer in writes)


@given(judged_phases, st.data())
def test_i7_no_bind_is_sent_for_who_is_known_locked_or_closed(phase, data):
    said, _ = run(phase, data)
    for command, _ in said:
        if isinstance(command, Verify | Reserve) and command.means is not Means.KEPT:
            status = status_at(command.reading.facts, NOW)
            assert status.state is UserState.ACTIVE
            assert not status.statuses & {PasswordStatus.LOCKED, PasswordStatus.PENDING}


@given(judged_phases, st.data())
def test_what_is_counted_and_what_is_forgotten(phase, data):
    """I19, R53: only a wrong password counts; only a login that nothing stood against forgets."""
    said, done = run(phase, data)
    for command, _ in said:
        if not isinstance(command, Settle):
            continue
        assert (command.outcome is Outcome.WRONG) == (command.checked == Wrong())
        if isinstance(command.checked, Refused):
            assert command.outcome is Outcome.NO_VERDICT
        if command.outcome is Outcome.ALLOWED:
            assert isinstance(command.checked, Proven)
            assert command.means is not Means.KEPT
            if phase is Phase.AUTHN:
                assert done.decision.verdict is Verdict.ALLOW
                assert not done.decision.allowed_by
    if done.deserves_verifier:
        assert not done.changed


@given(st.data())
def test_r25_the_account_phase_asks_for_facts_and_nothing_else(data):
    said, _ = run(Phase.ACCT, data)
    assert [type(command) for command, _ in said] == [ReadFacts]


@given(judged_phases, st.data())
def test_r60_a_password_is_written_only_right_after_another_look(phase, data):
    said, _ = run(phase, data)
    commands = [command for command, _ in said]
    for at, command in enumerate(commands):
        if isinstance(command, ChangePassword):
            assert isinstance(commands[at - 1], Recheck)
            asks = [c for c in commands[:at] if isinstance(c, Ask)]
            assert len(asks) >= 3
            assert command.new.well_formed
            assert command.new != command.old
