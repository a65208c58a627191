"""One total table from verdict and reason to what leaves (design, "The law, in types")."""

from __future__ import annotations

import itertools

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.doors.radius.port import ResultTurn
from loginward.doors.radius.verdicts import Answer, answer_to

AWAY = {Reason.OFFLINE_NEVER_SEEN, Reason.DIRECTORY_UNAVAILABLE}


@pytest.mark.parametrize("how", ["silent", "reject"])
def test_nobody_is_accepted_but_by_an_allow_and_silence_is_for_who_may_be_known_elsewhere(how):
    for verdict, reason in itertools.product(Verdict, Reason):
        answer = answer_to(ResultTurn(verdict=verdict, reason=reason), how)
        if verdict is Verdict.ALLOW:
            assert answer is Answer.ACCEPT
        elif reason in AWAY and how == "silent":
            assert answer is Answer.SILENCE
        else:
            assert answer is Answer.REJECT
