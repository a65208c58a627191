"""What may be concluded of a password policy's errors, at a bind and at a change of password."""

from __future__ import annotations

import pytest

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import Proven
from loginward.directory.ldap import verdict
from loginward.errors import DirectoryUnavailable
from loginward.wire.ldap import BindResponse, Control, ExtendedResponse, Message, Result, ppolicy
from loginward.wire.ldap.ppolicy import PolicyError


@pytest.mark.parametrize("error", PolicyError)
@pytest.mark.parametrize("code", [0, 19, 49, 53])
def test_no_error_about_the_account_lets_in_without_a_word(code: int, error: PolicyError) -> None:
    control = Control(ppolicy.OID, value=bytes([0x30, 3, 0x81, 1, error]))
    found = verdict.checked(Message(2, BindResponse(Result(code=code)), (control,)))

    plain = isinstance(found, Proven) and not (found.expired or found.must_change)
    # errors past these speak of changing passwords, which nobody asked for
    assert plain == (code == 0 and error > PolicyError.CHANGE_AFTER_RESET)


def changed(code: int, error: PolicyError | None = None, said: str = ""):
    controls = ()
    if error is not None:
        controls = (Control(ppolicy.OID, value=bytes([0x30, 3, 0x81, 1, error])),)
    return Message(3, ExtendedResponse(Result(code=code, diagnostic=said)), controls)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (changed(19, PolicyError.PASSWORD_TOO_SHORT), ChangeProblem.TOO_SHORT),
        (changed(19, PolicyError.PASSWORD_IN_HISTORY), ChangeProblem.IN_HISTORY),
        (changed(19, PolicyError.PASSWORD_TOO_YOUNG), ChangeProblem.TOO_YOUNG),
        (changed(19, PolicyError.PASSWORD_TOO_LONG), ChangeProblem.TOO_LONG),
        (changed(19, PolicyError.INSUFFICIENT_PASSWORD_QUALITY), ChangeProblem.TOO_WEAK),
        (changed(53, PolicyError.PASSWORD_MOD_NOT_ALLOWED), ChangeProblem.NOT_ALLOWED),
        (changed(53, PolicyError.MUST_SUPPLY_OLD_PASSWORD), ChangeProblem.NOT_ALLOWED),
        (changed(19), ChangeProblem.TOO_WEAK),
        (changed(50), ChangeProblem.NOT_ALLOWED),
        (changed(53, said="unwilling to verify old password"), ChangeProblem.WRONG_OLD),
    ],
)
def test_why_a_password_was_not_taken(message: Message, problem: ChangeProblem) -> None:
    outcome = verdict.changed(message)

    assert isinstance(outcome, NotChanged)
    assert outcome.problem is problem


def test_a_password_that_was_taken() -> None:
    assert verdict.changed(changed(0)) == Changed()


@pytest.mark.parametrize("code", [1, 2, 3, 11, 51, 52, 80])
def test_a_busy_server_took_and_refused_nothing(code: int) -> None:
    with pytest.raises(DirectoryUnavailable):
        verdict.changed(changed(code))


def test_a_change_whose_control_cannot_be_read_is_unknown() -> None:
    broken = Message(3, ExtendedResponse(Result(code=0)), (Control(ppolicy.OID, value=b"x"),))
    with pytest.raises(DirectoryUnavailable):
        verdict.changed(broken)
