"""Wrong passwords at the door: what counts, what locks, what clears."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Peer, Phase
from tests.runtime.people import NEXT, RIGHT, WRONG, person
from tests.runtime.seat import SEAT, words


def test_five_wrong_passwords_lock_and_the_right_one_does_not_help(host):
    """R15, I5: the fifth counted failure locks; the right password is not even asked about."""
    host.people(person("ann"))
    for n in range(5):
        turn = host.ask("ann", b"guess number %d" % n, **SEAT)
        assert host.event(turn).tripped is None or n == 4
    assert host.event(turn).tripped is not None
    locked = host.ask("ann", RIGHT, **SEAT)
    assert locked.reason is Reason.ACCOUNT_LOCKED
    assert "is locked until" in words(locked)
    assert host.account("ann").status.lock.failures == 5


def test_a_lock_ends_by_itself(host, hands):
    """R16: after its duration the right password is let in, and clears the tally."""
    host.people(person("ann"))
    host.guess("ann", 5)
    hands.pass_by(timedelta(minutes=29, seconds=59))
    assert host.ask("ann", RIGHT).verdict is Verdict.REFUSE
    hands.pass_by(timedelta(seconds=2))
    assert host.ask("ann", RIGHT).reason is Reason.OK
    assert host.failures("ann") == 0


def test_a_proof_clears_what_was_counted(host):
    """R15: four wrong ones, a right one, four wrong ones: no lock."""
    host.people(person("ann"))
    for _ in range(2):
        host.guess("ann", 4)
        assert host.ask("ann", RIGHT).reason is Reason.OK


def test_the_same_wrong_password_counts_once(host):
    """A phone with an old password locks nobody out; the event says that it was known."""
    host.people(person("ann"))
    for n in range(20):
        turn = host.ask("ann", WRONG)
        assert turn.reason is Reason.WRONG_CREDENTIALS
        if n == 1:
            assert host.event(turn).checked == "wrong (known)"
    assert host.failures("ann") == 1
    assert host.ask("ann", RIGHT).reason is Reason.OK


def test_a_hundred_guesses_at_once_are_no_more_than_five(host):
    """I6: parallel guesses of different passwords check at most the threshold."""
    host.people(person("ann"))
    guesses = [b"guess number %d" % n for n in range(100)]
    with ThreadPoolExecutor(16) as pool:
        turns = list(pool.map(lambda guess: host.ask("ann", guess, **SEAT), guesses))
    reasons = [turn.reason for turn in turns]
    assert reasons.count(Reason.WRONG_CREDENTIALS) == 5
    assert reasons.count(Reason.ACCOUNT_LOCKED) == 95
    assert host.account("ann").status.lock.failures == 5


def test_eight_right_logins_at_once_never_lock(host):
    """Whoever comes at once waits for who is before; nobody is counted."""
    host.people(person("ann"))
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            turns = list(pool.map(lambda _: host.ask("ann", RIGHT), range(8)))
        assert {turn.reason for turn in turns} == {Reason.OK}
    assert host.failures("ann") == 0


def test_right_and_wrong_at_once_let_the_right_ones_in_or_lock(host):
    """A right password in a crowd of four wrong ones is never counted."""
    host.people(person("ann"))
    typed = [RIGHT, b"guess 1", RIGHT, b"guess 2", RIGHT, b"guess 3", RIGHT, b"guess 4"]
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda secret: host.ask("ann", secret), typed))
    for secret, turn in zip(typed, turns, strict=True):
        assert (turn.reason is Reason.OK) == (secret == RIGHT)


def test_wrong_current_passwords_of_a_change_count(host):
    """A change is no way around the tally."""
    host.people(person("ann"))
    for n in range(5):
        turn = host.ask("ann", b"guess %d" % n, NEXT, NEXT, phase=Phase.CHAUTHTOK_UPDATE)
        assert turn.verdict is Verdict.REFUSE
    assert host.ask("ann", RIGHT, **SEAT).reason is Reason.ACCOUNT_LOCKED


@pytest.mark.parametrize("phase", [Phase.CHAUTHTOK_PRELIM, Phase.CHAUTHTOK_UPDATE])
def test_changes_count_towards_the_checks_a_minute(hosts, hands, phase):
    """Who may ask at `passwd` at will would have the directory asked at will."""
    host = hosts("policy: {throttle: {per_source_per_min: 3}}\n")
    host.people(person("nobody"))
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "passwd"}
    for _ in range(3):
        assert host.ask("nobody", WRONG, phase=phase, **own).reason is Reason.WRONG_CREDENTIALS
    for more in ({"phase": phase}, {"phase": Phase.AUTHN}):
        assert host.ask("nobody", RIGHT, **own | more).reason is Reason.SOURCE_THROTTLED
    hands.pass_by(timedelta(minutes=1, seconds=1))
    changed = host.ask("nobody", RIGHT, NEXT, NEXT, phase=Phase.CHAUTHTOK_UPDATE, **own)
    assert changed.reason is Reason.OK


def test_an_account_phase_is_no_check(hosts):
    host = hosts("policy: {throttle: {per_source_per_min: 1}}\n")
    host.people(person("nobody"))
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "sudo"}
    for _ in range(3):
        assert host.acct("nobody", **own).reason is Reason.OK
    assert host.ask("nobody", RIGHT, **own).reason is Reason.OK


def test_guesses_at_a_lock_screen_never_lock_the_account(host):
    """security.md 2: a tally of their own, which closes that path alone."""
    host.people(person("nobody"))
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "screensaver"}
    host.guess("nobody", 5, **own)
    assert host.ask("nobody", RIGHT, **own).verdict is Verdict.REFUSE
    assert host.failures("nobody") == 0
    assert host.ask("nobody", RIGHT).reason is Reason.OK


def test_a_full_tally_of_a_lock_screen_closes_to_the_last_proven_password_too(host):
    """security.md 2: right password included, whatever was proven elsewhere meanwhile."""
    host.people(person("nobody"))
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "screensaver"}
    host.guess("nobody", 5, **own)
    assert host.ask("nobody", RIGHT).reason is Reason.OK
    assert host.ask("nobody", RIGHT, **own).verdict is Verdict.REFUSE


@pytest.mark.parametrize("typed", [b"", b"with\0nul", b"x" * 1025])
def test_what_cannot_be_a_password_is_neither_checked_nor_counted(host, typed):
    """security.md 25."""
    host.people(person("ann"))
    assert host.ask("ann", typed).reason is Reason.MALFORMED
    assert host.failures("ann") == 0


def test_a_source_that_tries_many_names_is_stopped(host):
    """security.md 5: ten accounts failing from one address; the eleventh is not checked."""
    host.people(*(person(f"user{n}") for n in range(12)))
    there = {"rhost": "203.0.113.7"}
    for n in range(10):
        assert host.ask(f"user{n}", WRONG, **there).reason is Reason.WRONG_CREDENTIALS
    assert host.ask("user10", RIGHT, **there).reason is Reason.SOURCE_THROTTLED
    assert host.failures("user10") == 0
    assert host.ask("user10", RIGHT, rhost="203.0.113.8").reason is Reason.OK
