"""Password rules: what is taken, what is too young, what falls due and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.changes import ChangeProblem
from loginward.core.facts import AccountFacts, status_at
from loginward.core.passwords import (
    Demands,
    PasswordRules,
    asks_for_more,
    demands_of,
    due_dates,
    is_too_young,
    problem_of,
)
from loginward.core.secret import Secret
from loginward.core.status import DueDate, ExpiryCause, PasswordStatus

DAY_S = 86400
SET = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)  # the night after, European clocks jump
RULES = PasswordRules(min_length=12)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        pytest.param("", ChangeProblem.TOO_SHORT, id="empty"),
        pytest.param("kj8-Qw.x2Lm", ChangeProblem.TOO_SHORT, id="eleven-characters"),
        pytest.param("kj8-Qw.x2LmP", None, id="twelve-characters"),
        pytest.param("ёж-в-тумане-ы", None, id="characters-not-octets"),
        pytest.param("ёж-в-тумане", ChangeProblem.TOO_SHORT, id="octets-do-not-count"),
        pytest.param("zürich-am-see", None, id="umlaut"),
        pytest.param("a" * 12, ChangeProblem.TOO_WEAK, id="one-character"),
        pytest.param("abababababab", ChangeProblem.TOO_WEAK, id="two-characters"),
        pytest.param("hello7hello7", ChangeProblem.TOO_WEAK, id="a-block-repeated"),
        pytest.param("abcdefghijklm", ChangeProblem.TOO_WEAK, id="ascending"),
        pytest.param("987654321098", ChangeProblem.TOO_WEAK, id="descending"),
        pytest.param("aaabbbcccdddeee", ChangeProblem.TOO_WEAK, id="runs"),
        pytest.param("my-Alice-is-best", ChangeProblem.TOO_WEAK, id="name-inside-other-case"),
        pytest.param("correct horse battery", None, id="phrase"),
    ],
)
def test_a_new_password(typed, problem):
    assert problem_of(Secret(typed.encode()), "alice@example.org", RULES) is problem


def test_short_names_forbid_nothing():
    assert problem_of(Secret(b"limestone-under-oak"), "li", RULES) is None


def test_octets_that_are_no_text_count_as_one_each():
    assert problem_of(Secret(bytes(range(200, 224, 2))), "bob", RULES) is None
    assert problem_of(Secret(bytes(range(200, 222, 2))), "bob", RULES) is ChangeProblem.TOO_SHORT


def test_a_nul_and_too_many_octets():
    assert problem_of(Secret(b"kj8-Qw.x\x002LmP"), "bob", RULES) is ChangeProblem.TOO_WEAK
    assert problem_of(Secret(b"kj8-Q" * 300), "bob", RULES) is ChangeProblem.TOO_LONG


@given(st.binary(max_size=1100), st.text(max_size=40), st.integers(0, 40))
def test_whatever_is_taken_is_well_formed_and_long_enough(octets, name, min_length):
    if problem_of(Secret(octets), name, PasswordRules(min_length=min_length)) is None:
        assert Secret(octets).well_formed
        assert len(octets) >= min_length


@pytest.mark.parametrize(
    ("age_s", "must_change", "young"),
    [
        pytest.param(DAY_S - 1, False, True, id="a-second-too-soon"),
        pytest.param(DAY_S, False, False, id="at-the-minimum"),
        pytest.param(0, True, False, id="R40-temporary-may-be-changed-at-once"),
    ],
)
def test_minimum_age(age_s, must_change, young):
    now = SET + timedelta(seconds=age_s)
    rules = PasswordRules(min_age_s=DAY_S)
    assert is_too_young(SET, rules, now, must_change=must_change) is young


def test_no_minimum_age_without_a_rule_or_a_date():
    assert not is_too_young(SET, PasswordRules(), SET, must_change=False)
    assert not is_too_young(None, PasswordRules(min_age_s=DAY_S), SET, must_change=False)


def statuses(now, rules, *, forced_at=None, outdated=False):
    due = due_dates(SET, rules, forced_at=forced_at, outdated=outdated)
    facts = AccountFacts(account_id="1", name="a", read_at=now, changed_at=SET, due=due)
    return status_at(facts, now)


@pytest.mark.parametrize(
    ("offset_s", "expired"),
    [
        pytest.param(-1, PasswordStatus.ACTIVE, id="a-second-before"),
        pytest.param(0, PasswordStatus.EXPIRED, id="on-the-second"),
        pytest.param(1, PasswordStatus.EXPIRED, id="a-second-after"),
    ],
)
def test_r12_aging_to_the_second_whatever_local_clocks_do(offset_s, expired):
    rules = PasswordRules(max_age_s=90 * DAY_S)
    now = SET + timedelta(days=90, seconds=offset_s)
    assert statuses(now, rules).statuses == {expired}


def test_r13_r14_update_by_spares_whoever_meets_the_rules():
    by = SET + timedelta(days=30)
    rules = PasswordRules(update_by=by)
    before = statuses(by - timedelta(seconds=1), rules, outdated=True)
    after = statuses(by, rules, outdated=True)
    assert before.statuses == {PasswordStatus.ACTIVE}
    assert before.due == DueDate(by, ExpiryCause.POLICY_DEADLINE)  # warned of
    assert after.statuses == {PasswordStatus.EXPIRED}
    assert statuses(by, rules, outdated=False).due is None


def test_r14_each_cause_is_told():
    rules = PasswordRules(max_age_s=DAY_S, update_by=SET)
    due = due_dates(SET, rules, forced_at=SET, outdated=True)
    assert {d.cause for d in due} == set(ExpiryCause)
    assert due_dates(SET, PasswordRules(), forced_at=None, outdated=True) == ()


FIRST = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "rules", "now", "more"),
    [
        pytest.param((12, None), (12, None), SET, False, id="same"),
        pytest.param((12, None), (14, None), SET, True, id="longer"),
        pytest.param((12, None), (10, None), SET, False, id="shorter"),
        pytest.param((12, None), (12, FIRST), SET, True, id="a-first-date"),
        pytest.param((12, FIRST), (12, FIRST), SET, False, id="known-date"),
        pytest.param((12, FIRST), (12, None), SET, False, id="date-dropped"),
        pytest.param((12, FIRST), (12, SECOND), SET, False, id="date-moved-while-ahead"),
        pytest.param((12, FIRST), (12, SECOND), FIRST, True, id="a-new-date-after-the-last"),
    ],
)
def test_r13_when_the_rules_ask_for_more(last, rules, now, more):
    rules = PasswordRules(min_length=rules[0], update_by=rules[1])
    assert asks_for_more(Demands(*last), rules, now) is more


def test_the_last_date_is_remembered_when_it_is_dropped():
    first = demands_of(None, PasswordRules(min_length=12, update_by=FIRST))
    assert first == Demands(12, FIRST)
    assert demands_of(first, PasswordRules(min_length=13)) == Demands(13, FIRST)
    assert demands_of(None, PasswordRules()) == Demands(12, None)
