"""The facts that `why` shows: the value, what is known beyond it, where from and how old."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loginward.core.facts import Evidence, Fact, LockoutPolicy, Origin, status_at
from loginward.core.readings import Copy, Fresh, NeverSeen
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause, UserState
from loginward.runtime.fact_parts import facts_of
from tests.runtime.judged import AGED, ANN, DAY, NOW, TRIPPED


def facts(known, *, copy=False, after=timedelta(0)):
    reading = Copy(known) if copy else Fresh(known)
    found = facts_of(reading, status_at(known, NOW), "ldaps://one", NOW + after)
    return {part.fact: part for part in found}


def test_an_account_that_cannot_be_read_is_unknown_and_nothing_else():
    """Unknown is never fine."""
    (only,) = facts_of(NeverSeen(), None, "ldaps://one", NOW)
    assert (only.fact, only.value, only.source) == ("account", "unknown", "ldaps://one")


def test_each_fact_says_where_it_comes_from_how_old_it_is_and_how_it_was_spelt():
    known = replace(
        ANN,
        evidence=(
            Evidence(Fact.EXPIRY, Origin.ATTRIBUTE, "pwdChangedTime=20260502093000Z"),
            Evidence(Fact.STATE, Origin.EMBEDDED, "state=ACTIVE"),
        ),
    )
    said = facts(known, after=timedelta(seconds=4))
    assert said["password"].evidence == "pwdChangedTime=20260502093000Z"
    assert said["state"].evidence == "state=ACTIVE"
    assert said["lock"].evidence == ""
    assert {part.source for part in said.values()} == {"ldaps://one"}
    assert {part.age_s for part in said.values()} == {4.0}
    assert facts(known, copy=True)["state"].source == "local copy"


def test_a_clock_set_back_makes_no_fact_younger_than_now():
    assert facts(ANN, after=-DAY)["state"].age_s == 0.0


@pytest.mark.parametrize(
    ("known", "value", "detail"),
    [
        pytest.param({}, "active", "changed 2026-05-02T09:30:00Z", id="in-order"),
        pytest.param({"has_password": None}, "unreadable", "", id="unreadable"),
        pytest.param({"has_password": False, "changed_at": None}, "pending", "", id="pending"),
        pytest.param(
            {"must_change": True},
            "active",
            "changed 2026-05-02T09:30:00Z, temporary, must be changed",
            id="temporary",
        ),
        pytest.param(
            {"due": (AGED,)},
            "expired",
            "changed 2026-05-02T09:30:00Z, max age 29 d -> 2026-05-31T09:30:00Z; cause aging",
            id="aged",
        ),
        pytest.param(
            {"due": (replace(AGED, at=NOW + DAY),)},
            "active",
            "changed 2026-05-02T09:30:00Z, max age 31 d -> 2026-06-02T09:30:00Z",
            id="ageing",
        ),
        pytest.param(
            {"changed_at": None, "due": (DueDate(NOW - DAY, ExpiryCause.BY_ADMIN),)},
            "expired",
            "expired 2026-05-31T09:30:00Z; cause an administrator",
            id="by-an-administrator",
        ),
        pytest.param(
            {"changed_at": None, "due": (DueDate(NOW + DAY, ExpiryCause.POLICY_DEADLINE),)},
            "active",
            "falls due 2026-06-02T09:30:00Z",
            id="due-by-the-policy",
        ),
    ],
)
def test_the_password_in_words(known, value, detail):
    """R14: the cause of an expiry is said."""
    said = facts(replace(ANN, **known))["password"]
    assert (said.value, said.detail) == (value, detail)


@pytest.mark.parametrize(
    ("lock", "value", "detail"),
    [
        pytest.param(None, "none", "", id="none"),
        pytest.param(
            TRIPPED,
            "threshold",
            "5 failures, sshd 203.0.113.7, since 2026-06-01T09:30:00Z, until 2026-06-02T09:30:00Z",
            id="tripped",
        ),
        pytest.param(
            Lock(id="l", cause=LockCause.BY_ADMIN),
            "by an administrator",
            "until an administrator unlocks",
            id="without-an-end",
        ),
    ],
)
def test_the_lock_in_words(lock, value, detail):
    """R16: who or what locked it, from where, and until when."""
    said = facts(replace(ANN, locks=() if lock is None else (lock,)))["lock"]
    assert (said.value, said.detail) == (value, detail)


def test_the_state_in_words():
    ended = facts(replace(ANN, ends_at=NOW - DAY))["state"]
    assert (ended.value, ended.detail) == ("suspended", "ended 2026-05-31T09:30:00Z")
    by_admin = facts(replace(ANN, state=UserState.STAGED))["state"]
    assert (by_admin.value, by_admin.detail) == ("staged", "by admin")
    assert facts(ANN)["state"].detail == ""


def test_failures_are_counted_against_what_locks():
    counted = facts(replace(ANN, failures=(NOW, NOW), lockout=LockoutPolicy(3, None, None)))
    assert (counted["failures"].value, counted["failures"].detail) == ("2", "locks at 3")
    assert facts(ANN)["failures"].detail == ""
    assert facts(replace(ANN, failures=None))["failures"].value == "unreadable"


def test_what_could_not_be_read_is_never_shown_as_fine():
    said = facts(replace(ANN, unreadable=frozenset({Fact.LOCK})))
    assert said["lock"].value == "unreadable"
    assert said["state"].value == "active"
