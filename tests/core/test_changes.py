"""Why a new password was not taken."""

from __future__ import annotations

import pytest

from loginward.core.changes import ChangeProblem
from loginward.messages.texts import load_texts

IN_VAIN = {
    ChangeProblem.NO_ANSWER,
    ChangeProblem.TOO_YOUNG,
    ChangeProblem.NOT_ALLOWED,
    ChangeProblem.WRONG_OLD,
    ChangeProblem.NO_ACTIVATION,
}


@pytest.mark.parametrize("problem", ChangeProblem)
def test_another_new_password_is_asked_for_only_where_it_may_help(problem):
    assert problem.another_try_helps == (problem not in IN_VAIN)


@pytest.mark.parametrize("problem", ChangeProblem)
def test_every_problem_has_words(problem):
    facts = {"min_length": 12, "until": "08:00"}
    assert load_texts().text(f"change.rejected.{problem.value}", **facts)
