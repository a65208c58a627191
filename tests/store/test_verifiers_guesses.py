"""What is counted offline: guesses destroy a verifier, and a password proven online ends a lock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from loginward.core.attempts import Granted, Outcome
from loginward.core.evidence import NoVerdict, Proven, Wrong
from loginward.core.lockout import Tally
from loginward.store.attempts import OfflineAttempts
from loginward.store.record import OFFLINE
from tests.store.proving import OTHER, PROVEN, RIGHT, phc, prove, working
from tests.store.stage import FIVE, NOW, Host, account, wrong

if TYPE_CHECKING:
    from loginward.core.secret import Secret
    from loginward.store.store import Store
    from loginward.store.verifiers import Verifiers


def guess(store: Store, verifiers: Verifiers, password: Secret) -> object:
    """Guess once, and wait a lock out that came of it."""
    attempts = OfflineAttempts(store, lambda: 20)
    granted = attempts.reserve(account(), "login", FIVE)
    assert isinstance(granted, Granted), granted
    checked = verifiers.check(account(), password, 1.0)
    outcome = {Proven: Outcome.ALLOWED, Wrong: Outcome.WRONG, NoVerdict: Outcome.NO_VERDICT}
    attempts.settle(account(), granted.reservation, outcome[type(checked)])
    if store.lock_of("id-ada", OFFLINE) is not None:
        store.ledger.change("id-ada", lambda prior: (prior.with_tally(OFFLINE, Tally()), None))
    return checked


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
        wrong(attempts)

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


@pytest.mark.parametrize("how", ["forgotten", "destroyed"])
def test_a_verifier_that_is_gone_is_made_again_by_the_next_proof(host: Host, how: str) -> None:
    """Else nobody signs in offline any more who was forgotten, until the daemon starts anew."""
    store = host.open()
    with working(store, host) as verifiers:
        prove(store, verifiers, account())
        if how == "forgotten":
            assert store.forget("ada")
        else:
            wrong(OfflineAttempts(store, lambda: 0))
        assert phc(store) is None

        prove(store, verifiers, account())

        assert verifiers.check(account(), RIGHT, 1.0) == PROVEN


def lock_offline(store: Store) -> None:
    store.save(account())
    wrong(OfflineAttempts(store, lambda: 20), times=5)
    assert store.lock_of("id-ada", OFFLINE) is not None


def test_a_password_proven_online_ends_what_was_counted_offline(host: Host) -> None:
    """security 3."""
    store = host.open()
    lock_offline(store)

    with working(store, host) as verifiers:
        prove(store, verifiers, account())

    assert store.lock_of("id-ada", OFFLINE) is None
    assert store.list()[0][0].guesses == 0


def test_a_newer_change_of_password_ends_the_offline_lock(host: Host) -> None:
    store = host.open()
    lock_offline(store)

    store.save(account(changed_at=NOW + timedelta(minutes=1), read_at=NOW + timedelta(minutes=1)))

    assert store.lock_of("id-ada", OFFLINE) is None
