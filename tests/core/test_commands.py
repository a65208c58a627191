"""What the end of a login says besides the decision."""

from __future__ import annotations

import pytest

from loginward.core.commands import Done
from loginward.core.decision import Decision, malformed
from loginward.core.evidence import Proof, Proven, Wrong
from loginward.core.reasons import Reason, Verdict

ALLOW = Decision(verdict=Verdict.ALLOW, reason=Reason.OK)
KEPT = Decision(verdict=Verdict.ALLOW, reason=Reason.OK, allowed_by="keep_while:mail")
CHANGE = Decision(verdict=Verdict.CHANGE, reason=Reason.CHANGE_REQUIRED)
BIND = Proven(proof=Proof.BIND)


@pytest.mark.parametrize(
    ("done", "deserves"),
    [
        pytest.param(Done(ALLOW, checked=BIND), True, id="proven-by-the-directory"),
        pytest.param(Done(KEPT, checked=BIND), False, id="an-allow-by-keep-while-makes-none"),
        pytest.param(Done(CHANGE, checked=BIND), False, id="temporary"),
        pytest.param(Done(ALLOW, checked=BIND, changed=True), False, id="the-old-one-of-a-change"),
        pytest.param(Done(ALLOW, checked=Proven(proof=Proof.VERIFIER)), False, id="by-a-verifier"),
        pytest.param(Done(ALLOW, checked=Proven(proof=Proof.EMBEDDED)), False, id="embedded"),
        pytest.param(Done(malformed(), checked=Wrong()), False, id="wrong"),
        pytest.param(Done(ALLOW), False, id="account-phase"),
    ],
)
def test_which_login_makes_a_verifier(done, deserves):
    assert done.deserves_verifier == deserves
