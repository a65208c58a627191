"""Values of attributes as people read them: what was encoded comes back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.wire.radius.dictionary import Definition, Kind, encode
from loginward.wire.radius.shown import shown


def definition(kind: Kind, **more: object) -> Definition:
    return Definition(name="X", vendor=0, type=200, kind=kind, **more)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (Kind.TEXT, "grün 20"),
        (Kind.OCTETS, "0x00ff"),
        (Kind.INTEGER, "4294967295"),
        (Kind.SIGNED, "-7"),
        (Kind.SHORT, "65535"),
        (Kind.BYTE, "7"),
        (Kind.INTEGER64, "18446744073709551615"),
        (Kind.IPV4, "203.0.113.7"),
        (Kind.IPV6, "2001:db8::7"),
        (Kind.MAC, "00:11:22:33:44:55"),
        (Kind.IPV6_PREFIX, "0x002020010db8"),
    ],
    ids=lambda value: value.value if isinstance(value, Kind) else value,
)
def test_what_was_written_is_shown(kind, written) -> None:
    value = "2001:db8::/32" if kind is Kind.IPV6_PREFIX else written
    assert shown(definition(kind), encode(definition(kind), value)[2:]) == written


def test_numbers_have_their_names() -> None:
    known = definition(Kind.INTEGER, values={"VLAN": 13})
    assert shown(known, bytes((0, 0, 0, 13))) == "VLAN"
    assert shown(known, bytes((0, 0, 0, 12))) == "12"


@pytest.mark.parametrize(
    ("kind", "value", "tag", "said"),
    [
        (Kind.INTEGER, "VLAN", None, "VLAN"),
        (Kind.INTEGER, "VLAN", 3, "3:VLAN"),
        (Kind.TEXT, "20", None, "20"),
        (Kind.TEXT, "20", 0, "20"),
        (Kind.TEXT, "20", 3, "3:20"),
    ],
)
def test_a_tag_stands_before_the_value(kind, value, tag, said) -> None:
    tagged = definition(kind, has_tag=True, values={"VLAN": 13})
    assert shown(tagged, encode(tagged, value, tag)[2:]) == said


@given(st.sampled_from(Kind), st.booleans(), st.binary(max_size=253))
def test_whatever_a_server_sends_is_one_printable_line(kind, has_tag, value) -> None:
    for known in (definition(kind, has_tag=has_tag), None):
        said = shown(known, value)
        assert said.isprintable()
