"""Passwords remembered as tags: a repeat counts once (I19), and nothing outlives its entry."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.facts import AccountFacts
from loginward.core.secret import Secret
from loginward.crypto.tags import Tagger
from loginward.runtime import passwords_seen
from loginward.runtime.passwords_seen import LastProven, Repeats
from tests.doubles.moving import NOW, MovingClock

OLD, NEW = Secret(b"old password"), Secret(b"new password")


def account(**changes):
    given_ = {
        "account_id": "id-1", "name": "ann", "read_at": NOW,
        "changed_at": NOW - timedelta(days=1), **changes,
    }  # fmt: skip
    return AccountFacts(**given_)


ANN = account()


@pytest.fixture
def clock():
    return MovingClock()


@pytest.fixture
def repeats(clock):
    return Repeats(Tagger(), clock)


def test_a_phone_with_an_old_password_is_known_wrong(repeats):
    """I19."""
    assert not repeats.is_known_wrong(ANN, OLD)
    repeats.remember(ANN, OLD)
    assert repeats.is_known_wrong(ANN, OLD)
    assert not repeats.is_known_wrong(ANN, NEW)
    assert not repeats.is_known_wrong(account(account_id="id-2"), OLD)


def test_a_moved_change_time_makes_every_password_new(repeats):
    repeats.remember(ANN, OLD)
    assert not repeats.is_known_wrong(account(changed_at=NOW - timedelta(hours=1)), OLD)
    assert not repeats.is_known_wrong(account(changed_at=None), OLD)


@pytest.mark.parametrize(
    "unreliable",
    [
        pytest.param(account(changed_at=None), id="unreadable"),
        pytest.param(account(changed_at=datetime(1970, 1, 1, tzinfo=UTC)), id="zero"),
        pytest.param(account(changed_at=NOW - timedelta(seconds=1.9)), id="still-moving"),
        pytest.param(account(changed_at=NOW + timedelta(seconds=9)), id="ahead"),
        pytest.param(account(pass_through=True), id="checked-elsewhere"),
    ],
)
def test_where_the_change_time_says_nothing_the_bind_is_sent(repeats, unreliable):
    """security.md 23; pass-through entries are exempt."""
    repeats.remember(unreliable, OLD)
    assert not repeats.is_known_wrong(unreliable, OLD)
    assert not repeats.is_known_wrong(replace(unreliable, read_at=NOW + timedelta(hours=1)), OLD)


def test_two_seconds_by_the_reading_are_enough(repeats):
    settled = account(changed_at=NOW - timedelta(seconds=2))
    repeats.remember(settled, OLD)
    assert repeats.is_known_wrong(settled, OLD)


def test_a_day_without_the_repeat_forgets_it_and_each_repeat_renews(repeats, clock):
    repeats.remember(ANN, OLD)
    clock.pass_s(20 * 3600)
    assert repeats.is_known_wrong(ANN, OLD)
    clock.pass_s(20 * 3600)
    assert repeats.is_known_wrong(ANN, OLD)
    clock.pass_s(24 * 3600 + 1)
    assert not repeats.is_known_wrong(ANN, OLD)


def test_an_unlock_or_reset_clears(repeats):
    repeats.remember(ANN, OLD)
    repeats.forget(ANN.account_id)
    repeats.forget("nobody")
    assert not repeats.is_known_wrong(ANN, OLD)


def test_eight_tags_an_account_and_the_one_in_use_stays(repeats):
    repeats.remember(ANN, OLD)
    for number in range(20):
        repeats.remember(ANN, Secret(b"guess %d" % number))
        assert repeats.is_known_wrong(ANN, OLD)
    known = sum(repeats.is_known_wrong(ANN, Secret(b"guess %d" % n)) for n in range(20))
    assert known == 7


def test_accounts_are_bounded(clock, monkeypatch):
    monkeypatch.setattr(passwords_seen, "ACCOUNTS", 10)
    repeats, proven = Repeats(Tagger(), clock), LastProven(Tagger())
    for number in range(50):
        one = account(account_id=str(number))
        repeats.remember(one, OLD)
        proven.remember(one, OLD)
    assert sum(repeats.is_known_wrong(account(account_id=str(n)), OLD) for n in range(50)) == 10
    assert sum(proven.matches(account(account_id=str(n)), OLD) for n in range(50)) == 10


def test_only_short_tags_of_wrong_passwords_and_no_octet_of_any(repeats):
    """security.md 7: 64 bits for the wrong ones; nothing that shows a password."""
    repeats.remember(ANN, OLD)
    (wrong,) = repeats._wrong.values()
    (tag,) = wrong.seen
    assert len(tag) == 8
    assert OLD.reveal() not in repr(vars(repeats)).encode()


def test_another_process_makes_other_tags(clock):
    one, other = Repeats(Tagger(), clock), Repeats(Tagger(), clock)
    one.remember(ANN, OLD)
    other.remember(ANN, OLD)
    assert set(one._wrong["id-1"].seen) != set(other._wrong["id-1"].seen)


def test_the_last_proven_password_matches_whole_and_at_its_change_time():
    proven = LastProven(Tagger())
    assert not proven.matches(ANN, OLD)
    proven.remember(ANN, OLD)
    assert proven.matches(ANN, OLD)
    assert not proven.matches(ANN, NEW)
    assert not proven.matches(account(changed_at=NOW - timedelta(hours=1)), OLD)
    assert not proven.matches(account(account_id="id-2"), OLD)
    assert len(proven._proven["id-1"].tag) == 32
    proven.remember(ANN, NEW)
    assert not proven.matches(ANN, OLD)
    proven.forget(ANN.account_id)
    proven.forget(ANN.account_id)
    assert not proven.matches(ANN, NEW)


_MOMENTS = st.sampled_from([None, NOW - timedelta(days=2), NOW - timedelta(days=1), NOW])
_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["wrong", "proven", "forget"]),
        st.sampled_from(["a", "b"]),
        _MOMENTS,
        st.sampled_from([b"p1", b"p2", b"p3"]),
    ),
    max_size=40,
)


@given(_ACTS, st.sampled_from(["a", "b"]), _MOMENTS, st.sampled_from([b"p1", b"p2", b"p3"]))
def test_nothing_is_known_wrong_that_did_not_fail_at_this_change_time(acts, who, moment, octets):
    repeats, proven = Repeats(Tagger(), MovingClock()), LastProven(Tagger())
    failed, right = set(), {}
    for act, name, changed_at, password in acts:
        one = account(account_id=name, changed_at=changed_at)
        if act == "wrong":
            repeats.remember(one, Secret(password))
            failed.add((name, changed_at, password))
        elif act == "proven":
            proven.remember(one, Secret(password))
            right[name] = (changed_at, password)
        else:
            repeats.forget(name)
            proven.forget(name)
            failed = {fact for fact in failed if fact[0] != name}
            right.pop(name, None)
    asked = account(account_id=who, changed_at=moment)
    if repeats.is_known_wrong(asked, Secret(octets)):
        assert (who, moment, octets) in failed
        assert moment not in {None, NOW}
    assert proven.matches(asked, Secret(octets)) == (right.get(who) == (moment, octets))


def test_many_threads_do_not_break_it(clock):
    repeats, proven = Repeats(Tagger(), clock), LastProven(Tagger())
    faults = []

    def work(worker):
        try:
            for number in range(300):
                one = account(account_id=str(number % 7))
                password = Secret(b"%d" % (number % 11))
                repeats.remember(one, password)
                repeats.is_known_wrong(one, password)
                proven.remember(one, password)
                proven.matches(one, password)
                if number % 13 == worker:
                    repeats.forget(one.account_id)
                    proven.forget(one.account_id)
        except Exception as fault:
            faults.append(fault)

    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
