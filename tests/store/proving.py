"""Verifiers at work on a real store: passwords proven online, and what is kept of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from loginward.core.evidence import Proof, Proven
from loginward.core.secret import Secret
from loginward.store.verifiers import Verifiers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.core.facts import AccountFacts
    from loginward.store.store import Store
    from tests.store.stage import Host

RIGHT = Secret(b"right")
OTHER = Secret(b"other")
PROVEN = Proven(proof=Proof.VERIFIER)


@contextmanager
def working(store: Store, host: Host, max_users: int = 5, **options: bool) -> Iterator[Verifiers]:
    """Run the worker until the end of the block."""
    verifiers = Verifiers(store, host.hasher(), lambda: max_users, rest_s=0, **options)
    verifiers.start()
    try:
        yield verifiers
    finally:
        verifiers.close()


def prove(
    store: Store, verifiers: Verifiers, facts: AccountFacts, password: Secret = RIGHT
) -> None:
    """Have the directory prove a password, and wait for what is made of it."""
    saved = store.save(facts)
    verifiers.proven_online(facts, password, saved.generation)
    verifiers.idle()


def phc(store: Store, account_id: str = "id-ada") -> str | None:
    """Return the verifier that an account has."""
    record = store.ledger.record(account_id)
    return None if record is None or record.verifier is None else record.verifier.phc
