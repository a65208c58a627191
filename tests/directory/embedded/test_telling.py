"""What is told of accounts: every transition once, of whatever was written and of time (I11)."""

from __future__ import annotations

import random
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loginward.core.acts import Verb
from loginward.core.attempts import Outcome
from loginward.core.facts import status_at
from loginward.core.transitions import Moved
from loginward.directory.embedded import listing, telling
from loginward.directory.embedded.fields import Format
from loginward.errors import StoreFault

RIGHT, NEXT = b"right-horse-battery", b"another-horse-battery"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def told(world):
    """Return the transitions since the last look, each with the status before and after."""
    found = []
    for moved in world.directory.telling.moved():
        before, after = status_at(moved.before, moved.then), status_at(moved.after, moved.now)
        found += [(moved.after.name, one.value, shown(before), shown(after))
                  for one in moved.transitions]  # fmt: skip
    return found


def shown(status):
    state = [] if status.state.value == "active" else [status.state.value]
    return " ".join([*state, *sorted(one.value for one in status.statuses)])


def what(world):
    return [(name, transition) for name, transition, *_ in told(world)]


def test_nothing_is_told_of_who_is_new_or_idle(world):
    told(world)
    world.add("ann", RIGHT)
    assert [one for _, one in what(world)] == ["reset"]  # its first password, by an administrator
    world.clock.pass_by(DAY)
    assert told(world) == []


def test_acts_in_quick_succession_are_told_one_by_one(world):
    """A lock that was lifted before anybody looked was a lock all the same."""
    world.add("ann", RIGHT)
    told(world)
    for verb in (Verb.LOCK, Verb.UNLOCK, Verb.SUSPEND, Verb.ACTIVATE, Verb.EXPIRE):
        world.act("ann", verb)
        world.clock.pass_by(MINUTE)
    world.act("ann", Verb.RESET_PASSWORD, NEXT)
    assert told(world) == [
        ("ann", "locked", "active", "locked"),
        ("ann", "unlocked", "locked", "active"),
        ("ann", "suspended", "active", "suspended active"),
        ("ann", "activated", "suspended active", "active"),
        ("ann", "expired", "active", "expired"),
        ("ann", "reset", "expired", "active"),
    ]
    assert told(world) == []


def test_a_lock_by_guesses_and_its_end_by_time(world):
    """R39: also when nobody looked between the two."""
    world.add("ann", RIGHT)
    told(world)
    world.lock_by_guessing("ann")
    assert what(world) == [("ann", "locked")]
    end = world.directory.telling.next_moment()
    assert end == world.clock.now() + timedelta(seconds=world.lockout.duration_s)
    world.clock.pass_by(end - world.clock.now())
    assert told(world) == [("ann", "unlocked", "locked", "active")]
    world.lock_by_guessing("ann")
    world.clock.pass_by(timedelta(seconds=world.lockout.duration_s))
    assert what(world) == [("ann", "locked"), ("ann", "unlocked")]
    assert world.directory.telling.next_moment() is None


def test_an_outlived_lock_that_an_attempt_cleans_away_has_ended(world):
    world.add("ann", RIGHT)
    told(world)
    world.lock_by_guessing("ann")
    told(world)
    world.clock.pass_by(timedelta(seconds=world.lockout.duration_s))
    world.settle("ann", world.reserve("ann"), Outcome.PROVEN)
    assert what(world) == [("ann", "unlocked")]


def test_attempts_that_do_not_lock_write_nothing_to_tell(world):
    world.add("ann", RIGHT)
    told(world)
    calls = []
    world.directory.call_when_moved(lambda: calls.append(1))
    world.guess("ann", 4)
    assert (told(world), calls) == ([], [])
    world.guess("ann")
    assert calls == [1], "the watch is woken by the lock alone"


def test_dates_are_told_when_they_come(world):
    """R12, R28: starts, ends, and a password that ages."""
    world.rules(max_age_s=90 * 86400)
    account_id = world.add("ann", RIGHT)
    told(world)
    now = world.clock.now()
    world.directory.schedule(account_id, starts_at=now + DAY, ends_at=now + 100 * DAY)
    assert told(world) == []  # from active to waiting is no transition of the list
    seen = []
    for _ in range(3):
        world.clock.pass_by(world.directory.telling.next_moment() - world.clock.now())
        seen.append((world.clock.now() - now, *what(world)))
    assert seen == [
        (DAY, ("ann", "activated")),
        (90 * DAY, ("ann", "expired")),
        (100 * DAY, ("ann", "suspended")),
    ]


