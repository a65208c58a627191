"""What the result of a bind shows about a password; never more than was said.

Source: RFC 4511 appendix A, draft-behera-ldap-password-policy-11 section 7; proven against live
servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import Checked, NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.wire.ldap import ppolicy
from loginward.wire.ldap.ppolicy import PolicyError, PolicyResponse

if TYPE_CHECKING:
    from loginward.wire.ldap import Message

UNWILLING = 53

_PROBLEMS = {
    PolicyError.PASSWORD_MOD_NOT_ALLOWED: ChangeProblem.NOT_ALLOWED,
    PolicyError.MUST_SUPPLY_OLD_PASSWORD: ChangeProblem.NOT_ALLOWED,
    PolicyError.INSUFFICIENT_PASSWORD_QUALITY: ChangeProblem.TOO_WEAK,
    PolicyError.PASSWORD_TOO_SHORT: ChangeProblem.TOO_SHORT,
    PolicyError.PASSWORD_TOO_YOUNG: ChangeProblem.TOO_YOUNG,
    PolicyError.PASSWORD_IN_HISTORY: ChangeProblem.IN_HISTORY,
    PolicyError.PASSWORD_TOO_LONG: ChangeProblem.TOO_LONG,
}


def checked(answer: Message) -> Checked:
    """Return the verdict of one bind."""
    try:
        policy = _policy(answer)
    except ProtocolError as error:
        return NoVerdict(f"bind: {error}")
    code, said = answer.operation.result.code, _said(answer, policy)
    match code:
        case 0:
            return _let_in(policy, said)
        case 49 | 19 | 53 if policy.error is PolicyError.ACCOUNT_LOCKED:
            # 389 Directory Server says 53 of an inactivated account
            return Refused(Refusal.SUSPENDED if code == UNWILLING else Refusal.LOCKED, said)
        case 49 if policy.error is PolicyError.PASSWORD_EXPIRED:
            return Proven(proof=Proof.BIND, expired=True, said=said)  # said of right ones alone
        case 49 | 32:
            return Wrong(said=said)
        case _:
            return NoVerdict(f"bind: result {code}")


def changed(answer: Message) -> Changed | NotChanged:
    """Return how a change of one's own password ended.

    Raises:
        DirectoryUnavailable: The server was busy, or said nothing that can be understood.
    """
    try:
        policy = _policy(answer)
    except ProtocolError as error:
        raise DirectoryUnavailable("change", str(error)) from error
    said = f"{_said(answer, policy)} {answer.operation.result.diagnostic}".rstrip()
    if answer.operation.result.code == 0:
        return Changed()
    if policy.error in _PROBLEMS:
        return NotChanged(_PROBLEMS[policy.error], said)
    match answer.operation.result.code:
        case 19:
            return NotChanged(ChangeProblem.TOO_WEAK, said)
        case 53 if "old password" in said:
            return NotChanged(ChangeProblem.WRONG_OLD, said)
        case 8 | 50 | 53:
            return NotChanged(ChangeProblem.NOT_ALLOWED, said)
        case code:
            raise DirectoryUnavailable("change", f"result {code}")


def _let_in(policy: PolicyResponse, said: str) -> Checked:
    if policy.error is PolicyError.ACCOUNT_LOCKED:
        return Refused(Refusal.LOCKED, said)
    return Proven(
        proof=Proof.BIND,
        expired=policy.error is PolicyError.PASSWORD_EXPIRED or policy.grace_left is not None,
        must_change=policy.error is PolicyError.CHANGE_AFTER_RESET,
        grace_left=policy.grace_left,
        expires_in_s=policy.expires_in_s,
        said=said,
    )


def _policy(answer: Message) -> PolicyResponse:
    """Return what was said about the policy; nothing said is a response without parts.

    Raises:
        ProtocolError: The control is malformed, or there twice.
    """
    control = answer.control(ppolicy.OID)
    return PolicyResponse() if control is None else ppolicy.parse(control.value or b"")


def _said(answer: Message, policy: PolicyResponse) -> str:
    said = [f"result {answer.operation.result.code}"]
    if policy.error is not None:
        said.append(policy.error.name.lower().replace("_", "-"))
    if policy.grace_left is not None:
        said.append(f"grace logins left {policy.grace_left}")
    if policy.expires_in_s is not None:
        said.append(f"expires in {policy.expires_in_s} s")
    return ", ".join(said)
