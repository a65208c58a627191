"""Verifiers: made late, few, and never against what changed meanwhile."""

from __future__ import annotations

import gc
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from loginward.core.attempts import Granted, LockedNow, Outcome
from loginward.core.evidence import NoVerdict, Proof, Proven, Wrong
from loginward.core.secret import Secret
from loginward.crypto.gate import Gate
from loginward.crypto.keys import KeySource, load_keys
from loginward.crypto.password_hash import Cost, PasswordHasher
from loginward.store.attempts import OfflineAttempts
from loginward.store.record import OFFLINE
from loginward.store.verifiers import Verifiers, _Job
from tests.store.stage import CHEAP, FIVE, NOW, Host, account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loginward.store.store import Store

RIGHT, OTHER = Secret(b"right"), Secret(b"other")
PROVEN = Proven(proof=Proof.VERIFIER)


@contextmanager
def working(store: Store, host: Host, max_users: int = 5, **options: bool) -> Iterator[Verifiers]:
    verifiers = Verifiers(store, host.hasher(), lambda: max_users, rest_s=0, **options)
    verifiers.start()
    yield verifiers
    verifiers.close()


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def prove(store: Store, verifiers: Verifiers, facts, password: Secret = RIGHT) -> None:
    saved = store.save(facts)
    verifiers.proven_online(facts, password, saved.generation)
    verifiers.idle()


def phc(store: Store, account_id: str = "id-ada") -> str | None:
    record = store.ledger.record(account_id)
    return None if record is None or record.verifier is None else record.verifier.phc


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


def test_a_fault_of_one_ends_no_worker(host, monkeypatch) -> None:
    """Once ended, it left passwords in its queue and made no verifier any more."""
    store = host.open()
    with working(store, host) as verifiers:
        with monkeypatch.context() as short:
            short.setattr(PasswordHasher, "hash", _out_of_memory)
            prove(store, verifiers, account())
        assert phc(store) is None

        prove(store, verifiers, account())

        assert phc(store) is not None


def test_the_worker_keeps_no_password_once_it_is_done(host: Host) -> None:
    """I15: waiting for the next person, it held on to the last one's."""
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account(), password := Secret(b"horse-42"))
        wait_for(lambda: not _holders_of(password))


def _holders_of(password: Secret) -> list[_Job]:
    jobs = [one for one in gc.get_objects() if isinstance(one, _Job)]
    return [job for job in jobs if job.password is password]


def _out_of_memory(*_arguments, **_more):
    raise MemoryError


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


def test_only_the_latest_people_keep_one(host: Host) -> None:
    store = host.open()
    names = [f"user-{number}" for number in range(5)]
    with working(store, host, max_users=2) as verifiers:
        for name in names[:3]:
            prove(store, verifiers, account(name))
            host.machine.run(seconds=1)
    store = host.restart()
    with working(store, host, max_users=2) as verifiers:
        for name in names[3:]:
            prove(store, verifiers, account(name))
            host.machine.run(seconds=1)

    assert [phc(store, f"id-{name}") is not None for name in names] == [False] * 3 + [True] * 2


def test_who_had_to_make_room_gets_one_again_with_the_next_proof(host: Host) -> None:
    """Although this process has made one of that very password before."""
    store = host.open()
    with working(store, host, max_users=1) as verifiers:
        for name in ("ada", "grace", "ada"):
            prove(store, verifiers, account(name))
            host.machine.run(seconds=1)

    assert phc(store, "id-ada") is not None
    assert phc(store, "id-grace") is None


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
        assert verifiers.check(changed, RIGHT, 1.0) == NoVerdict("no-verifier")


def test_where_old_passwords_work_none_is_made_in_the_first_hour(host: Host) -> None:
    store = host.open()
    with working(store, host, old_passwords_work=True) as verifiers:
        prove(store, verifiers, account())
        assert phc(store) is None
        host.machine.run(hours=1)
        prove(store, verifiers, account(read_at=host.machine.wall))
        assert phc(store) is not None


def guess(store: Store, verifiers: Verifiers, password: Secret) -> object:
    attempts = OfflineAttempts(store, lambda: 20)
    granted = attempts.reserve(account(), "login", FIVE)
    assert isinstance(granted, Granted), granted
    checked = verifiers.check(account(), password, 1.0)
    outcome = {Proven: Outcome.ALLOWED, Wrong: Outcome.WRONG, NoVerdict: Outcome.NO_VERDICT}
    attempts.settle(account(), granted.reservation, outcome[type(checked)])
    host_moves_on(store)
    return checked


def host_moves_on(store: Store) -> None:
    if store.lock_of("id-ada", OFFLINE) is not None:
        store.ledger.change(
            "id-ada", lambda prior: (prior.with_tally(OFFLINE, type(prior.tally("x"))()), None)
        )


def test_twenty_guesses_are_borne_and_the_next_destroys_the_verifier(host: Host) -> None:
    """security 15."""
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
    kept = phc(store)
    assert kept is not None
    assert [guess(store, verifiers, OTHER) for _ in range(20)] == [Wrong()] * 20
    assert guess(store, verifiers, RIGHT) == PROVEN
    assert guess(store, verifiers, OTHER) == Wrong()
    assert guess(store, verifiers, RIGHT) == NoVerdict("no-verifier")
    assert store.list()[0][0].guesses == 21