def test_what_came_and_went_while_nobody_looked_is_told_step_by_step(world):
    now = world.clock.now()
    world.add("ann", RIGHT, starts_at=now + DAY, ends_at=now + 2 * DAY)
    told(world)
    world.clock.pass_by(3 * DAY)
    assert what(world) == [("ann", "activated"), ("ann", "suspended")]


def test_rules_that_come_into_force_are_told(world):
    """R13: a reload that lets passwords fall due at once, and one that sets a date."""
    world.add("ann", RIGHT)
    world.clock.pass_by(30 * DAY)
    world.add("bob", RIGHT)
    told(world)
    world.rules(max_age_s=10 * 86400)
    assert what(world) == [("ann", "expired")]
    world.rules(max_age_s=None)
    assert told(world) == []
    world.rules(update_by=world.clock.now() + DAY)
    assert told(world) == []
    world.clock.pass_by(DAY)
    assert sorted(what(world)) == [("ann", "expired"), ("bob", "expired")]


def test_a_restart_with_other_rules_tells_whom_they_expire(world):
    world.add("ann", RIGHT)
    told(world)
    world.clock.pass_by(30 * DAY)
    world.site(max_age_s=10 * 86400)
    world.reopen()
    assert what(world) == [("ann", "expired")]


def test_nothing_is_lost_or_told_twice_over_a_restart(world):
    """Also a lock that ended while the daemon was away, and an act that it had no time to tell."""
    world.add("ann", RIGHT)
    world.add("bob", RIGHT)
    world.lock_by_guessing("ann")
    told(world)
    world.act("bob", Verb.SUSPEND)
    world.reopen()
    world.clock.pass_by(DAY)
    assert sorted(what(world)) == [("ann", "unlocked"), ("bob", "suspended")]
    world.reopen()
    assert told(world) == []


def test_a_removed_account_is_told_and_leaves_nothing(world):
    account_id = world.add("ann", RIGHT)
    told(world)
    world.act("ann", Verb.LOCK)
    world.directory.remove(account_id)
    assert what(world) == [("ann", "locked"), ("ann", "removed")]
    world.add("bob", RIGHT)
    world.rules(max_age_s=86400)
    account_id = world.facts("bob").account_id
    told(world)
    world.directory.remove(account_id)
    world.clock.pass_by(2 * DAY)
    assert what(world) == [("bob", "removed")], "time changes nothing about it"
    kept = world.book.read(lambda c: c.execute("SELECT count(*) FROM journal").fetchone())
    assert (kept, told(world)) == ((0,), [])


def test_what_is_written_during_a_look_is_told_by_the_next(world):
    """A look tells what was when it began, however late it reads an account."""
    for name in ("ann", "bob"):
        world.add(name, RIGHT)
        world.lock_by_guessing(name)
    told(world)
    world.clock.pass_by(timedelta(seconds=world.lockout.duration_s))
    look = world.directory.telling.moved()
    first = next(look)
    other = {"ann": "bob", "bob": "ann"}[first.after.name]
    world.act(other, Verb.UNLOCK)
    world.act(other, Verb.LOCK)
    rest = [(one.after.name, found.value) for one in look for found in one.transitions]
    assert rest == [(other, "unlocked")]
    assert what(world) == [(other, "locked")]


def test_a_file_that_cannot_be_written_tells_nothing_twice(world, monkeypatch):
    world.add("ann", RIGHT)
    told(world)
    world.act("ann", Verb.LOCK)
    with monkeypatch.context() as patch:

        def full(step):
            raise StoreFault("the disk is full")

        patch.setattr(world.book, "write", full)
        with pytest.raises(StoreFault):
            told(world)
    assert told(world) == []


def test_a_clock_set_back_brings_a_lock_back_and_ends_it_again(world):
    world.add("ann", RIGHT)
    told(world)
    world.lock_by_guessing("ann")
    told(world)
    world.clock.pass_by(DAY)
    assert what(world) == [("ann", "unlocked")]
    world.clock.pass_by(-DAY)
    assert what(world) == [("ann", "locked")]
    world.clock.pass_by(DAY)
    assert what(world) == [("ann", "unlocked")]


def test_a_look_reads_no_table_whole(world):
    """100,000 idle accounts cost a few looks into indexes."""
    bound = listing.bound(world.passwords, world.clock.now()) | {"low": 0, "high": 1, "age": 1}
    for statement in (telling.DUE, telling.NEXT):
        plan = world.book.read(
            lambda c, s=statement: c.execute(f"EXPLAIN QUERY PLAN {s}", bound).fetchall()
        )
        scans = [row[3] for row in plan if row[3].startswith("SCAN") and "CONSTANT" not in row[3]]
        assert all("INDEX password_outdated" in one or "(sub" in one for one in scans), scans


