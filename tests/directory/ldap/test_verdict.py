"""What may be concluded from the result of a bind (I4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.evidence import NoVerdict, Proven, Refusal, Refused, Wrong
from loginward.directory.ldap import verdict
from loginward.wire.ldap import BindResponse, Control, Message, Result, ppolicy


def answer(code: int, control: str | bytes | None = "3000") -> Message:
    value = bytes.fromhex(control) if isinstance(control, str) else control
    controls = () if value is None else (Control(ppolicy.OID, value=value),)
    return Message(2, BindResponse(Result(code=code)), controls)


@pytest.mark.parametrize(
    ("code", "control", "kind"),
    [
        (0, "3000", Proven),
        (0, None, Proven),
        (0, "3003810101", Refused),
        (49, "3000", Wrong),
        (49, None, Wrong),
        (49, "3003810100", Proven),
        (49, "3003810101", Refused),
        (19, "308400000003810101", Refused),
        (53, "3003810101", Refused),
        (32, None, Wrong),
        *((code, "3000", NoVerdict) for code in (1, 2, 3, 8, 10, 11, 13, 19, 48, 50, 51, 52, 53)),
        (80, "3003810100", NoVerdict),
        (0, "30", NoVerdict),
        (49, "3003810163", NoVerdict),
    ],
)
def test_each_result(code, control, kind):
    assert isinstance(verdict.checked(answer(code, control)), kind)


def test_what_comes_with_a_proof():
    grace = verdict.checked(answer(0, "3005a003810102"))
    assert (grace.expired, grace.grace_left, grace.must_change) == (True, 2, False)
    reset = verdict.checked(answer(0, "3003810102"))
    assert (reset.expired, reset.must_change) == (False, True)
    warned = verdict.checked(answer(0, "3007a0058003069762"))
    assert (warned.expired, warned.expires_in_s) == (False, 431970)


def test_389_tells_suspended_from_locked():
    assert verdict.checked(answer(53, "3003810101")).refusal is Refusal.SUSPENDED
    assert verdict.checked(answer(19, "3003810101")).refusal is Refusal.LOCKED


def test_a_control_that_is_there_twice_is_not_believed():
    both = answer(0).controls + answer(0, "3003810101").controls
    assert isinstance(verdict.checked(Message(2, BindResponse(Result(code=0)), both)), NoVerdict)


@pytest.mark.fuzz
@given(st.integers(0, 123), st.none() | st.binary(max_size=20))
def test_a_proof_needs_a_result_that_says_so(code, value):
    """Whatever comes: right only with success, or 49 with passwordExpired."""
    found = verdict.checked(answer(code, value))
    if isinstance(found, Proven):
        assert code == 0 or (code == 49 and found.expired)
    if isinstance(found, Wrong):
        assert code in {49, 32}
