"""Single words: what YAML readers disagree on never reaches a setting."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from loginward.config.document import Scalar
from loginward.config.problems import Place
from loginward.config.scalars import (
    ExpectedError,
    read_bool,
    read_choice,
    read_moment,
    read_number,
    read_text,
    read_whole,
)


def plain(text: str) -> Scalar:
    return Scalar(Place(), text, plain=True)


def quoted(text: str) -> Scalar:
    return Scalar(Place(), text, plain=False)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Yes",
        "ON",
        "y",
        "null",
        "~",
        "",
        "010",
        "1:30",
        "0x1f",
        "0o17",
        "0b1",
        "1_000",
        "1.5",
        ".5",
        "1.",
        "1e3",
        ".inf",
        "-.INF",
        ".nan",
        "2027-03-31",
        "2027-3-31 10:00:00",
        "190:20:30.15",
    ],
)
def test_a_text_that_could_be_something_else_is_asked_to_be_quoted(text: str) -> None:
    with pytest.raises(ExpectedError, match="quote it"):
        read_text(plain(text))
    assert read_text(quoted(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1",
        "10.20.0.0/16",
        "gdm*",
        "dc=example,dc=org",
        "/etc/x",
        "nobody",
        "1st",
        "off-site",
    ],
)
def test_a_text_that_is_clear_needs_no_quotes(text: str) -> None:
    assert read_text(plain(text)) == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"])))
def test_whatever_a_yaml_1_1_reader_takes_for_no_text_is_not_taken_for_one(text: str) -> None:
    """PyYAML resolves by YAML 1.1: where it sees another type than a text, quotes are asked for."""
    resolved = yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))
    if resolved != "tag:yaml.org,2002:str" and text not in {"=", "<<", "!", "&", "*"}:
        with pytest.raises(ExpectedError):
            read_text(plain(text))


@given(st.integers(-(10**17), 10**17))
def test_whole_numbers(number: int) -> None:
    assert read_whole(plain(str(number))) == number
    assert read_number(plain(str(number))) == float(number)


@pytest.mark.parametrize(
    "text", ["", "1.0", "+1", "1e3", "0x10", "010", "1_0", "٣", "1" * 30, " 1"]
)
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(ExpectedError, match="expected a whole number"):
        read_whole(plain(text))


@pytest.mark.parametrize("text", ["inf", ".inf", ".nan", "1e3", "1.", ".5", "-", "1.2.3"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ExpectedError, match="expected a number"):
        read_number(plain(text))


def test_true_and_false_alone_are_bools() -> None:
    assert read_bool(plain("true"))
    assert not read_bool(plain("false"))
    for text in ("yes", "off", "True", "1", ""):
        with pytest.raises(ExpectedError, match="expected true or false"):
            read_bool(plain(text))
    with pytest.raises(ExpectedError):
        read_bool(quoted("true"))


def test_a_choice_is_one_of_its_words() -> None:
    assert read_choice(plain("off"), ("off", "short")) == "off"
    with pytest.raises(ExpectedError, match='expected off or short, not "OFF"'):
        read_choice(quoted("OFF"), ("off", "short"))


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\u0085b", "a\ud800"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(ExpectedError, match="control characters"):
        read_text(quoted(text))


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2027-03-31", "2027-03-31T00:00:00+00:00"),
        ("2027-03-31T18:00:00Z", "2027-03-31T18:00:00+00:00"),
        ("2027-03-31T18:00:00+02:00", "2027-03-31T16:00:00+00:00"),
    ],
)
def test_moments_are_utc(text: str, means: str) -> None:
    assert read_moment(plain(text)).isoformat() == means


@pytest.mark.parametrize(
    "text", ["31.3.2027", "2027-02-30", "tomorrow", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ExpectedError, match="expected a date"):
        read_moment(plain(text))


def test_what_is_shown_of_a_word_is_short_and_clean() -> None:
    with pytest.raises(ExpectedError) as caught:
        read_bool(quoted("\x1b[31m" + "x" * 500))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 100
