"""One attempt of the login machine: judge, reserve, check, judge again, settle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.commands import (
    Gathered,
    Known,
    Means,
    Recheck,
    Reserve,
    Settle,
    Settled,
    Unmoved,
    Verify,
)
from loginward.core.decide import before_password
from loginward.core.evidence import Checked, NoVerdict, Proven, Refused, Wrong
from loginward.core.reasons import Verdict
from loginward.core.steps import (
    Attempt,
    Steps,
    UnexpectedEventError,
    expect,
    judge,
    means_of,
    readable,
    still_proves,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.decision import Decision
    from loginward.core.secret import Secret
    from loginward.core.status import Lock


class Attempting:
    """Attempts of one login.

    Args:
        now: Returns the believed time, aware UTC.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def attempt(self, gathered: Gathered, password: Secret) -> Steps[Attempt]:
        """Try a password once, at one reading."""
        refusal = self._before(gathered)
        if refusal is not None:
            return Attempt(gathered=gathered, decision=refusal)
        reading = readable(gathered.reading)
        means = means_of(gathered, self._now())
        reserved = yield Reserve(reading, password, means)
        match reserved:
            case LockedNow(lock):
                return self._locked_now(gathered, lock)
            case AtLimit():
                decision = judge(gathered, NoVerdict("attempts in flight"), self._now)
                return Attempt(gathered=gathered, decision=decision)
            case Known(checked):
                return (yield from self._judged(gathered, checked, means))
            case Granted(reservation):
                checked = yield from self._verify(Verify(reading, password, means))
                attempt = yield from self._judged(gathered, checked, means)
                end = Settle(
                    reading=reading,
                    password=password,
                    reservation=reservation,
                    means=means,
                    outcome=outcome_of(attempt, means),
                    checked=attempt.checked or checked,
                )
                tripped = expect((yield end), Settled).tripped
                return attempt if tripped is None else replace(attempt, tripped=tripped)
        raise UnexpectedEventError(reserved)

    def _verify(self, command: Verify) -> Steps[Checked]:
        checked = yield command
        if isinstance(checked, Proven | Wrong | Refused | NoVerdict):
            return checked
        raise UnexpectedEventError(checked)

    def _locked_now(self, gathered: Gathered, lock: Lock) -> Attempt:
        """Refuse for a lock that the reading did not show; no resource keeps anybody in at it."""
        reading = readable(gathered.reading)
        facts = replace(reading.facts, locks=(*reading.facts.locks, lock))
        locked = _strict(replace(gathered, reading=replace(reading, facts=facts)))
        return Attempt(gathered=locked, decision=judge(locked, NoVerdict("locked"), self._now))

    def _judged(self, gathered: Gathered, checked: Checked, means: Means) -> Steps[Attempt]:
        """Judge what the check showed, on facts that have not moved meanwhile (R60)."""
        unanswered = isinstance(checked, NoVerdict) and means is Means.DIRECTORY
        if isinstance(checked, Proven | Refused):
            reading = readable(gathered.reading)
            again = yield Recheck(reading, isinstance(checked, Refused))
            if not isinstance(again, Unmoved):
                gathered = expect(again, Gathered)
                checked = still_proves(checked, reading, gathered.reading)
        # Where nothing could prove the person, the status that was kept out of the way refuses.
        judged = _strict(gathered) if isinstance(checked, NoVerdict) else gathered
        return Attempt(
            gathered=gathered,
            decision=judge(judged, checked, self._now),
            checked=checked,
            unanswered=unanswered,
        )

    def _before(self, gathered: Gathered) -> Decision | None:
        return before_password(gathered.reading, gathered.asker, gathered.rules, self._now())


def outcome_of(attempt: Attempt, means: Means) -> Outcome:
    """Return how an attempt ended for its tally.

    Only a login that nothing stood against forgets failures: not one that a resource let in all
    the same, not one that has yet to change its password.
    """
    match attempt.checked:
        case Wrong(repeat=False):
            return Outcome.WRONG
        case Proven():
            in_order = attempt.decision.verdict is Verdict.ALLOW and not attempt.decision.allowed_by
            return Outcome.ALLOWED if in_order and means is not Means.KEPT else Outcome.PROVEN
    return Outcome.NO_VERDICT


def _strict(gathered: Gathered) -> Gathered:
    """Return who asks without what the resource lets pass."""
    return replace(gathered, asker=replace(gathered.asker, keep_while=frozenset()))
