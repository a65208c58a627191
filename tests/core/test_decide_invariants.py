"""The invariants of the law, over any account, policy, asker and time."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from loginward.core.decide import account, after_password, before_password, message_ids
from loginward.core.evidence import NoVerdict, Wrong
from loginward.core.facts import status_at
from loginward.core.policy import KeyLogins, ServiceKind, WhenExpired
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.core.status import PasswordStatus, UserState
from tests.core import people
from tests.core.people import NOW

NO_CHANGE_SERVICES = {ServiceKind.NON_INTERACTIVE, ServiceKind.SESSION_MANAGER}
SHOWN_BY = {
    Reason.USER_STAGED: lambda status: status.state is UserState.STAGED,
    Reason.USER_SUSPENDED: lambda status: status.state is UserState.SUSPENDED,
    Reason.PASSWORD_PENDING: lambda status: PasswordStatus.PENDING in status.statuses,
    Reason.ACCOUNT_LOCKED: lambda status: PasswordStatus.LOCKED in status.statuses,
    Reason.PASSWORD_EXPIRED: lambda status: PasswordStatus.EXPIRED in status.statuses,
    Reason.CHANGE_REQUIRED: lambda status: status.must_change,
}


def signed_in(reading, checked, asker, rules, now=NOW):
    before = before_password(reading, asker, rules, now)
    return before or after_password(reading, checked, asker, rules, now)


def both(reading, checked, asker, rules, now=NOW):
    """Return the decisions of both phases."""
    return (
        signed_in(reading, checked, asker, rules, now),
        account(reading, asker, rules, now),
    )


law = given(people.known_readings, people.checks, people.askers, people.rules)


@law
def test_equal_inputs_give_equal_decisions(reading, checked, asker, rules):
    again = copy.deepcopy((reading, checked, asker, rules))
    assert both(reading, checked, asker, rules) == both(*again)


@given(people.readings, people.checks, people.askers, people.rules)
def test_i18_every_decision_has_a_reason_and_a_text(reading, checked, asker, rules):
    decisions = [account(reading, asker, rules, NOW)]
    if isinstance(reading, Fresh | Copy):
        decisions.append(signed_in(reading, checked, asker, rules))
    for decision in decisions:
        assert decision.message in message_ids()
        assert (decision.reason is Reason.OK) == (decision.verdict is Verdict.ALLOW)
        if decision.verdict is Verdict.CHANGE:
            assert decision.reason in {Reason.PASSWORD_EXPIRED, Reason.CHANGE_REQUIRED}
        if decision.until is not None:
            assert decision.until > NOW
        if decision.reason in SHOWN_BY:
            assert SHOWN_BY[decision.reason](decision.status)


@law
def test_i3_r06_a_state_that_is_not_active_dominates_everything(reading, checked, asker, rules):
    state = status_at(reading.facts, NOW).state
    assume(state is not UserState.ACTIVE)
    reason = {UserState.STAGED: Reason.USER_STAGED, UserState.SUSPENDED: Reason.USER_SUSPENDED}
    for decision in both(reading, checked, asker, rules):
        assert (decision.verdict, decision.reason) == (Verdict.REFUSE, reason[state])


@law
def test_i5_no_door_allows_what_another_denies(reading, checked, asker, rules):
    """The door itself never decides."""
    decisions = {
        decision.verdict
        for door in Door
        for decision in [signed_in(reading, checked, replace(asker, door=door), rules)]
    }
    assert len(decisions) == 1


@law
def test_i5_whoever_is_let_in_against_a_status_is_let_in_by_a_named_rule(
    reading, checked, asker, rules
):
    for decision in both(reading, checked, asker, rules):
        if decision.verdict is Verdict.ALLOW and not decision.allowed_by:
            assert decision.status.statuses == {PasswordStatus.ACTIVE}
            assert not decision.status.must_change
        if decision.verdict is Verdict.ALLOW:
            assert decision.status.state is UserState.ACTIVE
            assert PasswordStatus.PENDING not in decision.status.statuses
        if decision.verdict is Verdict.ALLOW and decision.status.must_change:
            # R40; where a resource keeps the locked as well, that is what is named
            assert asker.changing or asker.service is ServiceKind.SESSION_MANAGER


@law
def test_i5_a_rule_is_named_only_where_it_was_needed(reading, checked, asker, rules):
    asker = replace(asker, keep_while=frozenset())
    for decision in both(reading, checked, asker, rules):
        if decision.allowed_by:
            status = decision.status
            assert PasswordStatus.EXPIRED in status.statuses or status.must_change


@law
def test_i7_r53_only_a_keeping_resource_looks_at_the_password_of_the_locked(
    reading, checked, asker, rules
):
    assume(PasswordStatus.LOCKED in status_at(reading.facts, NOW).statuses)
    if PasswordStatus.LOCKED not in asker.keep_while or asker.changing:
        assert before_password(reading, asker, rules, NOW) is not None
        assert account(reading, asker, rules, NOW).verdict is Verdict.REFUSE
    else:
        for decision in both(reading, checked, asker, rules):
            assert decision.verdict is not Verdict.CHANGE


@given(people.accounts, people.checks, people.askers, people.rules)
def test_i9_an_allowance_dies_and_a_cached_deny_does_not(known, checked, asker, rules):
    age = NOW - known.read_at
    usable = timedelta(0) <= age <= timedelta(seconds=rules.offline_allowed_s)
    offline = both(Copy(known), checked, asker, rules)
    if not usable:
        assert all(decision.verdict is Verdict.REFUSE for decision in offline)
    denied = before_password(Fresh(known), asker, rules, NOW)
    if denied is not None and denied.reason is not Reason.PASSWORD_EXPIRED:
        assert offline[0] == denied
        assert offline[1].reason is denied.reason


@law
def test_i9_a_copy_never_lets_in_whom_the_directory_would_not(reading, checked, asker, rules):
    online = both(Fresh(reading.facts), checked, asker, rules)
    offline = both(Copy(reading.facts), checked, asker, rules)
    for fresh, cached in zip(online, offline, strict=True):
        if cached.verdict is Verdict.ALLOW and fresh.verdict is Verdict.REFUSE:
            # Sparing a grace login of the directory refuses online alone.
            assert fresh.reason is Reason.PASSWORD_EXPIRED
            assert reading.facts.grace_left
        assert cached.verdict is not Verdict.CHANGE


@law
def test_i11_a_sweep_changes_nothing(reading, checked, asker, rules):
    """Dropping what is outlived, as a sweep job would, decides nothing."""
    swept = replace(
        reading.facts, locks=tuple(one for one in reading.facts.locks if one.holds(NOW))
    )
    again = replace(reading, facts=swept)
    assert both(again, checked, asker, rules) == both(reading, checked, asker, rules)


@given(
    people.accounts,
    st.lists(people.moments, min_size=2, max_size=6),
)
def test_i12_with_a_floor_under_time_a_clock_set_back_gives_nothing_back(known, clock):
    """Believed time never decreases: nothing un-expires, and no lock ends that still holds."""
    believed = NOW - timedelta(days=1000)
    before = None
    for raw in clock:
        believed = max(believed, raw)
        status = status_at(known, believed)
        if before is not None:
            assert PasswordStatus.EXPIRED not in before.statuses - status.statuses
            newly_open = PasswordStatus.LOCKED in before.statuses - status.statuses
            assert not newly_open or all(one.until <= believed for one in known.locks)
            assert PasswordStatus.LOCKED not in status.statuses - before.statuses
        before = status


@law
def test_i6_i19_silence_and_wrong_never_let_in(reading, checked, asker, rules):
    del checked
    for verdict in (NoVerdict("connect"), Wrong(), Wrong(repeat=True)):
        assert signed_in(reading, verdict, asker, rules).verdict is Verdict.REFUSE


@law
def test_r26_a_change_opens_only_where_it_can_happen(reading, checked, asker, rules):
    asker = replace(asker, changing=False)
    authn, acct = both(reading, checked, asker, rules)
    for decision in (authn, acct):
        if decision.verdict is Verdict.CHANGE:
            assert isinstance(reading, Fresh)
            assert asker.inline_change or asker.service not in NO_CHANGE_SERVICES
            if decision.reason is Reason.PASSWORD_EXPIRED:
                assert rules.when_expired is WhenExpired.CHANGE


@law
def test_r25_cron_and_systemd_user_are_never_asked_for_a_new_password(
    reading, checked, asker, rules
):
    del checked
    for service in NO_CHANGE_SERVICES:
        at = replace(asker, service=service, changing=False, inline_change=False)
        assert account(reading, at, rules, NOW).verdict is not Verdict.CHANGE


@law
def test_r26_deny_refuses_the_expired_everywhere(reading, checked, asker, rules):
    """Only resources that keep them, systemd-user and the change itself are apart."""
    rules = replace(rules, when_expired=WhenExpired.DENY, key_logins=KeyLogins.DENY)
    asker = replace(asker, keep_while=frozenset(), changing=False)
    assume(asker.service is not ServiceKind.SESSION_MANAGER)
    for decision in both(reading, checked, asker, rules):
        status = decision.status
        if PasswordStatus.EXPIRED in status.statuses:
            temporary = decision.reason is Reason.CHANGE_REQUIRED and status.must_change
            assert decision.verdict is Verdict.REFUSE or temporary


@given(people.plain_askers, people.rules)
def test_r17_an_account_in_order_is_let_in_at_every_door(asker, rules):
    decisions = both(Fresh(people.alice()), people.RIGHT, asker, rules)
    assert {decision.reason for decision in decisions} == {Reason.OK}
    assert {decision.allowed_by for decision in decisions} == {""}


@given(people.open_facts, people.rules, people.proven)
def test_the_account_phase_after_a_password_agrees_with_it(known, rules, proven):
    """What authenticate said of a proven person, the account phase of that transaction says too."""
    reading = Fresh(known)
    asker = people.Asker()
    assume(before_password(reading, asker, rules, NOW) is None)
    first = signed_in(reading, proven, asker, rules)
    then = account(reading, replace(asker, proven=True, earlier=proven), rules, NOW)
    assert then == first
