"""Events of the trail as the admin socket shows them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from loginward.core.requests import Door
from loginward.core.transitions import Transition
from loginward.doors.radius.disconnect import Outcome
from loginward.runtime.events import (
    ActEvent,
    DaemonEvent,
    DecisionEvent,
    DisconnectEvent,
    FaultEvent,
    TransitionEvent,
)
from loginward.wire.admin.rows import LOCKED_FROM, EventRow
from loginward.wire.radius.attributes import ErrorCause

if TYPE_CHECKING:
    from loginward.runtime.audit import Entry
    from loginward.wire.admin.parts import StatusPart

_CAUSES: Final = {int(cause): cause for cause in ErrorCause}
_NOT_ENDED: Final = {
    Outcome.UNANSWERED: ": no answer",
    Outcome.UNSIGNED: ": answered, but not signed by this secret",
    Outcome.KEPT: ": the client keeps who is locked (policy.resources)",
    Outcome.NEVER: ": the client has coa: null",
    Outcome.NO_SECRET: ": the client has no secret for it",
    Outcome.NO_CONNECTION: ": the client comes by TLS and is not connected",
    Outcome.MOVED: ": its address is no longer the client's",
}


def row_of(entry: Entry) -> EventRow:
    """Return the row of an entry."""
    event = entry.event
    known = partial(EventRow, id=entry.id, at=event.at, name=event.name)
    match event:
        case DecisionEvent():
            return known(event="decision", **_of_decision(event))
        case ActEvent():
            return known(
                event="act",
                by=event.by,
                verb=event.verb,
                before="" if event.before is None else shown(event.before),
                after="" if event.after is None else shown(event.after),
                text=event.why or "; ".join(event.notes),
            )
        case TransitionEvent():
            return known(
                event="transition",
                verb=event.transition.value,
                before=shown(event.before),
                after=shown(event.after),
                source=event.source if event.transition is Transition.LOCKED else "",
                more=_of_unlock(event),
            )
        case DisconnectEvent():
            return known(event="disconnect", **_of_disconnect(event))
        case FaultEvent():
            return known(event="fault", text=f"{event.part}: {event.problem}")
        case DaemonEvent():
            return known(event="daemon", verb=event.what, text=event.text, by=event.by)


def shown(status: StatusPart) -> str:
    """Return a status in one line: "locked, expired", a state that is not active first."""
    parts = [] if status.state.value == "active" else [status.state.value]
    parts += [one.value for one in status.statuses]
    if status.must_change:
        parts.append("must change")
    return ", ".join(parts)


def _of_unlock(event: TransitionEvent) -> dict[str, str]:
    """Return where the lock had come from that ended; who ended it a transition does not know."""
    lock = event.before.lock if event.transition is Transition.UNLOCKED else None
    return {} if lock is None or not lock.source else {LOCKED_FROM: lock.source}


def _of_decision(event: DecisionEvent) -> dict[str, Any]:
    return {
        "reference": event.reference,
        "door": event.door.value,
        "phase": event.phase.value,
        "service": event.service,
        "source": event.source,
        "verdict": event.verdict.value,
        "reason": event.reason.value,
        "after": "" if event.status is None else shown(event.status),
        "count": event.count,
        "more": _more(event),
    }


def _of_disconnect(event: DisconnectEvent) -> dict[str, Any]:
    return {
        "verb": event.outcome.value,
        "door": Door.RADIUS.value,
        "service": event.client,
        "source": event.station,
        "text": _said_of_disconnect(event),
        "more": _told_of_disconnect(event),
    }


def _said_of_disconnect(event: DisconnectEvent) -> str:
    at = f" at {event.nas}" if event.nas else ""
    said = f"{event.bar.value}: session {event.session}{at}"
    cause = _cause(event.cause)
    if event.outcome is Outcome.REFUSED:
        return f"{said}: Error-Cause {cause}" if cause else f"{said}: without an Error-Cause"
    return said + _NOT_ENDED.get(event.outcome, "")


def _told_of_disconnect(event: DisconnectEvent) -> dict[str, str]:
    more = {
        "bar": event.bar.value,
        "session": event.session,
        "nas": event.nas,
        "error-cause": _cause(event.cause),
    }
    return {key: value for key, value in more.items() if value}


def _cause(cause: int | None) -> str:
    """Return an Error-Cause as its number and name, "501 administratively-prohibited"."""
    if cause is None:
        return ""
    known = _CAUSES.get(cause)
    return str(cause) if known is None else f"{cause} {known.name.lower().replace('_', '-')}"


def _more(event: DecisionEvent) -> dict[str, str]:
    more = {
        "detail": event.detail,
        "checked": event.checked,
        "allowed-by": event.allowed_by,
        "offline": "yes" if event.offline else "",
        "tripped": "" if event.tripped is None else event.tripped.cause.value,
    }
    return {key: value for key, value in more.items() if value}
