"""Texts for people: every reason has one, none carries anything from outside that it should not."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.changes import ChangeProblem
from loginward.core.decision import DETAILS, Warn
from loginward.core.policy import WhenExpired
from loginward.core.reasons import Reason
from loginward.core.requests import Purpose
from loginward.core.status import ExpiryCause, StateCause
from loginward.directory.embedded.hashing import BUSY
from loginward.errors import ConfigError
from loginward.messages import MAX_LINES, MAX_OCTETS, clean, load_texts
from loginward.messages.texts import _packaged, placeholders_of

AGENT = Path(__file__).parents[2] / "agent/loginward"
EN = _packaged("en")
TEXTS = load_texts()
MUST_CHANGE = {Reason.PASSWORD_EXPIRED, Reason.CHANGE_REQUIRED}  # the reasons of Verdict.CHANGE
UNFORESEEN = ("no-service-account", "shown-too-little")
FACTS = {name: "ÄÖ" * 60 for template in EN.values() for name in placeholders_of(template)}


def write(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_every_reason_has_a_refusal_and_a_next_step(reason: Reason) -> None:
    """A refusal says what is the matter and the next step."""
    if reason is not Reason.OK:
        assert f"next.{reason.value}" in EN
        said = TEXTS.text(f"refused.{reason.value}", reference="7F3K2Q", until="14:30")
        assert "7F3K2Q" in said


@pytest.mark.parametrize(
    "text_id",
    [
        *(f"refused.account-locked.{detail}" for detail in ("until", "for-good")),
        "refused.user-staged.not-started",
        *(f"refused.password-expired.{cause.value}" for cause in ExpiryCause),
        *(f"warning.{warn.value}" for warn in Warn),
        *(f"prompt.{purpose.value}" for purpose in Purpose),
        *(f"change.rejected.{problem.value}" for problem in ChangeProblem),
        "unproven",
    ],
)
def test_every_case_of_the_law_has_a_text_of_its_own(text_id: str) -> None:
    assert text_id in EN


@pytest.mark.parametrize("cause", StateCause, ids=lambda cause: cause.value)
def test_a_detail_without_a_text_has_that_of_its_reason(cause: StateCause) -> None:
    assert TEXTS.text(f"refused.user-suspended.{cause.value}", reference="7F3K2Q")


def test_ids_in_the_code_have_texts() -> None:
    used = {
        found
        for file in AGENT.rglob("*.py")
        for found in re.findall(r"texts\.text\(\s*\"([a-z][a-z.-]+)\"", file.read_text())
    }
    assert used <= EN.keys()


def asked_for() -> set[str]:
    """Return the ids that the code puts together, from the law's own words."""
    details = ((reason, detail) for reason, of in DETAILS.items() for detail in of)
    reasons = {reason.value for reason in Reason} | {f"{r.value}.{d}" for r, d in details}
    return {
        *(f"{of}.{reason}" for of in ("refused", "next", "rule") for reason in reasons),
        *(f"rule.let-on{by}" for by in ("", ".change", ".key_logins.warn", ".session-manager")),
        *(f"rule.password-expired.{what.value}" for what in WhenExpired),
        *(f"{of}.{why}" for of in ("unforeseen", "next.unforeseen") for why in UNFORESEEN),
        *(f"change.{reason.value}" for reason in MUST_CHANGE),
        *(f"change.rejected.{problem.value}" for problem in ChangeProblem),
        *(f"warning.{warn.value}" for warn in Warn),
        *(f"prompt.{purpose.value}" for purpose in Purpose),
        *("change.rejected.too-short.unsaid", "next.account-locked.expired", "rule.unforeseen"),
        *(f"{of}.not-permitted.client" for of in ("next", "rule")),
        *("act.unavailable", f"act.unavailable.{BUSY}"),
    }


def test_every_text_is_asked_for() -> None:
    """A site would word one that nobody shows, and wonder."""
    code = "".join(file.read_text() for file in AGENT.rglob("*.py"))
    composed = asked_for()
    assert [one for one in EN if one not in composed and f'"{one}"' not in code] == []


def test_wrong_and_unknown_are_told_in_the_same_words() -> None:
    """Nobody learns from a text whether a name exists."""
    assert EN["refused.wrong-credentials"] == EN["refused.user-unknown"]


def test_the_unproven_text_names_no_status() -> None:
    for word in ("lock", "suspend", "expire", "pending", "active", "password"):
        assert word not in EN["unproven"].lower()


