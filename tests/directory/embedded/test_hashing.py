"""Hashes that somebody waits for end in time, whoever else computes."""

from __future__ import annotations

import pytest

from loginward.core.clock import Deadline
from loginward.core.secret import Secret
from loginward.crypto.gate import Gate, Work
from loginward.crypto.password_hash import Cost, PasswordHasher
from loginward.directory.embedded.hashing import BUSY, Hashing
from loginward.directory.port import Act, Verb
from loginward.errors import DirectoryUnavailable

RIGHT, NEXT = b"right-horse-battery", b"next-horse-battery"


@pytest.fixture
def gate(world):
    """Let one computation through at a time."""
    gate = Gate(at_once=1)
    world.add("ann", RIGHT)
    world.book.hashing = Hashing(PasswordHasher(gate, None, Cost(memory_kib=8, passes=1)))
    return gate


def soon(world):
    return Deadline.after(0.05, world.clock)


def test_a_password_that_is_set_waits_no_longer_than_its_deadline(world, gate):
    """It does not wait the 10 s of a check, and nothing is done."""
    order = Act(verb=Verb.SET_TEMPORARY, password=Secret(NEXT))
    with gate.turn(Work.CHECK, "bob"), pytest.raises(DirectoryUnavailable) as busy:
        world.directory.act(world.facts("ann"), order, soon(world))
    assert busy.value.stage == BUSY
    assert not world.status("ann").must_change
    assert world.directory.act(world.facts("ann"), order, soon(world)).was_noop is False
    assert world.status("ann").must_change


def test_a_change_waits_no_longer_either(world, gate):
    with gate.turn(Work.CHECK, "bob"), pytest.raises(DirectoryUnavailable):
        world.directory.change(world.facts("ann"), Secret(RIGHT), Secret(NEXT), soon(world))
