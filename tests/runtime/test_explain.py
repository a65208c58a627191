"""What `why` says of a reason: a rule and a way out for each, today and of an event of the past."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.acts import Verb
from loginward.core.decision import Decision, refuse
from loginward.core.policy import Asker, Rules, WhenExpired
from loginward.core.reasons import Reason, Verdict
from loginward.runtime.explain import Rule, clears, clears_since, rule_of
from loginward.wire.admin import requests
from tests.doubles.moving import NOW
from tests.runtime.people import NEXT, RIGHT, WRONG, person

ALLOWED = Decision(verdict=Verdict.ALLOW, reason=Reason.OK)
REFUSALS = [reason for reason in Reason if reason is not Reason.OK]
LOCKED = refuse(Reason.ACCOUNT_LOCKED, until=NOW)


@pytest.mark.parametrize("reason", REFUSALS, ids=lambda reason: reason.value)
def test_every_refusal_has_a_rule_and_a_way_out(reason: Reason) -> None:
    """R50: nobody who asks why is left without the next step."""
    fine = Rule("nothing stands against it")
    assert rule_of(refuse(reason), Asker(), Rules()) != fine
    assert clears(refuse(reason, until=NOW), "ann")
    assert rule_of(ALLOWED, Asker(), Rules()) == fine
    assert clears(ALLOWED, "ann") == ()


@pytest.mark.parametrize("when", WhenExpired, ids=lambda when: when.value)
def test_the_setting_behind_an_expiry_is_named(when: WhenExpired) -> None:
    rules = Rules(when_expired=when)
    told = rule_of(refuse(Reason.PASSWORD_EXPIRED), Asker(), rules)
    assert told.setting == f"policy.expiry.when_expired: {when.value}"


@pytest.mark.parametrize(
    ("then", "today", "said"),
    [
        pytest.param(
            refuse(Reason.WRONG_CREDENTIALS),
            ALLOWED,
            ("the person tries again", "loginward reset-password ann"),
            id="a-wrong-password-is-not-seen-today",
        ),
        pytest.param(
            LOCKED,
            LOCKED,
            ("loginward unlock ann", "by itself at 2026-11-24T08:30:00Z"),
            id="still-so",
        ),
        pytest.param(
            LOCKED,
            ALLOWED,
            ("nothing any more: with the right password it would be let in now",),
            id="cleared-meanwhile",
        ),
        pytest.param(
            LOCKED,
            refuse(Reason.USER_SUSPENDED),
            ("loginward activate ann",),
            id="something-else-by-now",
        ),
        pytest.param(ALLOWED, LOCKED, (), id="it-was-let-in"),
    ],
)
def test_a_refusal_of_the_past_is_seen_from_today(then, today, said) -> None:
    assert clears_since(then, today, "ann") == said


def explained(host, turn):
    return host.admin.why_reference(requests.AskReference(reference=turn.reference))


def test_the_reference_of_a_wrong_password_leads_to_its_rule(host):
    """What most people read out to the help desk."""
    host.people(person("ann"))
    row = explained(host, host.ask("ann", WRONG))
    assert (row.reason, row.rule) == (
        Reason.WRONG_CREDENTIALS,
        "a wrong password is refused, and counts",
    )
    assert row.clears == ("the person tries again", "loginward reset-password ann")


def test_the_reference_of_a_lock_that_was_lifted_says_so(host):
    host.people(person("ann", "locked"))
    turn = host.ask("ann", RIGHT)
    assert explained(host, turn).clears[0] == "loginward unlock ann"
    host.hands.pass_by(timedelta(seconds=1))
    host.act(Verb.UNLOCK, "ann")
    row = explained(host, turn)
    assert (row.verdict, row.reason) == (Verdict.REFUSE, Reason.ACCOUNT_LOCKED)
    assert row.rule == "a locked account is refused before its password is checked"
    assert row.clears == ("nothing any more: with the right password it would be let in now",)


def test_the_reference_of_a_name_that_nobody_has(host):
    row = explained(host, host.ask("nobody-here", NEXT))
    assert row.facts == ()
    assert row.clears == ("look at the spelling: loginward users lists the names",)
