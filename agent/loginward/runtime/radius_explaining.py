"""`radius explain`: which client, rule and attributes hold for somebody, beside what the law says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.core.facts import status_at
from loginward.core.readings import Copy, Fresh
from loginward.core.requests import Door
from loginward.doors.radius.accepts import CLASS_MARK, session_s
from loginward.wire.admin.requests import AskWhy
from loginward.wire.admin.rows import (
    AttributePart,
    ExplanationRow,
    FailedRow,
    RadiusExplanationRow,
)

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.facts import AccountFacts
    from loginward.doors.radius.rules import DoorRules
    from loginward.runtime.agent import Parts
    from loginward.runtime.explaining import Explaining
    from loginward.wire.admin.requests import ExplainRadius

SESSION_TIMEOUT: Final = "Session-Timeout"
_CLASS: Final = AttributePart(name="Class", value=f"{CLASS_MARK.decode()} and 16 random octets")


class RadiusExplaining:
    """Explains without trying anything, as `why` does."""

    def __init__(self, parts: Parts, explaining: Explaining) -> None:
        self._parts = parts
        self._explaining = explaining

    def explain(self, ask: ExplainRadius) -> RadiusExplanationRow | FailedRow:
        """Return what a client would be answered, and what an Accept would carry."""
        why = self._explaining.why(AskWhy(name=ask.name, door=Door.RADIUS, service=ask.client))
        rules = self._parts.configuration.current.radius
        if isinstance(why, FailedRow) or rules is None:
            assert isinstance(why, FailedRow)  # without the door there is no way in
            return why
        reading = self._explaining.reading_of(ask.name)
        facts = reading.facts if isinstance(reading, Fresh | Copy) else None
        return self._row(why, rules, facts)

    def _row(
        self, why: ExplanationRow, rules: DoorRules, facts: AccountFacts | None
    ) -> RadiusExplanationRow:
        client = next(one for one in rules.settings.clients if one.name == why.service)
        now = self._parts.clock.now()
        due = None if facts is None else status_at(facts, now).due
        due_at = None if due is None else due.at
        place = -1 if facts is None else rules.rule_for(facts.groups, client.name)[0]
        rule = rules.rules[place] if place >= 0 else None
        return RadiusExplanationRow(
            client=client.name,
            networks=client.addresses,
            comes_by_tls=client.tls_name is not None,
            methods=client.methods,
            scope=client.groups,
            rule=None if rule is None else place,
            rule_groups=() if rule is None else rule.settings.groups,
            rule_clients=() if rule is None else rule.settings.clients,
            attributes=() if facts is None else _attributes(rules, place, due_at, now),
            session_timeout_s=None if rule is None else rule.reply.session_timeout_s,
            due_at=due_at,
            why=why,
        )


def _attributes(
    rules: DoorRules, place: int, due_at: datetime | None, now: datetime
) -> tuple[AttributePart, ...]:
    """Return what an Accept carries, in the order in which it leaves."""
    rule = rules.rules[place] if place >= 0 else None
    configured = {} if rule is None else rule.settings.attributes
    parts = [
        AttributePart(name=name, value=value)
        for name, values in configured.items()
        if name.casefold() != SESSION_TIMEOUT.casefold()
        for value in values
    ]
    seconds = session_s(None if rule is None else rule.reply.session_timeout_s, due_at, now)
    last = [] if seconds is None else [AttributePart(name=SESSION_TIMEOUT, value=str(seconds))]
    return (*parts, _CLASS, *last)
