"""Proofs are found by who made them, for a while, and the oldest go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loginward.core.evidence import Proof, Proven
from loginward.core.facts import AccountFacts
from loginward.core.readings import Fresh
from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.runtime.transactions import (
    PROOF_FOR_S,
    READING_FOR_S,
    Transaction,
    Transactions,
)
from tests.doubles.moving import MovingClock


def request(transaction, *, real_uid=0, service="sshd"):
    return LoginRequest(
        door=Door.LOGIN,
        phase=Phase.ACCT,
        name="ann",
        service=service,
        peer=Peer(uid=0, real_uid=real_uid),
        transaction=transaction,
    )


@pytest.fixture
def world():
    clock = MovingClock()
    kept = Transactions(clock)
    return clock, kept


def proof(clock, account="id-ann", service="sshd", real_uid=0):
    return Transaction(
        account_id=account,
        checked=Proven(proof=Proof.BIND),
        reading=None,
        generation=1,
        at=clock.monotonic(),
        real_uid=real_uid,
        service=service,
    )


def test_a_proof_is_found_by_its_own_asker_alone(world):
    clock, kept = world
    name = kept.keep(proof(clock))
    assert kept.find(request(name)).account_id == "id-ann"
    assert kept.find(request(name, real_uid=1000)) is None
    assert kept.find(request(name, service="sudo")) is None
    assert kept.find(request("")) is None
    assert kept.find(request("0" * len(name))) is None


def test_a_proof_ends(world):
    clock, kept = world
    name = kept.keep(proof(clock))
    clock.pass_s(PROOF_FOR_S)
    assert kept.find(request(name)) is not None
    clock.pass_s(1)
    assert kept.find(request(name)) is None


def test_the_table_is_bounded_and_its_names_never_repeat(world):
    clock, kept = world
    names = [kept.keep(proof(clock)) for _ in range(5000)]
    assert len(set(names)) == 5000
    assert kept.find(request(names[0])) is None
    assert kept.find(request(names[-1])) is not None


def test_facts_are_kept_for_seconds_only(world):
    """Of a thousand logins a second, what weighs is let go while the proofs hold on."""
    clock, kept = world
    facts = replace(
        proof(clock),
        reading=Fresh(AccountFacts(account_id="id-ann", name="ann", read_at=clock.now())),
    )
    first = kept.keep(facts)
    assert kept.find(request(first)).reading is not None
    clock.pass_s(READING_FOR_S + 1)
    kept.keep(replace(facts, at=clock.monotonic()))
    found = kept.find(request(first))
    assert found.reading is None
    assert found.checked is not None


def test_a_proof_kept_only_after_a_long_halt_is_too_old_and_fails_nothing(world):
    """The process was stopped between the check and here, and nothing else is kept."""
    clock, kept = world
    late = replace(proof(clock), at=clock.monotonic() - PROOF_FOR_S - 1)
    assert kept.find(request(kept.keep(late))) is None
