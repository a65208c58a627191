"""How a password comes into the embedded directory, and how its owner changes it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import NoVerdict, Proof, Proven, Wrong
from loginward.core.status import PasswordStatus
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.port import Done, NotDone, Verb
from tests.directory.embedded.values import DAY, FIRST, NEXT, SECOND, THIRD


def test_r03_r05_pending_until_a_password_is_set_by_token(world):
    added = world.directory.add(NewAccount(name="ann"))
    assert not isinstance(added, NotDone)
    token = added[1].token
    assert world.status("ann").statuses == {PasswordStatus.PENDING}
    assert world.check("ann", FIRST) == NoVerdict("password")  # nothing was computed
    assert world.activate("ann", token.reveal(), FIRST) == Changed(world.clock.now())
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}
    assert world.check("ann", FIRST) == Proven(proof=Proof.EMBEDDED, said="embedded hash")
    assert world.check("ann", NEXT) == Wrong(said="embedded hash")


def test_i14_a_token_opens_once_and_only_its_own_account(world):
    token = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    world.directory.add(NewAccount(name="bob"))
    refused = NotChanged(ChangeProblem.NO_ACTIVATION)
    assert world.activate("bob", token, FIRST) == refused
    assert world.activate("nobody", token, FIRST) == refused
    assert world.activate("ann", token[:-1], FIRST) == refused
    assert isinstance(world.activate("ann", token, FIRST), Changed)
    assert world.activate("ann", token, NEXT) == refused


def test_i14_the_file_holds_no_token_and_no_password(world):
    token = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    world.add("bob", FIRST)
    world.close()
    for kept in world.path.parent.iterdir():
        assert token not in kept.read_bytes()
        assert FIRST not in kept.read_bytes()


def test_r42_resending_kills_the_old_token_and_time_kills_any(world):
    old = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    new = world.act("ann", Verb.RESEND_ACTIVATION).token.reveal()
    assert isinstance(world.activate("ann", old, FIRST), NotChanged)
    world.clock.pass_by(7 * DAY)
    assert isinstance(world.activate("ann", new, FIRST), NotChanged)
    newest = world.act("ann", Verb.RESEND_ACTIVATION).token.reveal()
    world.clock.pass_by(7 * DAY - SECOND)
    assert isinstance(world.activate("ann", newest, FIRST), Changed)


def test_i14_two_uses_of_a_token_at_once_set_one_password(world):
    token = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    wanted = [b"parallel-choice-number-%d-x" % n for n in range(6)]
    results = world.in_parallel(lambda password: world.activate("ann", token, password), wanted)
    winners = [p for p, r in zip(wanted, results, strict=True) if isinstance(r, Changed)]
    assert len(winners) == 1
    assert isinstance(world.check("ann", winners[0]), Proven)


def test_r43_whoever_has_a_password_is_skipped_with_the_reason(world):
    world.add("ann", FIRST)
    assert world.act("ann", Verb.RESEND_ACTIVATION) == NotDone(
        "It has a password already, so there is nothing to activate."
    )


def test_r04_an_admin_sets_the_first_password_and_the_token_dies(world):
    token = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    assert world.act("ann", Verb.SET_FIRST_PASSWORD, FIRST) == Done()
    assert world.status("ann").statuses == {PasswordStatus.ACTIVE}
    assert isinstance(world.activate("ann", token, NEXT), NotChanged)
    assert isinstance(world.act("ann", Verb.SET_FIRST_PASSWORD, NEXT), NotDone)
    assert isinstance(world.check("ann", FIRST), Proven)


@pytest.mark.parametrize("verb", [Verb.RESET_PASSWORD, Verb.SET_TEMPORARY])
def test_an_admins_password_obeys_the_rules(world, verb):
    world.add("ann", FIRST)
    assert world.act("ann", verb, b"short") == NotDone(
        "The password is too-short by policy.password; choose another."
    )
    assert world.act("ann", verb, None) == NotDone("This needs a password; give one.")
    assert isinstance(world.check("ann", FIRST), Proven)


def test_r40_a_temporary_password_is_active_and_must_change(world):
    world.add("ann", FIRST)
    assert world.act("ann", Verb.SET_TEMPORARY, NEXT) == Done()
    status = world.status("ann")
    assert status.statuses == {PasswordStatus.ACTIVE}  # Q16: set, not pending
    assert status.must_change
    assert world.check("ann", NEXT) == Proven(
        proof=Proof.EMBEDDED, must_change=True, said="embedded hash"
    )
    assert isinstance(world.change("ann", NEXT, THIRD), Changed)
    assert not world.status("ann").must_change


def test_r18_r19_a_change_needs_the_old_one_and_ends_it(world):
    world.add("ann", FIRST)
    assert world.change("ann", NEXT, THIRD) == NotChanged(ChangeProblem.WRONG_OLD)
    world.clock.pass_by(DAY)
    assert world.change("ann", FIRST, NEXT) == Changed(world.clock.now())
    assert isinstance(world.check("ann", FIRST), Wrong)
    assert isinstance(world.check("ann", NEXT), Proven)
    assert world.facts("ann").changed_at == world.clock.now()


def test_r19_the_minimum_age_holds_to_the_second_but_never_holds_up_a_demand(world):
    world.rules(min_age_s=86400)
    world.add("ann", FIRST)
    world.clock.pass_by(DAY - SECOND)
    assert world.change("ann", FIRST, NEXT) == NotChanged(ChangeProblem.TOO_YOUNG)
    world.clock.pass_by(SECOND)
    assert isinstance(world.change("ann", FIRST, NEXT), Changed)
    world.act("ann", Verb.SET_TEMPORARY, THIRD)
    assert isinstance(world.change("ann", THIRD, FIRST + b"-now"), Changed)
    world.act("ann", Verb.EXPIRE)
    assert isinstance(world.change("ann", FIRST + b"-now", FIRST + b"-then"), Changed)


def test_the_history_remembers_as_many_as_it_is_told_and_the_present_one(world):
    world.rules(history=2)
    chosen = [b"chosen-password-number-%d-end" % n for n in range(5)]
    world.add("ann", chosen[0])
    for old, new in pairwise(chosen[:4]):
        assert isinstance(world.change("ann", old, new), Changed)
    # in force: 3; remembered: 2 and 1; forgotten: 0
    assert world.change("ann", chosen[3], chosen[3]) == NotChanged(ChangeProblem.SAME)
    assert world.change("ann", chosen[3], chosen[2]) == NotChanged(ChangeProblem.IN_HISTORY)
    assert world.change("ann", chosen[3], chosen[1]) == NotChanged(ChangeProblem.IN_HISTORY)
    assert isinstance(world.change("ann", chosen[3], chosen[0]), Changed)


def test_no_history_still_refuses_the_present_password(world):
    world.rules(history=0)
    world.add("ann", FIRST)
    assert world.change("ann", FIRST, FIRST) == NotChanged(ChangeProblem.SAME)
    assert isinstance(world.change("ann", FIRST, NEXT), Changed)
    assert isinstance(world.change("ann", NEXT, FIRST), Changed)


def test_complexity_is_asked_of_a_new_password(world):
    world.add("ann", FIRST)
    assert world.change("ann", FIRST, b"short") == NotChanged(ChangeProblem.TOO_SHORT)
    assert world.change("ann", FIRST, b"i-am-ANN-and-tall") == NotChanged(ChangeProblem.TOO_WEAK)


@pytest.mark.parametrize("verb", [Verb.LOCK, Verb.SUSPEND])
def test_i3_i7_who_is_closed_out_cannot_change_and_nothing_is_computed(world, verb):
    world.add("ann", FIRST)
    world.act("ann", verb)
    before = world.hashes_computed()
    assert world.change("ann", FIRST, NEXT).problem is ChangeProblem.NOT_ALLOWED
    assert world.hashes_computed() == before


@pytest.mark.parametrize(
    ("verb", "problem"),
    [
        (Verb.LOCK, ChangeProblem.NOT_ALLOWED),
        (Verb.SUSPEND, ChangeProblem.NO_ACTIVATION),  # which ends with the state
    ],
)
def test_i3_no_activation_while_closed_out(world, verb, problem):
    token = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    world.act("ann", verb)
    before = world.hashes_computed()
    assert world.activate("ann", token, FIRST).problem is problem
    assert world.hashes_computed() == before


def test_a_suspension_ends_an_open_activation(world):
    token = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    world.act("ann", Verb.SUSPEND)
    assert isinstance(world.act("ann", Verb.RESEND_ACTIVATION), NotDone)
    world.act("ann", Verb.ACTIVATE)
    assert isinstance(world.activate("ann", token, FIRST), NotChanged)


def test_a_change_of_password_meanwhile_wins_over_a_slow_one(world):
    world.add("ann", FIRST)
    world.during_next_hash(lambda: world.act("ann", Verb.RESET_PASSWORD, THIRD))
    assert world.change("ann", FIRST, NEXT) == NotChanged(
        ChangeProblem.WRONG_OLD, "it was changed meanwhile"
    )
    assert isinstance(world.check("ann", THIRD), Proven)


def test_a_lock_meanwhile_stops_a_change(world):
    world.add("ann", FIRST)
    world.during_next_hash(lambda: world.lock_by_guessing("ann"))
    assert world.change("ann", FIRST, NEXT).problem is ChangeProblem.NOT_ALLOWED
    world.act("ann", Verb.UNLOCK)
    assert isinstance(world.check("ann", FIRST), Proven)


def test_a_suspension_meanwhile_stops_an_activation(world):
    token = world.directory.add(NewAccount(name="ann"))[1].token.reveal()
    world.during_next_hash(lambda: world.act("ann", Verb.LOCK))
    assert world.activate("ann", token, FIRST).problem is ChangeProblem.NOT_ALLOWED
    world.act("ann", Verb.UNLOCK)
    assert world.activate("ann", token, b"short") == NotChanged(ChangeProblem.TOO_SHORT)
    assert isinstance(world.activate("ann", token, FIRST), Changed)


def test_who_has_no_password_has_none_to_change(world):
    world.directory.add(NewAccount(name="ann"))
    assert world.change("ann", FIRST, NEXT) == NotChanged(
        ChangeProblem.NOT_ALLOWED, "no password is set"
    )
