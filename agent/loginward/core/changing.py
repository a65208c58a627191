"""Changing a password inside a login: asked for twice, written once, on facts of this moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.commands import ChangePassword, Gathered, Recheck, Unmoved
from loginward.core.decision import Decision, refuse
from loginward.core.readings import Fresh
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Purpose
from loginward.core.secret import MAX_OCTETS, Secret
from loginward.core.steps import Attempt, Steps, expect, judge, readable, still_proves, typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

CHANGE_TRIES = 3


def changed(proven: Attempt, old: Secret, now: Callable[[], datetime]) -> Steps[Attempt]:
    """Have a new password typed and written; `old` was proven and the account let go on.

    Returns:
        The attempt, allowed once the directory has the new password.
    """
    problem: ChangeProblem | None = None
    for _ in range(CHANGE_TRIES):
        reading = proven.gathered.reading
        if not isinstance(reading, Fresh):
            return _refused(proven, Reason.DIRECTORY_UNAVAILABLE)
        new = yield from typed(Purpose.NEW, problem, reading.facts.min_length)
        again = yield from typed(Purpose.NEW_AGAIN)
        problem = problem_of(old, new, again)
        if problem is not None:
            continue
        proven = yield from _looked_again(proven, now)
        reading = proven.gathered.reading
        if not proven.decision.lets_in:
            return proven
        if not isinstance(reading, Fresh):
            continue
        written = yield ChangePassword(reading, old, new)
        if isinstance(written, Changed):
            return _allowed(proven)
        problem = expect(written, NotChanged).problem
        if not problem.another_try_helps:
            break
    return _refused(proven, Reason.NOT_PERMITTED, problem)


def problem_of(old: Secret, new: Secret, again: Secret) -> ChangeProblem | None:
    """Return what is wrong with a new password whatever the directory demands (R41)."""
    if new != again:
        return ChangeProblem.MISMATCH
    if not new.reveal():
        return ChangeProblem.TOO_SHORT
    if not new.well_formed:
        return ChangeProblem.TOO_LONG if len(new.reveal()) > MAX_OCTETS else ChangeProblem.TOO_WEAK
    return ChangeProblem.SAME if new == old else None


def _looked_again(proven: Attempt, now: Callable[[], datetime]) -> Steps[Attempt]:
    """Judge again before anything is written: typing takes its time."""
    reading = readable(proven.gathered.reading)
    again = yield Recheck(reading)
    if isinstance(again, Unmoved):
        return proven
    gathered = expect(again, Gathered)
    assert proven.checked is not None  # only the proven get here
    checked = still_proves(proven.checked, reading, gathered.reading)
    decision = judge(gathered, checked, now)
    return replace(proven, gathered=gathered, decision=decision, checked=checked)


def _allowed(proven: Attempt) -> Attempt:
    decision = Decision(verdict=Verdict.ALLOW, reason=Reason.OK, status=proven.decision.status)
    return replace(proven, decision=decision, changed=True)


def _refused(proven: Attempt, reason: Reason, problem: ChangeProblem | None = None) -> Attempt:
    detail = "change" if reason is Reason.NOT_PERMITTED else ""
    decision = refuse(reason, proven.decision.status, detail=detail)
    return replace(proven, decision=decision, problem=problem)
