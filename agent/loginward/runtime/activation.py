"""A first password, set by whoever has the activation token of the account (R03, I14)."""

from __future__ import annotations

import contextlib
import math
import threading
from typing import TYPE_CHECKING, Final

from loginward.core.changes import ChangeProblem, NotChanged
from loginward.core.clock import Deadline
from loginward.core.facts import status_at
from loginward.core.names import index_form
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.runtime.acting import ACT_S
from loginward.runtime.sources import sources_of_user
from loginward.wire.admin.parts import StatusPart, status_part
from loginward.wire.admin.rows import ActivationRow, ActRow, FailedRow, Problem

if TYPE_CHECKING:
    from loginward.core.facts import AccountFacts
    from loginward.directory.embedded.directory import EmbeddedDirectory
    from loginward.doors.admin.port import Operator
    from loginward.runtime.acting import Acting
    from loginward.runtime.agent import Parts
    from loginward.runtime.in_force import InForce
    from loginward.runtime.throttle import Sources
    from loginward.wire.admin.requests import ActivateSelf

REFUSAL_S: Final = 0.05  # every miss takes as long, so that no name is told by the time it took
DONE: Final = "activated"
REFUSED: Final = "activate-self"
NO_ACTIVATION: Final = NotChanged(ChangeProblem.NO_ACTIVATION)


class Activation:
    """Carries out what a person asks for with a token; tries are bounded by who makes them."""

    def __init__(self, parts: Parts, acting: Acting) -> None:
        self._parts = parts
        self._acting = acting
        self._never = threading.Event()

    def activate(self, ask: ActivateSelf, by: Operator) -> ActivationRow | FailedRow:
        """Set a first password by a token, which is used up by it; audited with who asked."""
        parts, in_force = self._parts, self._parts.configuration.current
        began = parts.clock.monotonic()
        if parts.embedded is None:
            why = in_force.texts.text("act.activate.elsewhere")
            return FailedRow(problem=Problem.REFUSED, why=why)
        sources = sources_of_user(by.real_uid)
        throttled = self._throttled(sources, ask.name, in_force)
        if throttled is not None:
            return throttled
        try:
            answer = self._try(parts.embedded, ask, by, in_force)
        except (DirectoryUnavailable, StoreFault) as fault:
            row = self._acting.not_done(self._shown(ask.name), fault)
            self._acting.record(by, REFUSED, row.name, row)
            return FailedRow(problem=Problem.UNAVAILABLE, why=row.why)
        self._settle(answer, ask, sources, began)
        return answer

    def _throttled(self, sources: Sources, name: str, in_force: InForce) -> FailedRow | None:
        """Count a try; return the refusal of one too many, the same for every name."""
        throttle, clock = self._parts.throttle, self._parts.clock
        throttle.asked(sources, in_force.bounds)
        until = throttle.throttled_until(sources, index_form(name), in_force.bounds)
        if until is None:
            return None
        minutes = max(1, math.ceil((until - clock.now()).total_seconds() / 60))
        why = in_force.texts.text("act.activate.throttled", minutes=minutes)
        return FailedRow(problem=Problem.REFUSED, why=why)

    def _try(
        self, embedded: EmbeddedDirectory, ask: ActivateSelf, by: Operator, in_force: InForce
    ) -> ActivationRow:
        deadline = Deadline.after(ACT_S, self._parts.clock)
        account = embedded.find(ask.name, deadline)
        if account is None:
            return self._refused(ask, NO_ACTIVATION, None, by, in_force)
        changed = embedded.activate_with_token(ask.name, ask.token, ask.new, deadline)
        if isinstance(changed, NotChanged):
            return self._refused(ask, changed, account, by, in_force)
        after = None
        with contextlib.suppress(DirectoryUnavailable):  # it is done, read back or not
            after = embedded.read(account, deadline)
        done = ActRow(name=account.name, before=self._status(account), after=self._status(after))
        self._acting.record(by, DONE, account.name, done)
        return ActivationRow(name=account.name)

    def _refused(
        self,
        ask: ActivateSelf,
        refusal: NotChanged,
        account: AccountFacts | None,
        by: Operator,
        in_force: InForce,
    ) -> ActivationRow:
        """Write down what was refused; the answer names the account as it was typed."""
        name = self._shown(ask.name) if account is None else account.name
        self._acting.record(
            by,
            REFUSED,
            name,
            ActRow(
                name=name,
                problem=Problem.REFUSED,
                why=refusal.said or refusal.problem.value,
            ),
        )
        why = in_force.texts.text(
            f"change.rejected.{refusal.problem.value}",
            min_length=in_force.settings.policy.password.min_length,
        )
        return ActivationRow(name=ask.name, problem=refusal.problem, why=why)

    def _settle(
        self, answer: ActivationRow, ask: ActivateSelf, sources: Sources, began: float
    ) -> None:
        """Count the try for its source, and hold a miss back until its time is over."""
        throttle, key = self._parts.throttle, index_form(ask.name)
        if answer.problem is ChangeProblem.NO_ACTIVATION:
            throttle.failed(sources, key)
            passed_s = self._parts.clock.monotonic() - began
            self._never.wait(max(0.0, REFUSAL_S - passed_s))
        elif answer.problem is None:
            throttle.proven(sources, key)

    def _shown(self, name: str) -> str:
        """Return what the trail says instead of a name that may be nobody's."""
        return self._parts.audit.strangers.shown(name)

    def _status(self, account: AccountFacts | None) -> StatusPart | None:
        if account is None:
            return None
        return status_part(status_at(account, self._parts.clock.now()))
