"""`why`: what a login would meet, or met, with every fact, the rule, and what clears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core import decide
from loginward.core.clock import Deadline
from loginward.core.evidence import Proof, Proven
from loginward.core.facts import status_at
from loginward.core.readings import Copy, Fresh, Reading
from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.doors.login.pam_codes import pam_code
from loginward.runtime.cases import PHASE_S, Case
from loginward.runtime.explain import Unforeseen, Wording, decided_then
from loginward.runtime.fact_parts import facts_of
from loginward.runtime.past import Past, past_of
from loginward.runtime.throttle import Sources
from loginward.wire.admin.parts import FactPart, status_part
from loginward.wire.admin.rows import ExplanationRow

if TYPE_CHECKING:
    from loginward.core.commands import Gathered
    from loginward.core.decision import Decision
    from loginward.runtime.agent import Parts
    from loginward.runtime.events import DecisionEvent
    from loginward.wire.admin.requests import AskReference, AskWhy

_SEAT = "login"


class Explaining:
    """Explains without trying anything: no password, no count, no event."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def _wording(self) -> Wording:
        return Wording(self._parts.configuration.current.texts)

    def reading_of(self, name: str) -> Reading:
        """Return what can be read of a name now, with our own locks."""
        return self._gathered(name, _SEAT, Phase.AUTHN).reading

    def why(self, ask: AskWhy) -> ExplanationRow:
        """Explain what a login with the right password would meet at a service."""
        service = ask.service or _SEAT
        gathered = self._gathered(ask.name, service, Phase.AUTHN)
        authn = self._authenticate(gathered)
        acct = decide.account(
            gathered.reading, gathered.asker, gathered.rules, self._parts.clock.now()
        )
        return self._row(ask, service, gathered, authn, acct)

    def _authenticate(self, gathered: Gathered) -> Decision:
        """Return the decision on a reading, were the right password given."""
        now = self._parts.clock.now()
        refusal = decide.before_password(gathered.reading, gathered.asker, gathered.rules, now)
        if refusal is not None or not isinstance(gathered.reading, Fresh | Copy):
            return refusal or decide.malformed()
        proven = Proven(proof=Proof.ALREADY)
        return decide.after_password(gathered.reading, proven, gathered.asker, gathered.rules, now)

    def why_reference(self, ask: AskReference) -> ExplanationRow | None:
        """Explain a decision of the trail by what was written then."""
        event = self._parts.audit.find(ask.reference)
        if event is None:
            return None
        gathered = self._gathered(event.name, event.service, event.phase)
        is_named = not event.name.startswith("#")  # a name that nobody has is kept as a digest
        then = decided_then(event)
        today = self._authenticate(gathered) if is_named else then
        if self._unforeseen(today, gathered.reading) is not None:
            today = then  # whether it has ended cannot be seen from here
        wording, now = self._wording, self._parts.clock.now()
        rule = wording.rule_of(then, gathered.asker, gathered.rules)
        return ExplanationRow(
            name=event.name,
            door=event.door,
            service=event.service,
            verdict=event.verdict,
            reason=event.reason,
            facts=self._facts(gathered.reading) if is_named else (),
            rule=rule.text,
            setting=rule.setting,
            clears=wording.clears_since(then, today, event.name),
            pam_authn=_pam(Phase.AUTHN, event),
            pam_acct=_pam(Phase.ACCT, event),
            reference=event.reference,
            decided_at=event.at,
            source=event.source,
            until=event.until if event.until is None or event.until > now else None,
            status=event.status,
            warnings=event.warnings,
            allowed_by=event.allowed_by,
        )

    def _row(
        self,
        ask: AskWhy,
        service: str,
        gathered: Gathered,
        authn: Decision,
        acct: Decision,
    ) -> ExplanationRow:
        reading = gathered.reading
        facts = reading.facts if isinstance(reading, Fresh | Copy) else None
        name = ask.name if facts is None else facts.name
        past = Past() if facts is None else self._past(name)
        status = authn.status
        unforeseen = self._unforeseen(authn, reading)
        if unforeseen is None:
            rule = self._wording.rule_of(authn, gathered.asker, gathered.rules)
            ways = self._wording.clears(authn, name)
        else:
            rule, ways = unforeseen.rule, unforeseen.clears
        return ExplanationRow(
            name=name,
            door=ask.door,
            service=service,
            verdict=authn.verdict,
            reason=authn.reason,
            facts=self._facts(reading),
            rule=rule.text,
            setting=rule.setting,
            clears=ways,
            pam_authn=_pam(Phase.AUTHN, authn),
            pam_acct=_pam(Phase.ACCT, acct),
            until=authn.until,
            status=None if status is None else status_part(status),
            warnings=tuple(warn.value for warn in authn.warnings),
            allowed_by=authn.allowed_by,
            ended_lock=None if status is None or status.lock is not None else past.ended,
            last_refusal=past.refusal,
            unknown="" if unforeseen is None else unforeseen.why,
        )

    def _unforeseen(self, decision: Decision, reading: Reading) -> Unforeseen | None:
        served = self._parts.settings.directory.service_account is not None
        return self._wording.unknown_of(decision, reading, served=served)

    def _past(self, name: str) -> Past:
        """Return what the trail has of an account, spelt as the directory does."""
        return past_of(self._parts.audit.lately(name), self._parts.clock.now())

    def _facts(self, reading: Reading) -> tuple[FactPart, ...]:
        now = self._parts.clock.now()
        status = status_at(reading.facts, now) if isinstance(reading, Fresh | Copy) else None
        embedded = self._parts.embedded is not None
        source = "embedded directory" if embedded else "directory"
        return facts_of(reading, status, source, now)

    def _gathered(self, name: str, service: str, phase: Phase) -> Gathered:
        parts = self._parts
        request = LoginRequest(
            door=Door.LOGIN,
            phase=phase,
            name=name,
            service=service,
            peer=Peer(uid=0, real_uid=0),
        )
        case = Case(
            request=request,
            sources=Sources((), "why"),
            in_force=parts.configuration.current,
            deadline=Deadline.after(PHASE_S, parts.clock),
        )
        return parts.gatherer.gather(name, case, offline=False)


def _pam(phase: Phase, decided: Decision | DecisionEvent) -> str:
    """Return what PAM is answered in a phase, as it is shown: "PERM_DENIED"."""
    return pam_code(phase, decided.verdict, decided.reason).removeprefix("PAM_")