def test_a_destroyed_verifier_leaves_nothing_behind(host: Host) -> None:
    """security 15: neither the one retired by a change, nor any of both in the log of the file."""
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
    later = NOW + timedelta(minutes=1)
    store.save(account(changed_at=later, read_at=later))
    attempts = OfflineAttempts(store, lambda: 2)
    for _ in range(3):
        assert store.ledger.record("id-ada").retired
        assert log_of(host) > 0
        granted = attempts.reserve(account(), "login", FIVE)
        attempts.settle(account(), granted.reservation, Outcome.WRONG)

    assert store.ledger.record("id-ada").retired == ()
    assert log_of(host) == 0


def log_of(host: Host) -> int:
    (log,) = host.directory.glob("*-wal")
    return log.stat().st_size


def test_attempts_that_never_settled_destroy_it_too(host: Host) -> None:
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
    for _ in range(22):
        attempts = OfflineAttempts(store, lambda: 20)
        assert isinstance(attempts.reserve(account(), "login", FIVE), Granted)
        host.machine.run(hours=1)

    assert phc(store) is None


def test_a_password_proven_online_ends_what_was_counted_offline(host: Host) -> None:
    """security 3."""
    store = host.open()
    store.save(account())
    offline = OfflineAttempts(store, lambda: 20)
    while not isinstance(got := offline.reserve(account(), "login", FIVE), LockedNow):
        offline.settle(account(), got.reservation, Outcome.WRONG)
    assert store.lock_of("id-ada", OFFLINE) is not None

    with working(store, host) as verifiers:
        prove(store, verifiers, account())

    assert store.lock_of("id-ada", OFFLINE) is None
    assert store.list()[0][0].guesses == 0


def test_a_newer_change_of_password_ends_the_offline_lock(host: Host) -> None:
    store = host.open()
    store.save(account())
    offline = OfflineAttempts(store, lambda: 20)
    while not isinstance(got := offline.reserve(account(), "login", FIVE), LockedNow):
        offline.settle(account(), got.reservation, Outcome.WRONG)

    store.save(account(changed_at=NOW + timedelta(minutes=1), read_at=NOW + timedelta(minutes=1)))

    assert store.lock_of("id-ada", OFFLINE) is None


def test_a_full_queue_delays_nobody_and_drops_who_waited_longest(host: Host) -> None:
    store = host.open()
    verifiers = Verifiers(store, host.hasher(), lambda: 50)
    people = [account(f"{n}") for n in range(40)]
    for person in people:
        saved = store.save(person)
        verifiers.proven_online(person, RIGHT, saved.generation)
    verifiers.start()
    verifiers.idle()
    verifiers.close()

    made = [n for n, person in enumerate(people) if phc(store, person.account_id)]
    assert made == list(range(40 - len(made), 40))
    assert 0 < len(made) < 40


def test_where_more_sign_in_than_keep_one_a_core_is_not_spent_on_it(host: Host) -> None:
    """The worker rests after a verifier that cost another its place, and a stop ends the rest."""
    store = host.open()
    verifiers = Verifiers(store, host.hasher(), lambda: 1, rest_s=3600)
    verifiers.start()
    people = [account(f"{n}") for n in range(3)]
    for person in people[:2]:
        saved = store.save(person)
        verifiers.proven_online(person, RIGHT, saved.generation)
    wait_for(lambda: phc(store, "id-1") is not None and phc(store, "id-0") is None)
    saved = store.save(people[2])
    verifiers.proven_online(people[2], RIGHT, saved.generation)
    assert verifiers.waiting == 1
    verifiers.close()
    assert [phc(store, person.account_id) is not None for person in people] == [False, True, False]


def test_a_password_waits_for_a_computation_no_longer_than_it_may(host: Host) -> None:
    store = host.open()
    hasher = host.hasher()
    verifiers = Verifiers(store, hasher, lambda: 5)
    verifiers.start()
    prove(store, verifiers, account())
    verifiers.close()
    gate = hasher._gate
    from loginward.crypto.gate import Work

    with gate.turn(Work.CHECK, "a"), gate.turn(Work.CHECK, "b"):
        assert verifiers.check(account(), RIGHT, 0.01) == NoVerdict("argon2")
    assert verifiers.check(account(), RIGHT, 1.0) == PROVEN


@pytest.mark.parametrize("how", ["forgotten", "destroyed"])
def test_a_verifier_that_is_gone_is_made_again_by_the_next_proof(host: Host, how: str) -> None:
    """Else nobody signs in offline any more who was forgotten, until the daemon starts anew."""
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
        if how == "forgotten":
            assert store.forget("ada")
        else:
            attempts = OfflineAttempts(store, lambda: 0)
            granted = attempts.reserve(account(), "sshd", FIVE)
            assert isinstance(granted, Granted)
            attempts.settle(account(), granted.reservation, Outcome.WRONG)
        assert phc(store) is None

        prove(store, verifiers, account())

        assert verifiers.check(account(), RIGHT, 1.0) == PROVEN
