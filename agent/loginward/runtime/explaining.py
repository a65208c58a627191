"""`why`: what a login would meet, or met, with every fact, the rule, and what clears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core import decide
from loginward.core.clock import Deadline
from loginward.core.commands import Means
from loginward.core.evidence import NoVerdict, Proof, Proven
from loginward.core.facts import status_at
from loginward.core.readings import Copy, Fresh, Reading
from loginward.core.requests import Door, Phase
from loginward.core.steps import means_of, readable
from loginward.doors.login.pam_codes import pam_code
from loginward.runtime.cases import PHASE_S, Case
from loginward.runtime.explain import Unforeseen, Wording, decided_then
from loginward.runtime.fact_parts import facts_of
from loginward.runtime.past import Past, past_of
from loginward.runtime.throttle import Sources
from loginward.runtime.why_doors import SEATS, Way, at_login, way_in
from loginward.wire.admin.parts import FactPart, status_part
from loginward.wire.admin.requests import AskWhy
from loginward.wire.admin.rows import ExplanationRow, FailedRow

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.commands import Gathered
    from loginward.core.decision import Decision
    from loginward.runtime.agent import Parts
    from loginward.runtime.events import DecisionEvent
    from loginward.wire.admin.requests import AskReference


class Explaining:
    """Explains without trying anything: no password, no count, no event."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def _wording(self) -> Wording:
        return Wording(self._parts.configuration.current.texts)

    def reading_of(self, name: str) -> Reading:
        """Return what can be read of a name now, with our own locks."""
        return self._gathered(at_login(name, SEATS[Door.LOGIN])).reading

    def why(self, ask: AskWhy) -> ExplanationRow | FailedRow:
        """Explain what a login with the right password would meet at a door."""
        way = way_in(ask, self._parts.settings)
        if isinstance(way, FailedRow):
            return way
        gathered = self._gathered(way)
        authn = self._authenticate(gathered)
        acct = decide.account(
            gathered.reading, gathered.asker, gathered.rules, self._parts.clock.now()
        )
        return self._row(way, gathered, authn, acct)

    def _authenticate(self, gathered: Gathered) -> Decision:
        """Return the decision on a reading, were the right password given."""
        now = self._parts.clock.now()
        refusal = decide.before_password(gathered.reading, gathered.asker, gathered.rules, now)
        if refusal is not None or not isinstance(gathered.reading, Fresh | Copy):
            return refusal or decide.malformed()
        checked = Proven(proof=Proof.ALREADY) if self._checks(gathered, now) else NoVerdict("")
        return decide.after_password(gathered.reading, checked, gathered.asker, gathered.rules, now)

    def _checks(self, gathered: Gathered, now: datetime) -> bool:
        """Return whether there is anything that a right password could be compared with."""
        parts, means = self._parts, means_of(gathered, now)
        if means is Means.DIRECTORY or (means is Means.KEPT and parts.embedded is not None):
            return True
        keeps = gathered.asker.door.value in parts.settings.policy.offline.verifiers
        return keeps and parts.verifiers.has_one(readable(gathered.reading).facts.account_id)

    def why_reference(self, ask: AskReference) -> ExplanationRow | None:
        """Explain a decision of the trail by what was written then."""
        event = self._parts.audit.find(ask.reference)
        if event is None:
            return None
        gathered = self._gathered(self._way_of(event))
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
            pam_authn=_pam(Phase.AUTHN, event, event.door),
            pam_acct=_pam(Phase.ACCT, event, event.door),
            reference=event.reference,
            decided_at=event.at,
            source=event.source,
            until=event.until if event.until is None or event.until > now else None,
            status=event.status,
            warnings=event.warnings,
            allowed_by=event.allowed_by,
        )

    def _way_of(self, event: DecisionEvent) -> Way:
        """Return the way in of an event, as it is today."""
        if event.door is Door.RADIUS:
            ask = AskWhy(name=event.name, door=event.door, service=event.service)
            way = way_in(ask, self._parts.settings)
            if isinstance(way, Way):
                return way
        return at_login(event.name, event.service, event.door, event.phase)

    def _row(self, way: Way, gathered: Gathered, authn: Decision, acct: Decision) -> ExplanationRow:
        request, reading = way.request, gathered.reading
        facts = reading.facts if isinstance(reading, Fresh | Copy) else None
        name = request.name if facts is None else facts.name
        past = Past() if facts is None else self._past(name)
        status = authn.status
        unforeseen = self._unforeseen(authn, reading)
        if unforeseen is None:
            rule = self._wording.rule_of(authn, gathered.asker, gathered.rules)
            ways = self._wording.clears(authn, name, request.door)
        else:
            rule, ways = unforeseen.rule, unforeseen.clears
        return ExplanationRow(
            name=name,
            door=request.door,
            service=request.service,
            verdict=authn.verdict,
            reason=authn.reason,
            facts=self._facts(reading),
            rule=rule.text,
            setting=rule.setting,
            clears=ways,
            pam_authn=_pam(Phase.AUTHN, authn, request.door),
            pam_acct=_pam(Phase.ACCT, acct, request.door),
            radius=way.radius(authn),
            radius_certificate=way.radius(acct) if way.by_certificate else "",
            notes=way.notes(authn, gathered, self._parts.configuration.current.texts),
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

    def _gathered(self, way: Way) -> Gathered:
        parts = self._parts
        case = Case(
            request=way.request,
            sources=Sources((), "why"),
            in_force=parts.configuration.current,
            deadline=Deadline.after(PHASE_S, parts.clock),
        )
        return parts.gatherer.gather(way.request.name, case, offline=False)


def _pam(phase: Phase, decided: Decision | DecisionEvent, door: Door) -> str:
    """Return what PAM is answered in a phase, as it is shown: "PERM_DENIED"; elsewhere nothing."""
    if door is not Door.LOGIN:
        return ""
    return pam_code(phase, decided.verdict, decided.reason).removeprefix("PAM_")
