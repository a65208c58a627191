"""docs/requirements.md speaks of every promise, and every place and test that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
TABLE = TOP / "docs/requirements.md"
PROMISES = [*(f"R{n:02}" for n in range(1, 67)), *(f"I{n}" for n in range(1, 21))]
ROWS = {
    cells[0]: cells
    for line in TABLE.read_text().splitlines()
    if line.startswith("| ") and (cells := [one.strip() for one in line.strip("|").split("|")])
}
HEADS = {"id", "subject"}


@cache
def functions_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))


def test_the_table_speaks_of_every_promise_once_and_in_order() -> None:
    assert [row for row in ROWS if row in PROMISES] == PROMISES
    assert len(re.findall(r"^\| [RI]\d", TABLE.read_text(), re.MULTILINE)) == len(PROMISES)


@pytest.mark.parametrize("promise", sorted(ROWS.keys() - HEADS))
def test_what_a_row_names_exists(promise: str) -> None:
    _, told, where, proven = ROWS[promise]
    places = re.findall(r"`([^`]+)`", where)
    tests = re.findall(r"`([^`]+)`", proven)
    assert told.startswith("later: ") or (places and tests), "neither proven nor said to be later"
    for place in places:
        assert (TOP / "agent/loginward" / place).exists() or (TOP / place).exists(), place
    for test in tests:
        file, _, name = test.partition("::")
        path = TOP / "tests" / file
        assert path.is_file(), test
        assert not name or name in functions_in(path), test
