"""Attempts: the threshold holds whatever comes at once, and through crashes and full disks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.attempts import AtLimit, Granted, LockedNow, Outcome
from loginward.core.evidence import Wrong
from loginward.core.facts import LockoutPolicy
from loginward.core.status import PasswordStatus, UserState
from loginward.directory.embedded import rows
from loginward.directory.port import Done, Verb
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.sqlite.faults import NotWritable
from tests.doubles.flapping import FlappingCommits
from tests.doubles.switching import switching_often

RIGHT = b"right-horse-battery"


def test_i6_a_hundred_guesses_at_once_test_no_more_than_the_threshold(world):
    world.add("ann", RIGHT)
    tested = []

    def guess(number):
        while True:
            reserved = world.reserve("ann", f"sshd 203.0.113.{number}")
            if isinstance(reserved, LockedNow):
                return "locked"
            if isinstance(reserved, Granted):
                checked = world.check("ann", b"wrong-guess-number-%d" % number)
                tested.append(number)
                assert isinstance(checked, Wrong)
                world.settle("ann", reserved, Outcome.WRONG)
                return "wrong"

    results = world.in_parallel(guess, range(100))
    assert len(tested) == 5
    assert sorted(results) == ["locked"] * 95 + ["wrong"] * 5
    assert world.status("ann").lock.failures == 5


def test_right_passwords_at_once_never_lock(world):
    world.add("ann", RIGHT)

    def login(_):
        while True:
            reserved = world.reserve("ann")
            assert not isinstance(reserved, LockedNow)
            if isinstance(reserved, Granted):
                world.settle("ann", reserved, Outcome.ALLOWED)
                return

    world.in_parallel(login, range(40))
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}
    assert world.facts("ann").failures == ()


def test_as_many_may_be_in_flight_as_are_left(world):
    world.add("ann", RIGHT)
    world.guess("ann", times=3)
    held = [world.reserve("ann"), world.reserve("ann")]
    assert all(isinstance(reserved, Granted) for reserved in held)
    assert world.reserve("ann") == AtLimit(in_flight=2)
    world.settle("ann", held[0], Outcome.NO_VERDICT)
    assert isinstance(world.reserve("ann"), Granted)


def test_i7_guesses_at_a_locked_account_neither_count_nor_prolong(world):
    world.add("ann", RIGHT)
    lock = world.lock_by_guessing("ann")
    world.clock.pass_by(timedelta(seconds=100))
    before = world.hashes_computed()
    for _ in range(20):
        assert world.reserve("ann") == LockedNow(lock)
    assert world.status("ann").lock == lock
    assert world.hashes_computed() == before


def test_i7_a_lock_ends_by_itself_at_its_end(world):
    world.add("ann", RIGHT)
    lock = world.lock_by_guessing("ann")
    world.clock.pass_by(lock.until - world.clock.now() - timedelta(seconds=1))
    assert isinstance(world.reserve("ann"), LockedNow)
    world.clock.pass_by(timedelta(seconds=1))
    assert isinstance(world.reserve("ann"), Granted)


def test_i8_a_failure_from_before_an_unlock_trips_nothing_after_it(world):
    world.add("ann", RIGHT)
    world.guess("ann", times=4)
    late = world.reserve("ann")
    assert world.act("ann", Verb.UNLOCK).was_noop is False
    assert world.settle("ann", late, Outcome.WRONG) is None
    assert world.facts("ann").failures == ()


def test_settling_twice_is_settling_once(world):
    world.add("ann", RIGHT)
    reserved = world.reserve("ann")
    world.settle("ann", reserved, Outcome.WRONG)
    world.settle("ann", reserved, Outcome.WRONG)
    assert len(world.facts("ann").failures) == 1


def test_what_was_counted_survives_the_process(world):
    world.add("ann", RIGHT)
    world.guess("ann", times=4)
    world.reserve("ann")  # in flight when the process ends
    world.reopen()
    assert len(world.facts("ann").failures) == 4
    assert world.reserve("ann") == AtLimit(in_flight=1)  # it still counts, for one window
    world.clock.pass_by(timedelta(seconds=900))
    assert isinstance(world.reserve("ann"), Granted)  # and only a settled failure locks
    assert world.status("ann").lock is None


def test_a_source_is_kept_on_one_short_line(world):
    world.add("ann", RIGHT)
    reserved = world.reserve("ann", "evil\n\u2028\x1b[2J" + "x" * 1000)
    world.settle("ann", reserved, Outcome.WRONG)
    said = next(e.said for e in world.facts("ann").evidence if e.fact.value == "failures")
    assert said.startswith("1 from evil???[2J")
    assert len(said) < 300


def test_a_removed_account_has_no_attempts(world):
    ann = world.add("ann", RIGHT)
    facts = world.facts("ann")
    reserved = world.reserve("ann")
    world.directory.remove(ann)
    with pytest.raises(DirectoryUnavailable):
        world.directory.reserve(facts, "x", world.lockout)
    with pytest.raises(DirectoryUnavailable):
        world.directory.settle(facts, reserved.reservation, Outcome.WRONG)


class BrokenCommits:
    """Stands before the real commits; while broken, nothing can be written."""

    def __init__(self, commits, *, after_running):
        self.commits = commits
        self.after_running = after_running
        self.broken = True

    def run(self, function):
        if not self.broken:
            return self.commits.run(function)
        if self.after_running:  # the function ran, and then the commit failed

            def run_in_vain(connection):
                function(connection)
                raise NotWritable("the disk is full", "free some space")

            return self.commits.run(run_in_vain)
        raise NotWritable("the disk is full", "free some space")


@pytest.mark.parametrize("after_running", [True, False])
def test_while_nothing_can_be_written_counting_goes_on_in_memory(world, after_running):
    world.add("ann", RIGHT)
    world.guess("ann", times=2)
    counter = world.book.counter
    counter._commits = broken = BrokenCommits(counter._commits, after_running=after_running)
    world.guess("ann", times=2)
    assert len(world.facts("ann").failures) == 4
    assert not world.directory.health()[0].usable
    lock = world.guess("ann")
    assert world.status("ann").lock == lock
    assert world.reserve("ann") == LockedNow(lock)
    assert [facts.name for facts in world.directory.accounts_with(PasswordStatus.LOCKED)] == ["ann"]

    broken.broken = False
    assert world.reserve("ann") == LockedNow(lock)  # written with the first chance
    assert world.directory.health()[0].usable
    world.reopen()
    assert world.status("ann").lock == lock


def test_an_act_that_cannot_be_written_is_an_outage_and_changes_nothing(world):
    world.add("ann", RIGHT)
    book, real = world.book, world.book._commits
    book._commits = BrokenCommits(real, after_running=True)
    with pytest.raises(DirectoryUnavailable, match="the disk is full; free some space"):
        world.act("ann", Verb.SUSPEND)
    book._commits = real
    assert world.status("ann").state is UserState.ACTIVE


def test_what_cannot_be_written_yet_stays_in_memory(world):
    world.add("ann", RIGHT)
    world.add("bob", RIGHT)
    counter = world.book.counter
    real = counter._commits
    counter._commits = BrokenCommits(real, after_running=False)
    world.guess("ann", times=4)

    class OneMore:
        """Takes one write, then no more."""

        def __init__(self):
            self.taken = 0

        def run(self, function):
            self.taken += 1
            if self.taken > 1:
                raise NotWritable("the disk is full", "free some space")
            return real.run(function)

    counter._commits = OneMore()
    world.reserve("bob")
    assert not world.directory.health()[0].usable
    assert len(world.facts("ann").failures) == 4
    counter._commits = real
    world.reserve("bob")
    assert not counter.has_unsaved
    world.reopen()
    assert len(world.facts("ann").failures) == 4


def test_what_was_counted_of_a_removed_account_goes_with_it(world):
    ann = world.add("ann", RIGHT)
    world.add("bob", RIGHT)
    counter = world.book.counter
    counter._commits, real = BrokenCommits(counter._commits, after_running=False), counter._commits
    world.guess("ann", times=2)
    world.book.write(lambda connection: rows.remove(connection, ann))
    counter._commits = real
    world.reserve("bob")
    assert not counter.has_unsaved


def test_an_unlock_clears_what_was_counted_in_memory_too(world):
    world.add("ann", RIGHT)
    counter = world.book.counter
    counter._commits = BrokenCommits(counter._commits, after_running=False)
    world.lock_by_guessing("ann")
    assert world.act("ann", Verb.UNLOCK) == Done()
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}


class Overtaken:
    """Stands before the real commits; what one has run is not yet durable when another comes."""

    def __init__(self, commits, another):
        self.commits = commits
        self.another = another

    def run(self, function):
        def then_another(connection):
            result = function(connection)
            another, self.another = self.another, lambda: None
            another()
            return result

        return self.commits.run(then_another)


@pytest.mark.parametrize("waited", [0, 1])
def test_i6_an_attempt_kept_in_memory_while_another_is_written_counts_like_it(world, waited):
    """The disk gets room between the failed write of one and the moment it is kept in memory."""
    world.add("ann", RIGHT)
    counter, kept = world.book.counter, []
    real, full = counter._commits, BrokenCommits(counter._commits, after_running=False)
    counter._commits = full
    world.guess("ann", times=waited)

    def another():
        counter._commits = full
        kept.append(world.reserve("ann"))
        counter._commits = real

    counter._commits = Overtaken(real, another)
    kept.append(world.reserve("ann"))
    for reserved in kept:
        world.settle("ann", reserved, Outcome.WRONG)

    assert len(world.facts("ann").failures) == 2 + waited
    assert not counter.has_unsaved
    world.reopen()
    assert len(world.facts("ann").failures) == 2 + waited


def test_i6_an_attempt_kept_in_memory_while_an_act_is_written_counts(world):
    world.add("ann", RIGHT)
    world.add("bob", RIGHT)
    book, counter = world.book, world.book.counter
    real, full = counter._commits, BrokenCommits(counter._commits, after_running=False)

    def another():
        counter._commits = full
        world.guess("ann")
        counter._commits = real

    book._commits = Overtaken(real, another)
    assert world.act("ann", Verb.SUSPEND) == Done()
    book._commits = real
    assert len(world.facts("ann").failures) == 1
    world.guess("bob")
    world.reopen()
    assert world.status("ann").state is UserState.SUSPENDED
    assert len(world.facts("ann").failures) == 1


def test_i6_an_attempt_whose_commit_comes_after_all_counts_once(world):
    """A disk that hangs: the login goes on from memory, and the disk answers later."""
    world.add("ann", RIGHT)
    counter, late = world.book.counter, []
    real = counter._commits

    class Hangs:
        def run(self, function):
            late.append(function)
            raise NotWritable("the disk does not answer", "look at the disk")

    counter._commits = Hangs()
    reserved = world.reserve("ann")
    counter._commits = real
    with pytest.raises(StoreFault):
        real.run(late[0])
    world.settle("ann", reserved, Outcome.WRONG)
    assert len(world.facts("ann").failures) == 1


@pytest.mark.parametrize("seed", range(3))
def test_i6_many_threads_on_a_disk_that_comes_and_goes_lose_no_guess_and_double_none(world, seed):
    names = ("ann", "bob")
    facts = {}
    for name in names:
        world.add(name, RIGHT)
        facts[name] = world.facts(name)
    counter, real = world.book.counter, world.book._commits
    granted = {name: [] for name in names}
    loose = LockoutPolicy(10**6, 10**6, 10**6)

    def guesses(number):
        name = names[number % 2]
        got = world.directory.reserve(facts[name], "sshd", loose)
        granted[name].append(got.reservation)

    real._patience_s = 0.002
    counter._commits = FlappingCommits(real, seed)
    with switching_often():
        world.in_parallel(guesses, range(200))
    real._patience_s = 10
    counter._commits = real
    world.add("carol", RIGHT)
    world.guess("carol")
    assert not counter.has_unsaved
    for name in names:
        record = world.book.read(lambda connection, name=name: rows.by_name(connection, name))
        assert sorted(one.reservation for one in record.tally.pending) == sorted(granted[name])


def test_i6_the_threshold_holds_in_memory_too(world):
    world.add("ann", RIGHT)
    counter = world.book.counter
    counter._commits = BrokenCommits(counter._commits, after_running=True)
    tested = []

    def guess(number):
        reserved = world.reserve("ann")
        while isinstance(reserved, AtLimit):
            reserved = world.reserve("ann")
        if isinstance(reserved, Granted):
            tested.append(number)
            world.settle("ann", reserved, Outcome.WRONG)

    world.in_parallel(guess, range(40))
    assert len(tested) == 5
    assert world.status("ann").lock.failures == 5
