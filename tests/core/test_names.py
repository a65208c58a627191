"""Names: one index form for many spellings, and what may be asked about at all."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.names import MAX_CHARACTERS, index_form, is_sendable_unread, is_well_formed

SPELLINGS = [
    "Alice Example",
    "alice example",
    "ALICE EXAMPLE",
    " alice example",
    "alice example ",
    "alice  example",
    "alice\u00a0example",  # no-break space
    "alice\u2003example",  # em space
    "\uff41lice example",  # full width
    "aliCe\texample",
]


@pytest.mark.parametrize("typed", SPELLINGS)
def test_r59_spellings_of_one_name_are_one(typed):
    assert index_form(typed) == "alice example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("STRASSE", "straße", id="sharp-s"),
        pytest.param("caf\u00e9", "cafe\u0301", id="composed-and-decomposed"),
        pytest.param("Σίσυφος", "ΣΊΣΥΦΟΣ", id="final-sigma"),
        pytest.param("ﬁ", "FI", id="ligature"),
        pytest.param("K\u212a", "kk", id="kelvin-sign"),
    ],
)
def test_equal_names(one, other):
    assert index_form(one) == index_form(other)


def test_different_names_stay_different():
    assert len({index_form(n) for n in ("alice", "a1ice", "\u0430lice", "alice.", "alic")}) == 5


@given(st.text())
def test_the_index_form_of_an_index_form_is_itself(name):
    assert index_form(index_form(name)) == index_form(name)


def test_the_index_form_of_every_character_is_stable():
    for number in range(sys.maxunicode + 1):
        once = index_form(f"a{chr(number)}b")
        assert index_form(once) == once, hex(number)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("alice", id="plain"),
        pytest.param("alice@corp.example", id="realm"),
        pytest.param("CORP\\alice", id="domain"),
        pytest.param("Zoë Müller", id="letters-of-anywhere"),
        pytest.param("*)(uid=*", id="R59-filters-are-the-adapters-business"),
        pytest.param("a" * MAX_CHARACTERS, id="as-long-as-may-be"),
    ],
)
def test_names_that_may_be_asked_about(name):
    assert is_well_formed(name)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param(" \t ", id="blank"),
        pytest.param("a" * (MAX_CHARACTERS + 1), id="too-long"),
        pytest.param("-rf", id="hyphen"),
        pytest.param(" -rf", id="hyphen-after-a-blank"),
        pytest.param("\uff0drf", id="full-width-hyphen"),
        pytest.param("a:b", id="colon"),
        pytest.param("a/b", id="slash"),
        pytest.param("a\uff1ab", id="full-width-colon"),
        pytest.param("\u2100", id="folds-to-a-slash"),
        pytest.param("a\0b", id="nul"),
        pytest.param("a\nb", id="newline"),
        pytest.param("a\x1b[2Jb", id="escape"),
        pytest.param("a\udc80b", id="undecodable-octet"),
        pytest.param("a\ue000b", id="private-use"),
        pytest.param("a\uffffb", id="no-character"),
    ],
)
def test_names_that_are_malformed(name):
    assert not is_well_formed(name)


@given(st.text(max_size=300))
def test_a_well_formed_name_is_one_line_without_what_passwd_cannot_carry(name):
    if is_well_formed(name):
        folded = index_form(name)
        assert folded
        assert not set(folded) & set(":/\n\r\0")
        assert not folded.startswith("-")
        assert len(folded.splitlines()) == 1


@pytest.mark.parametrize("name", ["alice", "Alice_B.c-d@example.org"])
def test_names_that_need_no_entry_to_be_sent(name):
    assert is_sendable_unread(name)


@pytest.mark.parametrize("name", ["", "a b", "a,b", "a=b", "é", "alice\n", "a\\b", "a*"])
def test_names_that_are_not_put_into_a_template(name):
    assert not is_sendable_unread(name)
