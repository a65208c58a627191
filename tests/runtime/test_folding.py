"""Repeats of a refusal: one line with a count, nothing lost."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.reasons import Reason, Verdict
from loginward.core.status import LockCause
from loginward.runtime.folding import Folding
from loginward.wire.admin.parts import LockPart
from tests.runtime.decisions import decision


def refused(reference, **changes):
    return decision(reference=reference, source="sshd 192.0.2.1", **changes)


def test_the_first_is_written_and_the_others_become_one_line_with_a_count():
    folding = Folding()

    assert not folding.keeps(refused("AAAAA1"), 0.0)
    assert folding.keeps(refused("AAAAA2"), 1.0)
    assert folding.keeps(refused("AAAAA3"), 59.9)
    assert folding.ended(59.9) == []
    (line,) = folding.ended(60.0)
    assert (line.count, line.references) == (2, ("AAAAA2", "AAAAA3"))
    assert folding.ended(61.0) == []
    assert not folding.keeps(refused("AAAAA4"), 61.0)


def test_what_is_kept_back_is_found_by_its_own_reference():
    folding = Folding()
    folding.keeps(refused("AAAAA1"), 0.0)
    folding.keeps(refused("AAAAA2", duration_ms=7), 1.0)

    assert folding.find("AAAAA2").reference == "AAAAA2"
    assert folding.find("AAAAA1") is None


def test_another_account_source_reason_or_door_is_another_line():
    folding = Folding()
    others = [
        refused("A"),
        refused("B", name="bob"),
        msgspec.structs.replace(refused("C"), source="sshd 192.0.2.2"),
        refused("D", reason=Reason.ACCOUNT_LOCKED),
        refused("E", service="su"),
    ]
    assert [folding.keeps(event, 0.0) for event in others] == [False] * 5


def test_who_is_let_in_and_what_trips_a_lock_is_always_written():
    folding = Folding()
    tripped = LockPart(cause=LockCause.THRESHOLD)
    for _ in range(3):
        assert not folding.keeps(refused("A", verdict=Verdict.ALLOW, reason=Reason.OK), 0.0)
        assert not folding.keeps(refused("B", tripped=tripped), 0.0)


_REFUSALS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(min_value=0, max_value=40, allow_nan=False)),
    max_size=60,
)


@given(_REFUSALS)
def test_every_refusal_is_counted_once_and_its_reference_kept(refusals):
    folding, at = Folding(), 0.0
    written, references, due = Counter(), set(), []
    for number, (name, passed_s) in enumerate(refusals):
        at += passed_s
        event = refused(str(number), name=name)
        due += folding.ended(at)
        if not folding.keeps(event, at):
            written[name] += 1
            references.add(event.reference)
    for line in due + folding.end_all():
        written[line.name] += line.count
        references.update(line.references)

    assert written == Counter(name for name, _ in refusals)
    assert references == {str(number) for number in range(len(refusals))}


def test_memory_is_bounded_under_a_storm():
    folding = Folding()
    for number in range(12_000):
        folding.keeps(refused("A", name=str(number)), 0.0)
        folding.keeps(refused("B", name=str(number)), 0.0)
    assert len(folding.ended(0.0)) == 2_000

    for number in range(1000):
        folding.keeps(refused(str(number)), 0.0)
    assert all(len(line.references) <= 200 for line in folding.end_all())
