"""YAML text to nodes that know their place."""

from __future__ import annotations

import pytest

from loginward.config.document import (
    MAX_OCTETS,
    Mapping,
    Scalar,
    Sequence,
    UnreadableError,
    read_document,
)
from loginward.config.problems import Place


def test_nodes_know_where_they_stand_and_how_they_were_written() -> None:
    assert read_document('a: [b, "c"]\nd: |\n  e\n') == Mapping(
        Place(1, 1),
        (
            (
                Scalar(Place(1, 1), "a", plain=True),
                Sequence(
                    Place(1, 4),
                    (Scalar(Place(1, 5), "b", plain=True), Scalar(Place(1, 8), "c", plain=False)),
                ),
            ),
            (Scalar(Place(2, 1), "d", plain=True), Scalar(Place(2, 4), "e\n", plain=False)),
        ),
    )


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n...\n"])
def test_a_text_without_content_is_nothing_or_null(text: str) -> None:
    node = read_document(text)
    assert node is None or node == Scalar(node.place, "", plain=True)


def test_a_key_that_stands_there_twice_is_kept_twice() -> None:
    node = read_document("a: 1\na: 2\n")
    assert isinstance(node, Mapping)
    assert [key.place.line for key, _ in node.entries] == [1, 2]
    assert node.find("a") == node.entries[0]
    assert node.find("b") is None


def test_a_text_too_long_is_not_parsed() -> None:
    with pytest.raises(UnreadableError, match="longer"):
        read_document("#" * (MAX_OCTETS + 1))


@pytest.mark.parametrize("text", ["[" * 100000, "{a: " * 100000, "- " * 100000])
def test_no_nesting_exhausts_the_stack(text: str) -> None:
    with pytest.raises(UnreadableError, match="nested more than 24 deep"):
        read_document(text)
