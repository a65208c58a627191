"""Explains a decision: the rule that decides, and what clears it, in the site's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.decision import Decision
from loginward.core.facts import Fact
from loginward.core.readings import Copy, Fresh, Reading
from loginward.core.reasons import Reason
from loginward.core.requests import Door
from loginward.core.status import PasswordStatus
from loginward.runtime.fact_parts import moment

if TYPE_CHECKING:
    from loginward.core.policy import Asker, Rules
    from loginward.messages.texts import Texts
    from loginward.runtime.events import DecisionEvent


@dataclass(frozen=True, slots=True)
class Rule:
    """What decided: one sentence, and the setting behind it (empty: none changes it)."""

    text: str
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """Why a login cannot be foretold, what decides it then, and what would let it be foretold."""

    why: str
    rule: Rule
    clears: tuple[str, ...]


class Wording:
    """Says of decisions why they are so, and what ends them."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def rule_of(self, decision: Decision, asker: Asker, rules: Rules) -> Rule:
        """Return the rule that a decision rests on."""
        if decision.allowed_by:
            by = decision.allowed_by.replace(":", ".")
            kept = f"policy.resources[{asker.resource}].keep_while"
            return self._rule(f"let-on.{by}", _LET_ON.get(decision.allowed_by, kept))
        match decision.reason:
            case Reason.PASSWORD_EXPIRED:
                value = rules.when_expired.value
                return self._rule(
                    f"password-expired.{value}", f"policy.expiry.when_expired: {value}"
                )
            case Reason.OFFLINE_TOO_LONG:
                setting = f"policy.offline.allowed_s: {rules.offline_allowed_s}"
                return self._rule(decision.reason.value, setting)
            case Reason.NOT_PERMITTED if asker.door is Door.RADIUS:
                return self._rule("not-permitted.client", "doors.radius.clients[].groups")
        return self._rule(decision.reason.value, _SETTINGS.get(decision.reason, ""))

    def clears(self, decision: Decision, name: str, door: Door = Door.LOGIN) -> tuple[str, ...]:
        """Return what ends a refusal at a door, the most direct first; commands as typed."""
        if decision.reason is Reason.OK:
            return ()
        status, detail = decision.status, decision.detail
        if decision.reason is Reason.ACCOUNT_LOCKED:
            is_expired = status is not None and PasswordStatus.EXPIRED in status.statuses
            detail = "expired" if is_expired else ""
        if decision.reason is Reason.NOT_PERMITTED and door is Door.RADIUS:
            detail = "client"
        until = None if decision.until is None else moment(decision.until)
        text_id = f"next.{decision.reason.value}.{detail}".removesuffix(".")
        return tuple(self._texts.text(text_id, user=name, until=until).splitlines())

    def clears_since(self, then: Decision, today: Decision, name: str) -> tuple[str, ...]:
        """Return what ends a refusal of the past, seen from today.

        What the password brought about is not seen today, when the right one is taken for granted.
        """
        if then.lets_in or then.reason in _OF_THE_ATTEMPT:
            return self.clears(then, name)
        if today.lets_in and today.reason is not then.reason:
            return (self._texts.text("next.over"),)
        return self.clears(today, name)

    def unknown_of(
        self, decision: Decision, reading: Reading, *, served: bool
    ) -> Unforeseen | None:
        """Return why a decision that lets somebody on foretells nothing; None: it does.

        Args:
            served: Whether there is a service account, which is then shown too little.
        """
        if not decision.lets_in or not isinstance(reading, Fresh | Copy):
            return None
        if not reading.facts.unreadable & _DECIDING:
            return None
        why = "shown-too-little" if served else "no-service-account"
        return Unforeseen(
            self._texts.text(f"unforeseen.{why}"),
            self._rule("unforeseen", "directory.service_account"),
            (self._texts.text(f"next.unforeseen.{why}"),),
        )

    def _rule(self, rule_id: str, setting: str) -> Rule:
        return Rule(self._texts.text(f"rule.{rule_id}"), setting)


# By Decision.allowed_by; what else lets people on is a resource that keeps them.
_LET_ON = {"key_logins:warn": "policy.expiry.key_logins: warn", "session-manager": "", "change": ""}
_SETTINGS = {
    Reason.NOT_PERMITTED: "doors.login.allow",
    Reason.SOURCE_THROTTLED: "policy.throttle.per_source_per_min",
}
_DECIDING = frozenset({Fact.STATE, Fact.LOCK, Fact.EXPIRY})
_OF_THE_ATTEMPT = frozenset(
    {
        Reason.WRONG_CREDENTIALS,
        Reason.USER_UNKNOWN,
        Reason.CODE_WRONG,
        Reason.NOT_PERMITTED,
        Reason.SOURCE_THROTTLED,
        Reason.MALFORMED,
    }
)


def decided_then(event: DecisionEvent) -> Decision:
    """Return the decision of an event, as far as the trail keeps it."""
    return Decision(
        verdict=event.verdict,
        reason=event.reason,
        until=event.until,
        allowed_by=event.allowed_by,
        detail=event.detail,
    )
