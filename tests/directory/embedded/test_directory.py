"""The whole life of an embedded account, as an administrator and a person see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.attempts import Granted, LockedNow, Outcome
from loginward.core.changes import Changed, ChangeProblem
from loginward.core.evidence import NoVerdict, Proof, Proven
from loginward.core.facts import status_at
from loginward.core.secret import Secret
from loginward.core.status import ExpiryCause, LockCause, PasswordStatus, StateCause, UserState
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.port import Act, Done, NotDone, Verb
from tests.directory.embedded.values import DAY, FIRST, NEXT, SECOND


def test_r12_aging_is_computed_at_the_moment_it_is_asked(world):
    world.rules(max_age_s=90 * 86400)
    world.add("ann", FIRST)
    world.clock.pass_by(90 * DAY - SECOND)
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}
    world.clock.pass_by(SECOND)  # R02: no sweep has run
    assert world.status("ann").statuses == {PasswordStatus.EXPIRED}
    assert world.status("ann").due.cause is ExpiryCause.AGING
    assert world.check("ann", FIRST) == Proven(
        proof=Proof.EMBEDDED, expired=True, said="embedded hash"
    )


def test_r13_a_deadline_asks_those_who_have_not_changed_since(world):
    world.add("ann", FIRST)
    world.add("bob", FIRST)
    by = world.clock.now() + 30 * DAY
    world.clock.pass_by(DAY)
    world.rules(min_length=14, update_by=by)
    assert world.status("ann").due.at == by  # warned from now on
    assert isinstance(world.change("bob", FIRST, NEXT), Changed)
    world.clock.pass_by(29 * DAY)
    assert world.status("ann").statuses == {PasswordStatus.EXPIRED}
    assert world.status("ann").due.cause is ExpiryCause.POLICY_DEADLINE
    assert world.status("bob").statuses == {PasswordStatus.ACTIVE}
    world.reopen()
    assert world.status("ann").statuses == {PasswordStatus.EXPIRED}
    assert world.status("bob").statuses == {PasswordStatus.ACTIVE}


def test_r13_a_deadline_that_is_moved_spares_who_has_changed(world):
    world.add("ann", FIRST)
    world.add("bob", FIRST)
    by = world.clock.now() + 30 * DAY
    world.rules(update_by=by)
    world.change("bob", FIRST, NEXT)
    world.rules(update_by=by + 30 * DAY)
    assert world.status("ann").due.at == by + 30 * DAY
    assert world.status("bob").due is None


def test_a_password_in_a_new_directory_meets_a_deadline_that_was_always_there(world):
    world.close()
    world.path.unlink()
    world.site(update_by=world.clock.now() - DAY)
    world.reopen()
    world.add("ann", FIRST)
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}


def test_i1_i4_r10_unlocking_leaves_expiry_and_password(world):
    world.add("ann", FIRST)
    world.act("ann", Verb.SET_TEMPORARY, NEXT)
    world.act("ann", Verb.EXPIRE)
    world.lock_by_guessing("ann")
    before = world.facts("ann")
    assert world.status("ann").statuses == {PasswordStatus.LOCKED, PasswordStatus.EXPIRED}  # R07
    assert world.status("ann").headline is PasswordStatus.LOCKED
    assert world.act("ann", Verb.UNLOCK) == Done()
    after = world.facts("ann")
    assert world.status("ann").statuses == {PasswordStatus.EXPIRED}
    assert (after.due, after.changed_at, after.must_change) == (
        before.due,
        before.changed_at,
        before.must_change,
    )
    assert world.check("ann", NEXT).expired


@pytest.mark.parametrize("expired", [True, False])
@pytest.mark.parametrize("locked", ["by-guessing", "by-admin", "no"])
def test_i2_i4_r09_a_reset_clears_lock_expiry_and_failures(world, expired, locked):
    world.add("ann", FIRST)
    if expired:
        world.act("ann", Verb.EXPIRE)
    world.guess("ann", times=5 if locked == "by-guessing" else 3)
    if locked == "by-admin":
        world.act("ann", Verb.LOCK)
    assert world.act("ann", Verb.RESET_PASSWORD, NEXT) == Done()
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}
    assert world.facts("ann").failures == ()
    assert isinstance(world.check("ann", NEXT), Proven)


def test_r14_an_admin_expires_once(world):
    world.add("ann", FIRST)
    assert world.act("ann", Verb.EXPIRE) == Done()
    assert world.status("ann").due.cause is ExpiryCause.BY_ADMIN
    assert world.act("ann", Verb.EXPIRE) == Done(was_noop=True)
    world.directory.add(NewAccount(name="bob"))
    assert world.act("bob", Verb.EXPIRE) == NotDone(
        "It has no password yet; send it an activation first."
    )


def test_q8_an_admins_lock_waits_for_an_admin(world):
    world.add("ann", FIRST)
    assert world.act("ann", Verb.LOCK) == Done()
    assert world.act("ann", Verb.LOCK) == Done(was_noop=True)
    world.clock.pass_by(1000 * DAY)
    lock = world.status("ann").lock
    assert (lock.cause, lock.until) == (LockCause.BY_ADMIN, None)
    reserved = world.directory.reserve(world.facts("ann"), "sshd", world.lockout)
    assert reserved == LockedNow(lock)
    assert world.act("ann", Verb.UNLOCK) == Done()
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}


def test_r44_unlocking_who_is_not_locked_is_a_no_op_that_says_so(world):
    world.add("ann", FIRST)
    assert world.act("ann", Verb.UNLOCK) == Done(was_noop=True)
    world.guess("ann", times=2)
    assert world.act("ann", Verb.UNLOCK) == Done(
        notes=("it was not locked; counted failures forgotten: 2",)
    )
    assert world.facts("ann").failures == ()


def test_r22_the_same_password_works_at_once_after_an_unlock(world):
    world.add("ann", FIRST)
    world.lock_by_guessing("ann")
    world.act("ann", Verb.UNLOCK)
    assert isinstance(world.directory.reserve(world.facts("ann"), "x", world.lockout), Granted)
    assert isinstance(world.check("ann", FIRST), Proven)


def test_i8_an_old_locks_end_does_not_end_a_new_one(world):
    world.add("ann", FIRST)
    first = world.lock_by_guessing("ann")
    world.act("ann", Verb.UNLOCK)
    world.clock.pass_by(timedelta(seconds=1000))
    second = world.lock_by_guessing("ann")
    assert first.id != second.id
    world.clock.pass_by(first.until - world.clock.now())
    assert world.status("ann").lock == second


def test_i3_suspension_stands_beside_every_password_status(world):
    world.add("ann", FIRST)
    assert world.act("ann", Verb.SUSPEND) == Done()
    assert world.act("ann", Verb.SUSPEND) == Done(was_noop=True)
    for verb in (Verb.EXPIRE, Verb.LOCK):
        world.act("ann", verb)
    status = world.status("ann")
    assert (status.state, status.state_cause) == (UserState.SUSPENDED, StateCause.BY_ADMIN)
    assert status.statuses == {PasswordStatus.EXPIRED, PasswordStatus.LOCKED}
    assert world.act("ann", Verb.RESET_PASSWORD, NEXT) == Done()
    assert world.status("ann").state is UserState.SUSPENDED
    assert world.act("ann", Verb.ACTIVATE) == Done()
    assert world.act("ann", Verb.ACTIVATE) == Done(was_noop=True)
    assert world.status("ann").state is UserState.ACTIVE


def test_scheduled_changes_come_by_themselves_to_the_second(world):
    start, end = world.clock.now() + DAY, world.clock.now() + 3 * DAY
    world.directory.add(NewAccount(name="ann", starts_at=start, ends_at=end))
    assert world.status("ann").state is UserState.STAGED
    world.clock.pass_by(DAY - SECOND)
    assert world.status("ann").state_cause is StateCause.NOT_STARTED
    world.clock.pass_by(SECOND)
    assert world.status("ann").state is UserState.ACTIVE
    world.clock.pass_by(2 * DAY)
    status = world.status("ann")
    assert (status.state, status.state_cause, status.state_date) == (
        UserState.SUSPENDED,
        StateCause.ENDED,
        end,
    )
    assert world.act("ann", Verb.ACTIVATE) == Done()
    assert world.status("ann").state is UserState.ACTIVE


def test_activating_early_drops_the_start_and_tells_of_the_end(world):
    end = world.clock.now() + 3 * DAY
    world.directory.add(NewAccount(name="ann", state=UserState.STAGED, ends_at=end))
    done = world.act("ann", Verb.ACTIVATE)
    assert done == Done(notes=(f"it still ends on {end}",))
    assert world.status("ann").state is UserState.ACTIVE


def test_a_suspended_account_can_be_scheduled_to_open_again(world):
    ann = world.add("ann", FIRST)
    world.act("ann", Verb.SUSPEND)
    back = world.clock.now() + DAY
    assert world.directory.schedule(ann, starts_at=back, ends_at=None) == Done()
    assert world.directory.schedule(ann, starts_at=back, ends_at=None) == Done(was_noop=True)
    assert world.status("ann").state is UserState.STAGED
    world.clock.pass_by(DAY)
    assert world.status("ann").state is UserState.ACTIVE
    assert isinstance(world.directory.schedule(ann, starts_at=back, ends_at=back), NotDone)
    assert isinstance(world.directory.schedule("x", starts_at=back, ends_at=None), NotDone)


def test_one_name_has_one_account_in_all_its_spellings(world):
    ann = world.add("Ann.Lee", FIRST)
    for spelling in ("ann.lee", "ANN.LEE", "  Ann.lee ", "\uff21nn.Lee"):
        assert world.facts(spelling).account_id == ann
        assert isinstance(world.directory.add(NewAccount(name=spelling.strip())), NotDone)
    assert world.facts("ann.le") is None


@pytest.mark.parametrize(
    ("new", "why"),
    [
        pytest.param(NewAccount(name="a:b"), "The name is no login name", id="name"),
        pytest.param(NewAccount(name=""), "The name is no login name", id="no-name"),
        pytest.param(NewAccount(name="ann", mail="x"), "The mail address is no mail", id="mail"),
        pytest.param(
            NewAccount(name="ann", recovery="x y@z"), "The recovery address is no", id="recovery"
        ),
        pytest.param(
            NewAccount(name="ann", display_name="A\nB"), "The display name holds", id="line-break"
        ),
        pytest.param(
            NewAccount(name="ann", groups=frozenset({"a\x00"})), "The list of groups", id="group"
        ),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_the_field(world, new, why):
    refused = world.directory.add(new)
    assert isinstance(refused, NotDone)
    assert refused.why.startswith(why)
    assert world.directory.accounts_with() == ()


def test_an_end_before_the_start_is_refused(world):
    now = world.clock.now()
    refused = world.directory.add(NewAccount(name="ann", starts_at=now, ends_at=now))
    assert refused == NotDone("The end is not after the start; correct one of them.")


def test_a_schedule_leaves_an_open_account_open(world):
    ann = world.add("ann", FIRST)
    end = world.clock.now() + DAY
    assert world.directory.schedule(ann, starts_at=None, ends_at=end) == Done()
    assert world.status("ann").state is UserState.ACTIVE
    world.clock.pass_by(DAY)
    assert world.status("ann").state_cause is StateCause.ENDED


def test_removing_takes_everything_along(world):
    ann = world.add("ann", FIRST)
    facts = world.facts("ann")
    assert world.directory.remove(ann) == Done()
    assert isinstance(world.directory.remove(ann), NotDone)
    assert world.facts("ann") is None
    assert world.directory.read(facts, world.deadline()) is None
    assert world.directory.check(facts, Secret(FIRST), world.deadline()) == NoVerdict("password")
    gone = world.directory.act(facts, Act(verb=Verb.UNLOCK), world.deadline())
    assert isinstance(gone, NotDone)
    changed = world.directory.change(facts, Secret(FIRST), Secret(NEXT), world.deadline())
    assert changed.problem is ChangeProblem.NOT_ALLOWED
    again = world.add("ann", NEXT)
    assert again != ann  # a new person under an old name is someone else
    assert isinstance(world.check("ann", NEXT), Proven)


def test_every_fact_has_its_evidence_and_none_a_secret(world):
    world.rules(max_age_s=86400)
    world.add("ann", FIRST, groups=frozenset({"staff", "vpn"}))
    world.act("ann", Verb.SET_TEMPORARY, NEXT)
    world.guess("ann", times=2)
    facts = world.facts("ann")
    said = {evidence.fact.value: evidence.said for evidence in facts.evidence}
    assert said["groups"] == "staff, vpn"
    assert said["must-change"] == "must_change=true"
    assert said["failures"] == "2 from sshd 203.0.113.7"
    assert "aging" in said["expiry"]
    assert "set_by=admin" in said["password"]
    assert said["state"].startswith("state=active")
    assert "argon2" not in repr(facts)
    assert (facts.counts, facts.lockout) == (True, world.lockout)


def test_r16_a_lock_says_when_where_why_and_until(world):
    world.add("ann", FIRST)
    lock = world.lock_by_guessing("ann")
    assert lock.cause is LockCause.THRESHOLD
    assert lock.since == world.clock.now()
    assert lock.until == world.clock.now() + timedelta(seconds=1800)
    assert lock.source == "sshd 203.0.113.7"
    assert lock.failures == 5
    assert status_at(world.facts("ann"), lock.until).lock is None


def test_a_proven_login_forgets_the_failures(world):
    world.add("ann", FIRST)
    world.guess("ann", times=4)
    reserved = world.directory.reserve(world.facts("ann"), "login", world.lockout)
    world.directory.settle(world.facts("ann"), reserved.reservation, Outcome.ALLOWED)
    assert world.facts("ann").failures == ()
