"""Turns decisions and transitions into audit events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.evidence import Checked, NoVerdict, Proven, Refused, Wrong
from loginward.core.readings import Copy, Fresh
from loginward.core.transitions import Transition
from loginward.doors.radius.asked import text_of
from loginward.runtime.events import (
    ClaimPart,
    DecisionEvent,
    DisconnectEvent,
    FaultEvent,
    PeerPart,
    TransitionEvent,
)
from loginward.wire.admin.parts import lock_part, status_part

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.core.commands import Done
    from loginward.core.facts import AccountFacts
    from loginward.core.requests import LoginRequest
    from loginward.core.status import Status
    from loginward.doors.radius.disconnect import Told
    from loginward.runtime.audit import Audit
    from loginward.runtime.cases import Case
    from loginward.store.faults import Noted


class Recorder:
    """Writes one event for each decision and transition."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    def decided(self, request: LoginRequest, case: Case, done: Done, elapsed_s: float) -> str:
        """Write a decision and return its reference."""
        decision, peer, reading = done.decision, request.peer, done.reading
        facts = reading.facts if isinstance(reading, Fresh | Copy) else None
        status = decision.status
        name = self._audit.strangers.shown(request.name) if facts is None else facts.name
        return self._audit.decided(
            DecisionEvent(
                at=self._clock.now(),
                name=name,
                account="" if facts is None else facts.account_id,
                door=request.door,
                phase=request.phase,
                service=request.service,
                source=case.sources.line,
                sources=case.sources.keys,
                peer=PeerPart(uid=peer.uid, real_uid=peer.real_uid, pid=peer.pid),
                claimed=_claim(request),
                verdict=decision.verdict,
                reason=decision.reason,
                detail=decision.detail if done.problem is None else done.problem.value,
                status=None if status is None else status_part(status),
                checked=_checked(done.checked),
                evidence=_evidence(facts, case),
                allowed_by=decision.allowed_by,
                warnings=tuple(warn.value for warn in decision.warnings),
                tripped=None if done.tripped is None else lock_part(done.tripped),
                until=decision.until,
                read_at=None if facts is None else facts.read_at,
                offline=isinstance(reading, Copy),
                duration_ms=round(elapsed_s * 1000, 2),
            )
        )

    def transition(
        self, transition: Transition, before: Status, after: Status, account: AccountFacts
    ) -> None:
        """Write a transition; where it came from is known of a lock alone, by what tripped it."""
        lock = after.lock if transition is Transition.LOCKED else None
        self._audit.record(
            TransitionEvent(
                at=self._clock.now(),
                name=account.name,
                account=account.account_id,
                transition=transition,
                before=status_part(before),
                after=status_part(after),
                source="" if lock is None else lock.source,
            )
        )

    def disconnect(self, told: Told) -> None:
        """Write what became of a session that a NAS was asked to end."""
        session = told.session
        self._audit.record(
            DisconnectEvent(
                at=self._clock.now(),
                name=session.name,
                account=session.account_id,
                client=session.client,
                station=session.station,
                nas=told.address,
                session=text_of(session.session_id),
                bar=told.bar,
                outcome=told.outcome,
                cause=told.cause,
            )
        )

    def store_fault(self, noted: Noted) -> None:
        """Write that something is wrong with what this host keeps."""
        about = f"{noted.account}: " if noted.account else ""
        self._audit.record(
            FaultEvent(
                at=noted.at, part="store", problem=f"{about}{noted.problem}", remedy=noted.remedy
            )
        )


def _claim(request: LoginRequest) -> ClaimPart | None:
    """Return what a process without root's rights said of itself; None: root's word stands."""
    if request.peer.uid == 0:
        return None
    return ClaimPart(
        service=request.service, rhost=request.rhost, tty=request.tty, ruser=request.ruser
    )


def _evidence(facts: AccountFacts | None, case: Case) -> tuple[str, ...]:
    said = () if facts is None else tuple(one.said for one in facts.evidence)
    return (*said, *case.notes)


def _checked(checked: Checked | None) -> str:
    match checked:
        case Proven():
            return f"proven ({checked.proof.value})"
        case Wrong(repeat=True):
            return "wrong (known)"
        case Wrong():
            return "wrong"
        case Refused(refusal):
            return f"refused ({refusal.value})"
        case NoVerdict(stage):
            return f"no verdict ({stage})"
        case None:
            return ""
