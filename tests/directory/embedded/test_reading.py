"""Reading import files: every problem names its line and what to write instead."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loginward.directory.embedded.exporting import FORMULA
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.reading import Entry, LineProblem, read_entries


def read(text, form=Format.CSV):
    octets = text if isinstance(text, bytes) else text.encode()
    return list(read_entries(octets, form))


def said(text, form=Format.CSV):
    return [str(found) for found in read(text, form) if isinstance(found, LineProblem)]


def test_csv_entries_know_the_line_they_start_on():
    entries = read('username,displayname\nann,"Ann\nLee"\n\nbob,\n')
    assert [(e.line, dict(e.values)) for e in entries] == [
        (2, {"username": "ann", "displayname": "Ann\nLee"}),
        (5, {"username": "bob"}),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert dict(read(b"\xef\xbb\xbfusername\nann\n")[0].values) == {"username": "ann"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "line 1, username: is missing", id="empty"),
        pytest.param("email\nx\n", "line 1, username: is missing", id="no-user-name"),
        pytest.param(
            "username,shoe\n",
            "line 1, shoe: is no column; the columns are id,",
            id="unknown-column",
        ),
        pytest.param("username,email,email\n", "line 1, email: is there twice", id="column-twice"),
        pytest.param(
            "username,email\nann,a,b\n",
            "line 2: has 3 cells where the header has 2",
            id="too-many-cells",
        ),
        pytest.param("username,email\nann\n", "line 2: has 1 cells", id="too-few-cells"),
        pytest.param('username\nann\n"bo"b\n', "line 3: is no CSV", id="broken-quotes"),
        pytest.param('username\nann\n"bob\n', "line 3: is no CSV", id="open-quote"),
        pytest.param("username\n" + "a" * 200_000 + "\n", "line 2: is no CSV", id="endless-cell"),
        pytest.param(b"username\nann\nb\xffb\n", "line 3: is not UTF-8", id="latin-1"),
    ],
)
def test_csv_problems(text, problem):
    assert said(text)[0].startswith(problem)


def test_one_bad_line_hides_no_other():
    found = read("username,email\na,b,c\nann,x\nd,e,f\n")
    assert [type(f) for f in found] == [LineProblem, Entry, LineProblem]
    assert [f.line for f in found] == [2, 3, 4]


def test_json_entries_know_the_line_they_start_on():
    text = '[\n {"username": "ann",\n  "email": null},\n\n {"username": "bob"}]\n'
    assert [(e.line, dict(e.values)) for e in read(text, Format.JSON)] == [
        (2, {"username": "ann"}),
        (5, {"username": "bob"}),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "", "line 1, column 1: is no JSON: a list of accounts starts with [", id="empty"
        ),
        pytest.param('{"username": "a"}', "line 1, column 1: is no JSON", id="no-list"),
        pytest.param(
            '[\n{"username": }]', "line 2, column 14: is no JSON: Expecting value", id="no-value"
        ),
        pytest.param(
            '[\n{"username": "a"}\n{"username": "b"}]',
            "line 3, column 1: is no JSON: a comma",
            id="no-comma",
        ),
        pytest.param('[{"username": "a"}', "line 1, column 19: is no JSON", id="cut-short"),
        pytest.param('[{"username": "a"},]', "line 1, column 20: is no JSON", id="comma-too-many"),
        pytest.param(
            "[]\n[]", "line 2, column 1: is no JSON: nothing may follow", id="second-list"
        ),
        pytest.param('[\n"ann"]', "line 2: is no account", id="text"),
        pytest.param(
            '[{"shoe": 1}]', "line 1, shoe: is no field; the fields are", id="unknown-field"
        ),
        pytest.param('[{"email": "a", "email": "b"}]', "line 1, email: is there twice", id="twice"),
        pytest.param('[{"email": NaN}]', "line 1, column 2: is no JSON: this account", id="nan"),
        pytest.param(
            f'[{{"email": {"9" * 5000}}}]', "line 1, column 2: is no JSON: this account", id="huge"
        ),
        pytest.param("[" + "[" * 100_000, "line 1, column 2: is no JSON: this account", id="deep"),
    ],
)
def test_json_problems(text, problem):
    assert said(text, Format.JSON)[0].startswith(problem)


def test_i15_an_entry_shows_no_password():
    entry = read("username,password\nann,hunter2-hunter2\n")[0]
    assert "hunter2" not in repr(entry)


@given(st.binary(max_size=400), st.sampled_from(Format))
@example(b'[{"username":"a"}', Format.JSON)
def test_fuzz_whatever_comes_each_octet_ends_as_entry_or_problem(octets, form):
    for found in read_entries(octets, form):
        assert found.line >= 1
        assert isinstance(found, Entry) or found.why


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
@example(["'t Hooft", "'=1+1", "=1+1", "''@x", "-3", "+49"])
def test_a_cell_survives_the_quote_that_keeps_a_spreadsheet_from_running_it(cells):
    line = io.StringIO()
    guarded = [f"'{cell}" if FORMULA.match(cell) else cell for cell in cells]
    csv.writer(line).writerows([["username", "email"], *[["x", cell] for cell in guarded]])
    got = [e.values["email"] for e in read_entries(line.getvalue().encode(), Format.CSV)]
    assert got == cells
    assert not any(cell[0] in "=+-@\t\r\n" for cell in guarded)


@given(st.lists(st.dictionaries(st.sampled_from(["username", "email", "groups"]), st.text())))
def test_json_as_python_writes_it(accounts):
    for indent in (None, 1):
        octets = json.dumps(accounts, indent=indent).encode()
        assert [dict(e.values) for e in read_entries(octets, Format.JSON)] == accounts
