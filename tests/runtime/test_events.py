"""Events as lines: whole, typed, and without a place for a secret (I15)."""

from __future__ import annotations

import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.secret import Secret
from loginward.runtime import events
from tests.runtime.decisions import decision


def test_a_line_is_one_line_and_reads_back_as_it_was():
    event = decision(
        source="sshd 203.0.113.7", sources=("address 203.0.113.7",),
        peer=events.PeerPart(uid=0, real_uid=1000, pid=7), evidence=("a\nb",), duration_ms=1.5,
    )  # fmt: skip
    line = events.event_line(event)

    assert line.count(b"\n") == 1
    assert events.event_of(line) == event


def test_the_line_of_a_plain_refusal_is_pinned():
    """Other programs read these keys."""
    assert events.event_line(decision(reference="7F3K2Q")) == (
        b'{"kind":"decision","at":"2026-11-24T08:30:00Z","name":"ann","reference":"7F3K2Q",'
        b'"door":"login","phase":"authn","service":"sshd","verdict":"refuse",'
        b'"reason":"wrong-credentials"}\n'
    )


@given(st.text(), st.text())
def test_any_text_from_outside_stays_within_its_line(name, source):
    line = events.event_line(decision(name=name, source=source))

    assert line.count(b"\n") == 1
    read = events.event_of(line)
    assert isinstance(read, events.DecisionEvent)
    assert (read.name, read.source) == (
        name.encode("utf-8", "replace").decode(), source.encode("utf-8", "replace").decode(),
    )  # fmt: skip


@pytest.mark.fuzz
@given(st.binary() | st.text().map(str.encode))
def test_a_foreign_line_is_no_event_and_no_fault(octets):
    read = events.event_of(octets)
    assert read is None or isinstance(read, events.Event)


@given(st.integers(min_value=0, max_value=300))
def test_a_torn_line_is_no_event(cut):
    line = events.event_line(decision(reference="7F3K2Q", source="x" * 50, evidence=("y",)))
    assert events.event_of(line[: min(cut, len(line) - 2)]) is None


def _types_within(kind, seen):
    if kind in seen:
        return seen
    seen.add(kind)
    for inner in typing.get_args(kind):
        _types_within(inner, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for inner in typing.get_type_hints(kind).values():
            _types_within(inner, seen)
    return seen


def test_no_field_of_an_event_can_hold_a_secret():
    """I15: by type, however deep; octets have no place either."""
    seen = _types_within(events.AnyEvent, set())
    assert events.PeerPart in seen
    assert not {Secret, bytes, object, typing.Any, dict} & seen


def test_a_secret_forced_into_a_field_is_not_written():
    with pytest.raises(TypeError):
        events.event_line(decision(name=Secret(b"hunter2")))


def test_references_are_unambiguous_and_unpredictable():
    drawn = [events.new_reference() for _ in range(2000)]

    assert {len(reference) for reference in drawn} == {6}
    assert set("".join(drawn)) == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert len(set(drawn)) > 1990


def test_a_name_nobody_has_is_a_keyed_hash_and_a_length():
    """security.md 25: people type passwords where the name belongs."""
    strangers = events.StrangerNames(b"k" * 32, plain=False)
    shown = strangers.shown("My Secret Pw")

    assert "secret" not in shown.lower()
    assert shown.endswith("/12")
    assert shown == strangers.shown("my secret pw")
    assert shown != events.StrangerNames(b"j" * 32, plain=False).shown("My Secret Pw")
    assert strangers.shown("\udcff")


def test_plain_names_are_a_choice_of_the_site():
    assert events.StrangerNames(b"k", plain=True).shown("bob") == "bob"
