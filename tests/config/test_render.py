"""Settings to YAML and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.config import example_text, parse_config, render_config, to_plain
from loginward.settings import Directory, Doors, Lockout, Policy, Settings, Support

TOP = Path(__file__).parents[2]
EXAMPLES = sorted((TOP / "config/examples").glob("*.yaml"))


def test_the_annotated_file_holds_the_defaults() -> None:
    assert parse_config(example_text(), "f") == (Settings(), [])


def test_the_annotated_file_in_the_tree_is_the_one_made_from_the_types() -> None:
    """Write it anew with tools/generate.py."""
    assert (TOP / "config/loginward.yaml").read_text() == example_text()


def test_there_are_examples() -> None:
    names = {path.stem for path in EXAMPLES}
    assert {"embedded", "openldap", "openldap-without-service-account", "two-servers"} <= names


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_good(path: Path) -> None:
    settings, problems = parse_config(path.read_text(), path.name)
    assert settings is not None, [str(problem) for problem in problems]
    assert parse_config(render_config(settings), "f")[0] == settings


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=40)


@given(
    threshold=st.integers(1, 1000),
    window_s=st.none() | st.integers(1, 1000),
    budget_s=st.floats(0.1, 2.8),
    contact=_TEXTS,
    users=st.lists(_TEXTS, max_size=3),
)
def test_what_is_shown_reads_back_as_the_same(
    threshold: int, window_s: int | None, budget_s: float, contact: str, users: list[str]
) -> None:
    settings = Settings(
        policy=Policy(
            lockout=Lockout(threshold=threshold, window_s=window_s),
            exempt_users=("root", *users),
        ),
        directory=Directory(budget_s=round(budget_s, 3)),
        support=Support(contact=contact),
    )
    assert parse_config(render_config(settings), "f")[0] == settings


@pytest.mark.parametrize(
    "text", ["0o17", "1e3", "y", "no", "1:30", "2027-03-31", "~", "1_0", "#", "- a"]
)
def test_what_needs_quotes_is_shown_in_quotes(text: str) -> None:
    settings = Settings(support=Support(contact=text))
    assert parse_config(render_config(settings), "f")[0] == settings


def test_for_json_everything_is_plain() -> None:
    plain = to_plain(replace(Settings(), doors=Doors()))
    assert plain["state_dir"] == "/var/lib/loginward"
    assert plain["doors"]["admin"]["roles"]["loginward-admin"] == ["all"]