@pytest.mark.parametrize("text_id", EN)
def test_no_text_is_too_long_whatever_its_facts(text_id: str) -> None:
    assert len(EN[text_id].split("\n")) <= MAX_LINES
    said = TEXTS.text(text_id, **FACTS)
    assert len(said.encode()) <= MAX_OCTETS
    assert said.count("\n") < MAX_LINES
    assert len(EN[text_id].encode()) <= 250


@pytest.mark.parametrize("text_id", EN)
def test_every_text_says_something_without_any_fact_but_a_reference(text_id: str) -> None:
    if text_id.startswith(("refused.", "unproven", "prompt.")):
        assert TEXTS.text(text_id, reference="7F3K2Q")


def test_a_line_without_its_fact_is_left_out() -> None:
    without = TEXTS.text("refused.password-expired", reference="7F3K2Q")
    assert without == (
        "Your password has expired.\nAsk your administrator for a new one, reference 7F3K2Q."
    )
    with_url = TEXTS.text("refused.password-expired", reference="7F3K2Q", url="https://x")
    assert "Reset it at https://x." in with_url


def test_the_site_says_whom_to_ask() -> None:
    texts = load_texts(contact="the help desk")
    assert "Ask the help desk" in texts.text("unproven", reference="7F3K2Q")


def test_an_id_nobody_wrote_is_a_bug() -> None:
    with pytest.raises(KeyError):
        TEXTS.text("nothing.like.it")


@given(st.text())
def test_facts_from_outside_are_shown_harmless(fact: str) -> None:
    """No control characters, no escape sequences, no reordering of text, no further line."""
    said = TEXTS.text("next.user-suspended", user=fact)
    assert "\n" not in said
    assert all(c.isprintable() for c in said)
    assert len(clean(fact)) <= 120
    assert clean(clean(fact)) == clean(fact)


def test_a_fact_is_not_a_template() -> None:
    assert TEXTS.text("next.user-suspended", user="{contact}").endswith("{contact}")


def test_a_site_overrides_texts_by_id(tmp_path: Path) -> None:
    own = write(tmp_path, 'unproven: "Nope ({reference})."\nprompt.new: "Neues Passwort:"\n')
    texts = load_texts("en", own)
    assert texts.text("unproven", reference="7F3K2Q") == "Nope (7F3K2Q)."
    assert texts.text("prompt.new") == "Neues Passwort: "
    assert texts.text("prompt.new-again") == TEXTS.text("prompt.new-again")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param('unprooven: "x"', "did you mean unproven", id="unknown-id"),
        pytest.param('unproven: "Nope."', "must keep {reference}", id="placeholder-lost"),
        pytest.param('unproven: "{reference} {user}"', "may use only", id="placeholder-new"),
        pytest.param('unproven: "{reference} {x.y}"', "may use only", id="no-attributes"),
        pytest.param("prompt.new: no", "must be a text", id="norway"),
        pytest.param("prompt.new: [a]", "must be a text", id="list"),
        pytest.param('prompt.new: "\\e[31m"', "control characters", id="escape"),
        pytest.param('prompt.new: "a\\nb\\nc\\nd"', "at most 3 lines", id="lines"),
        pytest.param(f'prompt.new: "{"x" * 501}"', "at most 3 lines", id="octets"),
        pytest.param("- a", "must hold ids", id="list-at-the-top"),
        pytest.param("a: [", "not valid YAML", id="syntax"),
        pytest.param("!!python/object:os.system x", "not valid YAML", id="tag"),
    ],
)
def test_a_site_text_that_cannot_be_used_is_refused(
    tmp_path: Path, content: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_texts("en", write(tmp_path, content + "\n"))


def test_a_file_or_language_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_texts("en", tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="known is en"):
        load_texts("tlh")


@given(st.binary(max_size=200))
def test_no_override_file_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, octets: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "own.yaml"
    path.write_bytes(octets)
    with contextlib.suppress(ConfigError):
        load_texts("en", path)


@pytest.mark.parametrize("problem", ChangeProblem, ids=lambda problem: problem.value)
def test_every_problem_of_a_new_password_is_said_whatever_else_is_known(
    problem: ChangeProblem,
) -> None:
    """A line whose fact is not known is left out; that must never leave nothing."""
    assert TEXTS.text(f"change.rejected.{problem.value}", min_length=12).strip()
    assert TEXTS.text("change.rejected.too-short.unsaid").strip()
