"""Verifiers: what they prove offline, and none is made against what changed meanwhile."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from loginward.core.evidence import NoVerdict, Wrong
from loginward.crypto.gate import Gate, Work
from loginward.crypto.keys import KeySource, load_keys
from loginward.crypto.password_hash import Cost, PasswordHasher
from loginward.store.verifiers import Verifiers
from tests.store.proving import OTHER, PROVEN, RIGHT, phc, prove, working
from tests.store.stage import CHEAP, NOW, Host, account


def test_a_password_proven_online_proves_offline_after_a_restart(host: Host) -> None:
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
    store = host.restart()
    verifiers = Verifiers(store, host.hasher(), lambda: 5)

    assert verifiers.check(account(), RIGHT, 1.0) == PROVEN
    assert verifiers.check(account(), OTHER, 1.0) == Wrong()
    assert verifiers.check(account("grace"), RIGHT, 1.0) == NoVerdict("no-verifier")


def test_a_verifier_of_another_pepper_proves_nothing(host: Host) -> None:
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())

    elsewhere = Verifiers(store, PasswordHasher(Gate(), b"another pepper", CHEAP), lambda: 5)
    assert elsewhere.check(account(), RIGHT, 1.0) == Wrong()


def test_the_same_password_makes_no_second_verifier(host: Host) -> None:
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
        first = phc(store)
        prove(store, verifiers, account())
        assert phc(store) == first
    store = host.restart()
    with working(store, host) as verifiers:  # a new process compares with the one kept
        prove(store, verifiers, account())
        assert phc(store) == first
        prove(store, verifiers, account(), OTHER)
        assert phc(store) != first


def test_a_verifier_of_old_parameters_is_made_anew(host: Host) -> None:
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
    before = phc(store)
    keys = load_keys(KeySource.FILE, host.keys_directory, create=False)
    dearer = PasswordHasher(Gate(), keys.pepper, Cost(memory_kib=128, passes=1))
    verifiers = Verifiers(store, dearer, lambda: 5)
    verifiers.start()
    prove(store, verifiers, account())
    verifiers.close()

    assert "m=128" in (phc(store) or "")
    assert before != phc(store)


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda store: store.bump("id-ada"), id="generation"),
        pytest.param(
            lambda store: store.save(
                account(changed_at=NOW + timedelta(seconds=1), read_at=NOW + timedelta(seconds=11))
            ),
            id="change-time",
        ),
        pytest.param(lambda store: store.save(account(account_id="other")), id="account-id"),
        pytest.param(lambda store: store.forget("ada"), id="forgotten"),
    ],
)
def test_what_moved_since_the_proof_gets_no_verifier(host: Host, meanwhile) -> None:
    """security 22, checked before the computation and again when it is done."""
    store = host.open()
    facts = account()
    saved = store.save(facts)
    hasher = host.hasher()
    computing, go_on = threading.Event(), threading.Event()
    computed = hasher.hash

    calls = []

    def slowly(*args: object, **kwargs: object) -> str:
        calls.append(args)
        computing.set()
        assert go_on.wait(10)
        return computed(*args, **kwargs)

    hasher.hash = slowly
    verifiers = Verifiers(store, hasher, lambda: 5)
    verifiers.start()
    verifiers.proven_online(facts, RIGHT, saved.generation)
    assert computing.wait(10)
    meanwhile(store)
    go_on.set()
    verifiers.idle()

    assert phc(store) is None
    assert phc(store, "other") is None
    verifiers.proven_online(facts, RIGHT, saved.generation)
    verifiers.idle()
    verifiers.close()
    assert phc(store) is None
    assert len(calls) == 1  # the second time nothing is computed at all


def test_a_proof_of_another_change_time_makes_none(host: Host) -> None:
    """R18: a verifier proves the password of one change time only."""
    store = host.open()
    saved = store.save(account())
    with working(store, host) as verifiers:
        later = account(changed_at=NOW + timedelta(minutes=1))
        verifiers.proven_online(later, RIGHT, saved.generation)
        verifiers.idle()

    assert phc(store) is None


def test_a_change_of_password_retires_the_verifier_for_a_day(host: Host) -> None:
    """security 24: a match with a retired one is wrong."""
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
        changed = account(changed_at=NOW + timedelta(minutes=1), read_at=NOW + timedelta(minutes=1))
        saved = store.save(changed)

        assert verifiers.check(changed, RIGHT, 1.0) == Wrong()
        assert verifiers.check(changed, OTHER, 1.0) == NoVerdict("no-verifier")
        verifiers.proven_online(changed, RIGHT, saved.generation)  # the hour of the old password
        verifiers.idle()
        assert phc(store) is None
        host.machine.run(hours=25)
        assert verifiers.check(changed, RIGHT, 1.0) == NoVerdict("no-verifier")


def test_where_old_passwords_work_none_is_made_in_the_first_hour(host: Host) -> None:
    store = host.open()
    with working(store, host, old_passwords_work=True) as verifiers:
        prove(store, verifiers, account())
        assert phc(store) is None
        host.machine.run(hours=1)
        prove(store, verifiers, account(read_at=host.machine.wall))
        assert phc(store) is not None


def test_a_password_waits_for_a_computation_no_longer_than_it_may(host: Host) -> None:
    store = host.open()
    gate = Gate()
    verifiers = Verifiers(store, PasswordHasher(gate, b"a pepper", CHEAP), lambda: 5)
    verifiers.start()
    prove(store, verifiers, account())
    verifiers.close()

    with gate.turn(Work.CHECK, "a"), gate.turn(Work.CHECK, "b"):
        assert verifiers.check(account(), RIGHT, 0.01) == NoVerdict("argon2")
    assert verifiers.check(account(), RIGHT, 1.0) == PROVEN
