"""Changing a password, conversation by conversation."""

from __future__ import annotations

import pytest

from loginward.core.changes import ChangeProblem
from loginward.core.changing import problem_of
from loginward.core.login import Login
from loginward.core.secret import MAX_OCTETS, Secret
from tests.core.people import NOW
from tests.core.playing import play
from tests.core.scripts_changing import CHANGING

OLD = b"correct horse"


@pytest.mark.parametrize("script", CHANGING, ids=lambda script: script.name)
def test_script(script):
    play(script, Login(script.request, lambda: NOW))


@pytest.mark.parametrize(
    ("new", "again", "problem"),
    [
        pytest.param(b"battery", b"battery", None, id="taken"),
        pytest.param(b"battery", b"batery", ChangeProblem.MISMATCH, id="R41-mismatch"),
        pytest.param(b"battery", b"", ChangeProblem.MISMATCH, id="R41-typed-once"),
        pytest.param(b"", b"", ChangeProblem.TOO_SHORT, id="empty"),
        pytest.param(b"a\0b", b"a\0b", ChangeProblem.TOO_WEAK, id="nul"),
        pytest.param(b"x" * MAX_OCTETS, b"x" * MAX_OCTETS, None, id="as-long-as-may-be"),
        pytest.param(
            b"x" * (MAX_OCTETS + 1), b"x" * (MAX_OCTETS + 1), ChangeProblem.TOO_LONG, id="too-long"
        ),
        pytest.param(OLD, OLD, ChangeProblem.SAME, id="the-old-one"),
    ],
)
def test_what_is_wrong_with_a_new_one(new, again, problem):
    assert problem_of(Secret(OLD), Secret(new), Secret(again)) is problem
