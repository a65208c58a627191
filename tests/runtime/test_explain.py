"""What `why` says: the rule that decides, its setting, and what ends a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loginward.core.decision import Decision
from loginward.core.facts import Fact, status_at
from loginward.core.policy import Asker, Rules, WhenExpired
from loginward.core.readings import Fresh
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, Phase
from loginward.messages import load_texts
from loginward.runtime.events import DecisionEvent
from loginward.runtime.explain import Wording, decided_then
from tests.runtime.judged import AGED, ANN, NOW, TRIPPED

SAYS = Wording(load_texts())
clears, clears_since, unknown_of = SAYS.clears, SAYS.clears_since, SAYS.unknown_of
FINE = Decision(verdict=Verdict.ALLOW, reason=Reason.OK)


def refused(reason, known=ANN, **more):
    return Decision(verdict=Verdict.REFUSE, reason=reason, status=status_at(known, NOW), **more)


def rule(decision, asker=None, **rules):
    return SAYS.rule_of(decision, asker or Asker(), Rules(**rules))


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.OK])
def test_every_refusal_has_a_rule_of_its_own_and_a_way_out(reason):
    """No refusal ends at a wall."""
    decision = refused(reason, until=NOW)
    assert rule(decision).text != rule(FINE).text
    assert clears(decision, "ann")


@pytest.mark.parametrize("lost", [Fact.STATE, Fact.LOCK, Fact.EXPIRY])
@pytest.mark.parametrize("served", [True, False])
def test_what_cannot_be_read_lets_nothing_be_foretold(lost, served):
    """An allow on facts that nobody may read is no allow; a refusal on what was read stands."""
    unread = Fresh(replace(ANN, unreadable=frozenset({lost})))
    found = unknown_of(FINE, unread, served=served)
    assert ("no service account" in found.why) is not served
    assert "directory.service_account" in found.clears[0]
    assert unknown_of(refused(Reason.PASSWORD_EXPIRED), unread, served=served) is None
    read = Fresh(replace(ANN, unreadable=frozenset({Fact.FAILURES, Fact.GROUPS})))
    assert unknown_of(FINE, read, served=served) is None


def test_nobody_is_told_how_to_end_a_login_that_is_let_in():
    assert clears(FINE, "ann") == ()
    assert rule(FINE).setting == ""


@pytest.mark.parametrize(
    ("when", "proven", "text"),
    [
        pytest.param(WhenExpired.DENY, False, "expired is refused at every door", id="deny"),
        pytest.param(WhenExpired.DENY, True, "expired is refused at every door", id="deny-key"),
        pytest.param(
            WhenExpired.CHANGE, False, "expired must be changed inside the login", id="change"
        ),
    ],
)
def test_the_rule_of_an_expired_password_names_its_setting(when, proven, text):
    said = rule(refused(Reason.PASSWORD_EXPIRED), Asker(proven=proven), when_expired=when)
    assert said.text == text
    assert said.setting == f"policy.expiry.when_expired: {when.value}"


def test_the_age_of_a_copy_is_a_setting():
    said = rule(refused(Reason.OFFLINE_TOO_LONG), offline_allowed_s=7200)
    assert said.setting == "policy.offline.allowed_s: 7200"


@pytest.mark.parametrize(
    ("allowed_by", "setting"),
    [
        ("key_logins:warn", "policy.expiry.key_logins: warn"),
        ("session-manager", ""),
        ("change", ""),
        ("keep_while:mail", "policy.resources[mail].keep_while"),
    ],
)
def test_who_is_let_on_against_a_status_is_let_on_by_a_named_rule(allowed_by, setting):
    """R53: whatever the reason, the rule that opened the door is the one that is named."""
    said = rule(replace(FINE, allowed_by=allowed_by), Asker(resource="mail"))
    assert said.setting == setting
    assert said.text != rule(FINE).text


def test_a_lock_ends_by_unlock_or_by_itself():
    until = refused(Reason.ACCOUNT_LOCKED, until=NOW)
    assert clears(until, "ann") == (
        "loginward unlock ann",
        "by itself at 2026-06-01T09:30:00Z",
    )
    assert clears(replace(until, until=None), "ann") == ("loginward unlock ann",)


def test_an_unlock_alone_does_not_help_whose_password_has_expired_too():
    """R07: locked and expired at once; the remedy names both."""
    known = replace(ANN, locks=(TRIPPED,), due=(AGED,))
    assert clears(refused(Reason.ACCOUNT_LOCKED, known), "ann") == (
        "loginward unlock ann",
        "loginward reset-password ann (unlocking leaves it expired)",
    )


def test_the_removed_are_forgotten_and_the_suspended_activated():
    suspended = refused(Reason.USER_SUSPENDED)
    assert clears(suspended, "ann") == ("loginward activate ann",)
    assert clears(replace(suspended, detail="removed"), "ann") == ("loginward cache forget ann",)


def test_a_throttle_without_a_known_end_promises_none():
    assert clears(refused(Reason.SOURCE_THROTTLED), "ann") == ()
    assert clears(refused(Reason.SOURCE_THROTTLED, until=NOW), "ann") == (
        "by itself at 2026-06-01T09:30:00Z",
    )


def test_a_decision_of_the_trail_is_read_back_as_it_was():
    event = DecisionEvent(
        at=NOW,
        door=Door.LOGIN,
        phase=Phase.AUTHN,
        service="sshd",
        verdict=Verdict.REFUSE,
        reason=Reason.USER_SUSPENDED,
        detail="ended",
        until=NOW,
        allowed_by="",
    )
    then = decided_then(event)
    assert (then.verdict, then.reason, then.detail, then.until) == (
        Verdict.REFUSE,
        Reason.USER_SUSPENDED,
        "ended",
        NOW,
    )


LOCKED = refused(Reason.ACCOUNT_LOCKED)
EXPIRED = refused(Reason.PASSWORD_EXPIRED)
WRONG = refused(Reason.WRONG_CREDENTIALS)


@pytest.mark.parametrize(
    ("then", "today", "first"),
    [
        pytest.param(LOCKED, LOCKED, "loginward unlock ann", id="still-so"),
        pytest.param(
            LOCKED,
            FINE,
            "nothing any more: with the right password it would be let in now",
            id="over",
        ),
        pytest.param(LOCKED, EXPIRED, "loginward reset-password ann", id="another-reason"),
        pytest.param(WRONG, FINE, "the person tries again", id="what-was-typed-is-not-seen-today"),
    ],
)
def test_what_ends_a_refusal_of_the_past_is_seen_from_today(then, today, first):
    """Yesterday's refusal is not explained by yesterday's remedy."""
    assert clears_since(then, today, "ann")[0] == first


def test_a_site_says_in_its_own_words_what_ends_a_refusal(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text('next.user-suspended: "call the desk about {user}"\nrule.ok: "all is well"\n')
    says = Wording(load_texts("en", own))
    assert says.clears(refused(Reason.USER_SUSPENDED), "ann") == ("call the desk about ann",)
    assert says.rule_of(FINE, Asker(), Rules()).text == "all is well"
