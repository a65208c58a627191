"""What changed between two moments, and what the article says each verb changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.facts import LockoutPolicy, status_at
from loginward.core.lockout import Failure, Tally
from loginward.core.passwords import PasswordRules
from loginward.core.status import ExpiryCause, Lock, LockCause, PasswordStatus, UserState
from loginward.core.transitions import (
    Bar,
    Moved,
    Transition,
    bare,
    is_alike,
    moments_of,
    over_time,
)
from loginward.directory.embedded import life
from loginward.directory.embedded.facts import SiteRules, facts_of
from loginward.directory.embedded.record import Password, Record, SetBy
from tests.core import article, people
from tests.core.people import DAY, EXPIRED, HOUR, LOCKED, NOW, PENDING, TEMPORARY, alice, due, lock

LATER = NOW + 2 * HOUR
SUSPENDED = {"state": UserState.SUSPENDED}
STAGED = {"state": UserState.STAGED}
RESET = {"changed_at": NOW}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param({}, LOCKED | {"locks": (lock(until=None),)}, ["locked"], id="locked"),
        pytest.param({"locks": (lock(until=None),)}, {}, ["unlocked"], id="unlocked"),
        pytest.param(LOCKED, LOCKED, ["unlocked"], id="a-lock-ends-by-itself"),
        pytest.param(
            {"locks": (lock("a", until=None),)},
            {"locks": (lock("b", until=None),)},
            ["unlocked", "locked"],
            id="I8-one-lock-ended-another-began",
        ),
        pytest.param(
            {"locks": (lock("a", until=None),)},
            {"locks": (lock("a", until=None), lock("b", until=None))},
            ["locked"],
            id="a-second-lock-opens-nothing",
        ),
        pytest.param(
            {"locks": (lock("a", until=None), lock("b", until=None))},
            {"locks": (lock("b", until=None),)},
            [],
            id="one-of-two-locks-ended",
        ),
        pytest.param(
            {"due": due(NOW + HOUR)}, {"due": due(NOW + HOUR)}, ["expired"], id="fell-due"
        ),
        pytest.param(EXPIRED, EXPIRED, [], id="still-expired"),
        pytest.param(EXPIRED, RESET, ["reset"], id="reset"),
        pytest.param(PENDING, RESET, ["reset"], id="R04-a-first-password"),
        pytest.param(RESET, {"changed_at": NOW - DAY}, [], id="an-older-replica-is-no-reset"),
        pytest.param(RESET, {"changed_at": None}, [], id="unreadable-is-no-reset"),
        pytest.param({}, SUSPENDED, ["suspended"], id="suspended"),
        pytest.param({"ends_at": NOW + HOUR}, {"ends_at": NOW + HOUR}, ["suspended"], id="ended"),
        pytest.param(SUSPENDED, {}, ["activated"], id="activated"),
        pytest.param({"starts_at": LATER}, {"starts_at": LATER}, ["activated"], id="started"),
        pytest.param({}, STAGED, [], id="staging-is-none-of-them"),
        pytest.param({}, {"removed": True}, ["removed"], id="removed"),
        pytest.param(SUSPENDED, {"removed": True}, ["removed"], id="the-suspended-removed"),
        pytest.param({"removed": True}, {"removed": True}, [], id="still-removed"),
        pytest.param({"removed": True}, {}, ["activated"], id="back-again"),
        pytest.param(
            SUSPENDED | {"locks": (lock(until=None),)} | EXPIRED,
            RESET,
            ["activated", "reset", "unlocked"],
            id="several-at-once",
        ),
    ],
)
def test_transitions(before, after, found):
    seen = Moved(alice(**before), NOW, alice(**after), LATER).transitions
    assert [one.value for one in seen] == found


BY_ADMIN = lock("by-admin", cause=LockCause.BY_ADMIN, until=None)
BY_GUESSES = lock("by-guesses", until=None)


@pytest.mark.parametrize(
    ("before", "after", "bars"),
    [
        pytest.param({}, SUSPENDED, [Bar.SUSPENDED], id="suspended"),
        pytest.param({"ends_at": NOW + HOUR}, {"ends_at": NOW + HOUR}, [Bar.SUSPENDED], id="ended"),
        pytest.param({}, {"removed": True}, [Bar.SUSPENDED], id="removed"),
        pytest.param({}, {"locks": (BY_ADMIN,)}, [Bar.LOCKED_BY_ADMIN], id="locked-by-admin"),
        pytest.param(
            {"locks": (BY_GUESSES,)},
            {"locks": (BY_GUESSES, BY_ADMIN)},
            [Bar.LOCKED_BY_ADMIN],
            id="on-top-of-a-lock-by-guesses",
        ),
        pytest.param({}, {"locks": (BY_GUESSES,)}, [None], id="never-a-lock-by-guesses"),
        pytest.param(
            {"locks": (BY_ADMIN,)},
            {"locks": (BY_ADMIN, BY_GUESSES)},
            [None],
            id="an-admin-s-lock-of-before-bars-no-more",
        ),
        pytest.param(SUSPENDED, {}, [None], id="activated"),
        pytest.param({"due": due(NOW + HOUR)}, {"due": due(NOW + HOUR)}, [None], id="expired"),
    ],
)
def test_what_ends_sessions_elsewhere(before, after, bars):
    moved = Moved(alice(**before), NOW, alice(**after), LATER)
    assert [moved.bar(one) for one in moved.transitions] == bars


@given(people.accounts, people.moments)
def test_an_account_at_one_moment_has_no_transition(known, now):
    assert Moved(known, now, known, now).transitions == ()


@given(people.accounts, people.accounts, people.moments, people.moments)
def test_each_transition_is_what_the_statuses_show(before, after, then, now):
    found = Moved(before, then, after, now).transitions
    was, is_now = status_at(before, then), status_at(after, now)
    if before.removed and after.removed:
        assert found == ()
        return
    assert len(set(found)) == len(found)
    if Transition.UNLOCKED in found:
        assert PasswordStatus.LOCKED in was.statuses
    if Transition.LOCKED in found:
        assert PasswordStatus.LOCKED in is_now.statuses
    opened = PasswordStatus.LOCKED in was.statuses - is_now.statuses
    assert not opened or Transition.UNLOCKED in found
    newly = PasswordStatus.EXPIRED in is_now.statuses - was.statuses
    assert (Transition.EXPIRED in found) == newly
    if Transition.ACTIVATED in found:
        assert is_now.state is UserState.ACTIVE is not was.state


# --- the verbs of the article --------------------------------------------------------------------


@given(people.accounts, people.moments)
def test_i1_unlock_changes_nothing_but_the_lock(known, now):
    after = article.unlock(known, now)
    assert (after.due, after.must_change, after.changed_at, after.has_password, after.state) == (
        (known.due, known.must_change, known.changed_at, known.has_password, known.state)
    )
    assert PasswordStatus.LOCKED not in status_at(after, now).statuses


@given(people.accounts, people.moments)
def test_i2_i4_r09_r10_unlock_leaves_expired_and_reset_clears_both(known, now):
    expired = PasswordStatus.EXPIRED in status_at(known, now).statuses
    unlocked = status_at(article.unlock(known, now), now)
    assert (PasswordStatus.EXPIRED in unlocked.statuses) == expired
    reset = status_at(article.reset(known, now), now)
    assert reset.statuses == {PasswordStatus.ACTIVE}
    assert not reset.must_change


@pytest.mark.parametrize("known", [LOCKED, EXPIRED, LOCKED | EXPIRED, PENDING, TEMPORARY])
def test_r09_a_reset_returns_anybody_to_active(known):
    assert status_at(article.reset(alice(**known), NOW), NOW).headline is PasswordStatus.ACTIVE


def test_r10_unlocking_does_not_reset_an_expired_password():
    both = alice(**LOCKED, **EXPIRED)
    assert status_at(both, NOW).headline is PasswordStatus.LOCKED
    assert status_at(article.unlock(both, NOW), NOW).headline is PasswordStatus.EXPIRED


SITE = SiteRules(
    PasswordRules(max_age_s=90 * 86400), LockoutPolicy(threshold=5, window_s=900, duration_s=1800)
)
passwords = st.builds(
    Password,
    phc=st.just("$argon2id$old"),
    changed_at=people.moments,
    set_by=st.sampled_from(SetBy),
    must_change=st.booleans(),
    forced_at=st.none() | people.moments,
)
tallies = st.builds(
    Tally,
    failures=st.lists(st.builds(Failure, people.moments, st.just("sshd")), max_size=3).map(tuple),
    lock=st.none() | people.locks,
    epoch=st.integers(0, 5),
)
records = st.builds(
    Record,
    id=st.just("id-1"),
    name=st.just("alice"),
    created_at=st.just(NOW - 900 * DAY),
    state=st.sampled_from(UserState),
    starts_at=st.none() | people.moments,
    ends_at=st.none() | people.moments,
    admin_lock=st.none() | st.just(Lock(id="admin", cause=LockCause.BY_ADMIN)),
    password=st.none() | passwords,
    tally=tallies,
)


def new_password(record, now, *, must_change):
    return life.with_password(
        record,
        "$argon2id$new",
        set_by=SetBy.ADMIN,
        rules=SITE.passwords,
        now=now,
        must_change=must_change,
    )


VERBS = {
    "unlock": lambda record, _: life.unlocked(record),
    "reset": lambda record, now: new_password(record, now, must_change=False),
    "set_temporary": lambda record, now: new_password(record, now, must_change=True),
    "lock": lambda record, now: life.locked_by_admin(record, "by-admin", now),
    "suspend": life.suspended,
}


@pytest.mark.parametrize("verb", VERBS)
@given(record=records, now=people.moments)
def test_the_embedded_directory_does_what_the_article_says(verb, record, now):
    """Each verb, done by the directory and by the model, leaves the same statuses."""
    modelled = getattr(article, verb)(facts_of(record, SITE, now), now)
    done = facts_of(VERBS[verb](record, now), SITE, now)
    expected, found = status_at(modelled, now), status_at(done, now)
    assert (found.state, found.statuses, found.must_change) == (
        (expected.state, expected.statuses, expected.must_change)
    )


@given(records, people.moments)
def test_the_embedded_directory_activates_and_expires_as_the_article_says(record, now):
    activated = status_at(facts_of(life.activated(record, now), SITE, now), now)
    assert activated.state is UserState.ACTIVE
    if record.password is not None:
        after = life.expired_by_admin(record, record.password, now)
        status = status_at(facts_of(after, SITE, now), now)
        assert PasswordStatus.EXPIRED in status.statuses
        assert ExpiryCause.BY_ADMIN in {
            one.cause for one in facts_of(after, SITE, now).due if one.at <= now
        }
        assert replace(record, password=after.password) == after


def test_time_between_two_readings_is_told_moment_by_moment():
    """A start and an end that both came since the last look are two transitions."""
    waiting = alice(starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    steps = over_time(waiting, NOW, waiting, NOW + DAY)
    assert [step.transitions for step in steps] == [
        (Transition.ACTIVATED,), (Transition.SUSPENDED,), ()
    ]  # fmt: skip
    assert steps[-1].now == NOW + DAY
    assert [step.then for step in steps[1:]] == [step.now for step in steps[:-1]]


def test_time_that_goes_back_is_one_step():
    waiting = alice(starts_at=NOW + HOUR)
    (step,) = over_time(waiting, LATER, waiting, NOW)
    assert (step.then, step.now, step.transitions) == (LATER, NOW, ())


def test_every_moment_that_can_change_a_status_is_named():
    facts = alice(
        locks=(lock("a", until=NOW), lock("b", until=None)),
        due=due(NOW + HOUR),
        starts_at=NOW + DAY,
        ends_at=NOW + 2 * DAY,
    )
    assert moments_of(facts) == (NOW, NOW + HOUR, NOW + DAY, NOW + 2 * DAY)
    assert moments_of(alice()) == ()


def test_what_no_transition_follows_from_is_left_out():
    full = alice(groups=frozenset({"staff"}), failures=(NOW,), lockout=LockoutPolicy(5, 900, None))
    assert bare(full) == alice(failures=())
    assert is_alike(full, replace(full, read_at=LATER, groups=frozenset()))
    assert not is_alike(full, replace(full, locks=(lock(until=None),)))
    assert not is_alike(full, replace(full, changed_at=NOW))


def test_time_changes_nothing_about_who_was_removed():
    gone = alice(removed=True, due=due(NOW + HOUR), locks=(lock(until=NOW + HOUR),))
    assert Moved(gone, NOW, gone, LATER).transitions == ()
    assert Moved(gone, NOW, replace(gone, removed=False), NOW).transitions == (
        Transition.ACTIVATED,
    )


def test_what_was_counted_falls_to_an_unlock_until_the_lock_was_seen_and_to_a_reset_until_read():
    """I6: a guess between an unlock and the look that finds it is not forgotten."""
    after = replace(alice(), read_at=NOW + HOUR)
    moved = Moved(alice(**LOCKED), NOW, after, LATER)
    assert moved.clears_until(Transition.UNLOCKED) == NOW
    assert moved.clears_until(Transition.RESET) == NOW + HOUR
    ahead = replace(moved, after=replace(after, read_at=LATER + HOUR))  # the clock was set back
    assert ahead.clears_until(Transition.RESET) == LATER
