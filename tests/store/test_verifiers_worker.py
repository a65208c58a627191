"""The worker that makes verifiers: few, never in the way, and with no password left behind."""

from __future__ import annotations

import gc
import threading

import pytest

from loginward.core.secret import Secret
from loginward.crypto.gate import Work
from loginward.crypto.password_hash import PasswordHasher
from loginward.store.verifiers import Verifiers
from tests.doubles.waiting import eventually
from tests.store.proving import RIGHT, phc, prove, working
from tests.store.stage import Host, account


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


def _out_of_memory(*_arguments, **_more):
    raise MemoryError


def test_the_worker_keeps_no_password_once_it_is_done(host: Host) -> None:
    """I15: waiting for the next person, it held on to the last one's."""
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account(), password := Secret(b"horse-42"))
        eventually(lambda: not _holders_of(password), "the password is still held")


def _holders_of(password: Secret) -> list[object]:
    """Return whatever of the program's own still refers to a password."""
    holders = gc.get_referrers(password)
    return [one for one in holders if type(one).__module__.startswith("loginward.")]


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
    eventually(
        lambda: phc(store, "id-1") is not None and phc(store, "id-0") is None,
        "the second did not take the place of the first",
    )
    saved = store.save(people[2])
    verifiers.proven_online(people[2], RIGHT, saved.generation)
    assert verifiers.waiting == 1
    verifiers.close()
    assert [phc(store, person.account_id) is not None for person in people] == [False, True, False]


def test_a_worker_that_hangs_holds_up_no_end(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopping the daemon waited for it for ever."""
    store = host.open()
    hangs, go_on = threading.Event(), threading.Event()

    def hanging(*_arguments: object, **_more: object) -> str:
        hangs.set()
        assert go_on.wait(10)
        raise MemoryError

    monkeypatch.setattr(PasswordHasher, "hash", hanging)
    verifiers = Verifiers(store, host.hasher(), lambda: 5, rest_s=0)
    assert verifiers.turn is None
    verifiers.start()
    for name in ("ada", "grace"):
        saved = store.save(account(name))
        verifiers.proven_online(account(name), RIGHT, saved.generation)
    assert hangs.wait(10)
    turn = verifiers.turn
    assert turn is not None

    verifiers.close(timeout_s=0.05)

    assert "left behind" in caplog.text
    assert verifiers.turn == turn
    go_on.set()
    eventually(lambda: not verifiers.are_well, "the worker goes on although it was to end")
    assert phc(store, "id-grace") is None


def test_a_worker_that_waits_for_the_checks_of_logins_does_not_hang(host: Host) -> None:
    """Their passwords are computed first, however many there are."""
    store = host.open()
    begun, done = threading.Event(), threading.Event()

    with working(store, host) as verifiers:
        gate = verifiers._hasher._gate

        def check() -> None:
            with gate.turn(Work.CHECK, "c"):
                begun.set()
                assert done.wait(10)

        with gate.turn(Work.CHECK, "a"):
            with gate.turn(Work.CHECK, "b"):
                saved = store.save(account())
                verifiers.proven_online(account(), RIGHT, saved.generation)
                eventually(lambda: bool(gate._verifiers), "the worker does not wait")
                turn = verifiers.turn
                third = threading.Thread(target=check)
                third.start()
                eventually(lambda: bool(gate._checks), "the third check does not wait")
                assert verifiers.turn == turn is not None
            assert begun.wait(10)
            assert gate._verifiers
            assert verifiers.turn not in {turn, None}
            done.set()
            third.join(10)
    assert phc(store) is not None