ACTS = (*(v for v in Verb if v != Verb.RESEND_ACTIVATION), "guess", "right", "start", "end",
        "rules", "reopen", "remove", "import")  # fmt: skip
SPANS = (timedelta(0), timedelta(seconds=1), timedelta(seconds=1800), DAY, 40 * DAY)


def do(world, act, name, draw):
    """Do one thing to an account, if it is there."""
    facts = world.facts(name)
    if act == "rules":
        by = world.clock.now() + draw.choice((-DAY, DAY, 20 * DAY))
        world.rules(max_age_s=draw.choice((None, 86400, 30 * 86400)),
                    update_by=draw.choice((None, by)))  # fmt: skip
    elif act == "reopen":
        world.reopen()
    elif facts is None:
        if act == "import":
            octets = f"username,password_hash\n{name},{draw.hash}\n".encode()
            world.directory.import_accounts(octets, Format.CSV, lambda _: None)
    elif act == "guess":
        for _ in range(draw.choice((1, 5))):
            if getattr(reserved := world.reserve(name), "reservation", None) is not None:
                world.settle(name, reserved, Outcome.WRONG)
    elif act == "right":
        if getattr(reserved := world.reserve(name), "reservation", None) is not None:
            world.settle(name, reserved, Outcome.PROVEN)
    elif act in {"start", "end"}:
        at = world.clock.now() + draw.choice((timedelta(seconds=1), DAY))
        dates = {"starts_at": facts.starts_at, "ends_at": facts.ends_at} | {f"{act}s_at": at}
        world.directory.schedule(facts.account_id, **dates)
    elif act == "remove":
        world.directory.remove(facts.account_id)
    elif isinstance(act, Verb):
        world.act(name, act, draw.choice((RIGHT, NEXT)) if act.sets_password else None)


class Model:
    """What an observer who never sleeps would have written down."""

    def __init__(self, world):
        self.world, self.seen, self.events = world, {}, []

    def pass_by(self, span):
        """Let time pass, and look at every moment that anybody's facts name."""
        clock = self.world.clock
        end = clock.now() + span
        named = {
            at
            for one in self.world.directory.accounts_with()
            for at in (*(lock.until for lock in one.locks), *(due.at for due in one.due),
                       one.starts_at, one.ends_at)
            if at is not None and clock.now() < at < end
        }  # fmt: skip
        for at in (*sorted(named), end):
            clock.pass_by(at - clock.now())
            self.look()

    def look(self):
        """Compare with the last look: nothing but one act or one span lies between."""
        now: datetime = self.world.clock.now()
        current = {one.account_id: one for one in self.world.directory.accounts_with()}
        for account_id, (before, then) in list(self.seen.items()):
            after = current.get(account_id)
            if after is None:
                self.events.append((before.name, "removed"))
                del self.seen[account_id]
            else:
                found = Moved(before, then, after, now).transitions
                self.events += [(after.name, one.value) for one in found]
        self.seen.update({key: (facts, now) for key, facts in current.items()})


@settings(deadline=None, max_examples=120)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(ACTS), st.sampled_from(("ann", "bob")), st.sampled_from(SPANS),
            st.booleans(),
        ),
        max_size=12,
    ),
    seed=st.integers(0, 2**16),
)  # fmt: skip
@example(  # rules that nobody fell due by, forgotten by the next process
    steps=[
        ("rules", "ann", timedelta(days=40), False),
        ("rules", "ann", timedelta(0), False),
        ("rules", "ann", timedelta(0), False),
        ("reopen", "ann", timedelta(days=1), False),
    ],
    seed=975,
)
def test_what_is_told_is_what_happened(new_world, steps, seed):
    """Over random acts and times: none lost, none twice, whenever somebody looks."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        world = new_world(Path(folder) / "accounts.db")
        draw.hash = world.hasher.hash(RIGHT, "tests")
        world.add("ann", RIGHT)
        told(world)
        model, heard = Model(world), []
        model.look()
        for act, name, span, looks in steps:
            model.pass_by(timedelta(milliseconds=1))  # no two things happen at one moment
            do(world, act, name, draw)
            model.look()
            if looks or act == "rules":  # a reload wakes the watch
                heard += what(world)
            model.pass_by(span)
        heard += what(world)
        world.close()
    for name in ("ann", "bob"):
        wanted = sorted(one for one in model.events if one[0] == name)
        assert sorted(one for one in heard if one[0] == name) == wanted, steps
