"""Lists by status and state: the file may narrow only what the law would refuse too (R51)."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginward.core.facts import status_at
from loginward.core.lockout import Tally
from loginward.core.status import Lock, LockCause, PasswordStatus, UserState
from loginward.directory.embedded import codec, rows
from loginward.directory.embedded.record import Password, Record, SetBy
from loginward.directory.port import Listing, Verb

RIGHT = b"right-horse-battery"
NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def test_r51_locked_includes_who_is_expired_too_and_nobody_else(world):
    for name in ("locked", "both", "expired", "active", "by-admin"):
        world.add(name, RIGHT)
    for name in ("both", "expired"):
        world.act(name, Verb.EXPIRE)
    for name in ("locked", "both"):
        world.lock_by_guessing(name)
    world.act("by-admin", Verb.LOCK)

    def names(status):
        return [facts.name for facts in world.directory.accounts_with(status)]

    assert names(PasswordStatus.LOCKED) == ["both", "by-admin", "locked"]
    assert names(PasswordStatus.EXPIRED) == ["both", "expired"]
    assert names(PasswordStatus.ACTIVE) == ["active"]
    assert names(PasswordStatus.PENDING) == []
    world.clock.pass_by(timedelta(seconds=1800))
    assert names(PasswordStatus.LOCKED) == ["by-admin"]


def test_the_whole_list_is_by_name_and_never_cut(world):
    for name in ("cyd", "Ann", "bob"):
        world.add(name, RIGHT)
    listing = world.directory.accounts(world.deadline())
    assert [facts.name for facts in listing.accounts] == ["Ann", "bob", "cyd"]
    assert listing == Listing(world.directory.accounts_with(), cut="")


NEAR = st.sampled_from([-86400 * 90, -86400, -1, 0, 1, 86400]).map(
    lambda seconds: NOW + timedelta(seconds=seconds)
)
MAYBE = st.none() | NEAR


def lock(cause):
    return st.builds(Lock, id=st.just("x"), cause=st.just(cause), since=MAYBE, until=MAYBE)


RECORDS = st.lists(
    st.builds(
        Record,
        id=st.integers(0, 10**6).map(str),
        name=st.integers(0, 10**6).map("n{}".format),
        created_at=NEAR,
        state=st.sampled_from(UserState),
        starts_at=MAYBE,
        ends_at=MAYBE,
        admin_lock=st.none() | st.just(Lock(id="a", cause=LockCause.BY_ADMIN)),
        password=st.none()
        | st.builds(
            Password,
            phc=st.just("x"),
            changed_at=NEAR,
            set_by=st.just(SetBy.ADMIN),
            forced_at=MAYBE,
            outdated=st.booleans(),
        ),
        tally=st.builds(Tally, lock=st.none() | lock(LockCause.THRESHOLD)),
    ),
    max_size=12,
    unique_by=(lambda record: record.id, lambda record: record.name),
)


@settings(deadline=None, max_examples=60)
@given(RECORDS, st.sampled_from([None, 1, 86400, 86400 * 90]), MAYBE)
def test_narrowing_loses_nobody(new_world, records, max_age_s, update_by):
    """For every status and state the list is exactly whom the law puts there."""
    with tempfile.TemporaryDirectory() as folder:
        world = new_world(Path(folder) / "a.db")
        world.clock.pass_by(NOW - world.clock.now())
        world.rules(max_age_s=max_age_s)
        world.book.site = world.site(update_by=update_by)
        for record in records:
            world.book.write(lambda c, record=record: rows.insert(c, [codec.rows_of(record)]))
        every = world.directory.accounts_with()
        for status in (None, *PasswordStatus):
            for state in (None, *UserState):
                wanted = tuple(
                    facts
                    for facts in every
                    if (status is None or status in status_at(facts, NOW).statuses)
                    and (state is None or state is status_at(facts, NOW).state)
                )
                assert world.directory.accounts_with(status, state) == wanted
        world.close()


@pytest.mark.parametrize("status", [PasswordStatus.LOCKED, PasswordStatus.EXPIRED])
def test_rare_statuses_are_found_by_index(world, status):
    """A list of few does not read the table of all."""
    from loginward.directory.embedded import listing

    sql = f"EXPLAIN QUERY PLAN {rows.SELECT} {listing.condition(status, None)}"
    bound = listing.bound(world.passwords, NOW)
    plan = [row[3] for row in world.book.read(lambda c: c.execute(sql, bound).fetchall())]
    assert plan[0].startswith("SEARCH account USING PRIMARY KEY"), plan
    assert not any(step.startswith("SCAN account") and "INDEX" not in step for step in plan), plan
