"""One request on its way through the law: driven, recorded, remembered; any door words the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core import decide
from loginward.core.clock import Deadline
from loginward.core.commands import Ask, Command, Done, Typed
from loginward.core.evidence import Proven
from loginward.core.login import Login
from loginward.core.names import index_form
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Reason
from loginward.core.requests import Door, Phase
from loginward.runtime.access import refusal_of
from loginward.runtime.askers import keeps_verifiers
from loginward.runtime.cases import PHASE_S, Case
from loginward.runtime.throttle import sources_of
from loginward.runtime.transactions import Transaction

if TYPE_CHECKING:
    from loginward.core.requests import LoginRequest
    from loginward.core.secret import Secret
    from loginward.runtime.agent import Parts

CONVERSATION_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The end of a request.

    Attributes:
        elapsed_s: What we took since the last answer of the person, seconds.
        reference: Six characters by which `why --ref` finds the event.
        transaction: Id by which a later phase finds what was proven; empty: nothing was.
        warned: An earlier phase of the same transaction has said the warnings already.
    """

    done: Done
    elapsed_s: float
    reference: str
    transaction: str
    warned: bool


class Judging:
    """One request being judged.

    Between two answers it is a value; whoever holds it has a driver carry out its commands.
    """

    def __init__(self, parts: Parts, request: LoginRequest) -> None:
        self._parts = parts
        self._request = request
        self._began = self._turn_began = parts.clock.monotonic()
        self.login = Login(request, parts.clock.now)
        self._first_password: Secret | None = None
        self.case = Case(
            request=request,
            sources=sources_of(request),
            in_force=parts.configuration.current,
            deadline=Deadline.after(PHASE_S, parts.clock),
        )

    def first(self) -> Command:
        """Return the first command, a driver's or the end; what the request says never raises."""
        parts, request = self._parts, self._request
        refused = refusal_of(request)
        if refused is not None:
            return Done(refused)
        self.case.proof = parts.transactions.find(request)
        if request.phase is not Phase.ACCT:  # the only one left in which no password is checked
            parts.throttle.asked(self.case.sources, self.case.in_force.bounds)
        return self._reused() or self.login.start()

    def typed(self, secret: Secret) -> Command:
        """Return the next command once something has been typed."""
        clock = self._parts.clock
        self._turn_began = clock.monotonic()
        if self._turn_began - self._began > CONVERSATION_S:
            return Done(decide.malformed())
        self._first_password = self._first_password or secret
        self.case.deadline = Deadline.after(PHASE_S, clock)
        return self.login.resume(Typed(secret))

    def came(self, command: Ask | Done) -> Ask | Judged:
        """Take what a driver has come to; an end is recorded and remembered."""
        return command if isinstance(command, Ask) else self._end(command)

    def hang_up(self) -> None:
        """Forget what was typed; a check in flight goes on and is settled."""
        self._first_password = None

    def _reused(self) -> Done | None:
        """Judge the account phase on the facts that the authenticate just read, if they hold."""
        parts, proof = self._parts, self.case.proof
        if self._request.phase is not Phase.ACCT or proof is None:
            return None
        reading = proof.reading
        if reading is None or index_form(reading.facts.name) != index_form(self._request.name):
            return None
        if not parts.gatherer.holds(reading, proof.generation):
            return None
        gathered = parts.gatherer.for_asker(reading, self.case)
        decision = decide.account(
            gathered.reading, gathered.asker, gathered.rules, parts.clock.now()
        )
        return Done(decision, gathered.reading)

    def _end(self, done: Done) -> Judged:
        parts = self._parts
        elapsed_s = parts.clock.monotonic() - self._turn_began  # ours, not the time of typing
        reference = parts.recorder.decided(self._request, self.case, done, elapsed_s)
        parts.metrics.decided(self._request, done, elapsed_s)
        if done.decision.reason is Reason.USER_UNKNOWN and self._request.phase is Phase.AUTHN:
            stranger = parts.audit.strangers.shown(self._request.name)
            parts.throttle.failed(self.case.sources, stranger)
        transaction = self._keep_proof(done)
        self._keep_verifier(done)
        return Judged(
            done=done,
            elapsed_s=elapsed_s,
            reference=reference,
            transaction=transaction,
            warned=self._request.phase is Phase.ACCT and self.case.proof is not None,
        )

    def _keep_verifier(self, done: Done) -> None:
        """Have a verifier made of a proven password; the work is done behind the answer."""
        password, self._first_password = self._first_password, None
        keeps = keeps_verifiers(self.case.in_force.settings, self._request.door)
        deserved = keeps and password is not None and done.deserves_verifier
        if deserved and password is not None and isinstance(done.reading, Fresh):
            self._parts.knowledge.proven(done.reading.facts, password, self.case.generation)

    def _keep_proof(self, done: Done) -> str:
        """Return the id by which a later phase finds this proof; none for what proves nothing."""
        request, reading = self._request, done.reading
        if request.door is Door.RADIUS:
            return ""  # it asks once; PAM's proofs are not to make room for it
        if not done.decision.lets_in or not isinstance(done.checked, Proven):
            return request.transaction if request.phase is not Phase.AUTHN else ""
        if not isinstance(reading, Fresh | Copy):
            return ""
        proof = Transaction(
            account_id=reading.facts.account_id,
            checked=None if done.changed else done.checked,
            reading=reading if isinstance(reading, Fresh) and not done.changed else None,
            generation=self.case.generation,
            at=self._parts.clock.monotonic(),
            real_uid=request.peer.real_uid,
            service=request.service,
        )
        return self._parts.transactions.keep(proof)
