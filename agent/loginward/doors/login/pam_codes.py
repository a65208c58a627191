"""What a PAM application gets to hear as a code, for every result the daemon can send.

On the wire go verdict and reason; agent/native/pam_codes.h maps them. This is the same table for
`why` and for the tests that hold both to each other. Source: pam(3), and the table of the design.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

SUCCESS: Final = "PAM_SUCCESS"
NEW_AUTHTOK_REQD: Final = "PAM_NEW_AUTHTOK_REQD"
IGNORE: Final = "PAM_IGNORE"
_AUTH_ERR: Final = "PAM_AUTH_ERR"
_AUTHTOK_ERR: Final = "PAM_AUTHTOK_ERR"
_ACCT_EXPIRED: Final = "PAM_ACCT_EXPIRED"
_PERM_DENIED: Final = "PAM_PERM_DENIED"
_UNAVAIL: Final = "PAM_AUTHINFO_UNAVAIL"
_TRY_AGAIN: Final = "PAM_TRY_AGAIN"
_UNKNOWN: Final = "PAM_USER_UNKNOWN"

_WRONG: Final = (_AUTH_ERR, _PERM_DENIED, _AUTH_ERR, _AUTH_ERR)
_DENIED: Final = (_PERM_DENIED, _PERM_DENIED, _PERM_DENIED, _PERM_DENIED)
_ENDED: Final = (_PERM_DENIED, _ACCT_EXPIRED, _PERM_DENIED, _PERM_DENIED)
_SILENT: Final = (_UNAVAIL, _PERM_DENIED, _TRY_AGAIN, _AUTHTOK_ERR)

_PHASES: Final = (Phase.AUTHN, Phase.ACCT, Phase.CHAUTHTOK_PRELIM, Phase.CHAUTHTOK_UPDATE)

REFUSED: Final[Mapping[Reason, tuple[str, str, str, str]]] = {
    Reason.OK: _WRONG,  # a refusal that is none: not in
    Reason.WRONG_CREDENTIALS: _WRONG,
    Reason.USER_UNKNOWN: (_UNKNOWN, _UNKNOWN, IGNORE, IGNORE),
    Reason.USER_STAGED: _ENDED,
    Reason.USER_SUSPENDED: _ENDED,
    Reason.PASSWORD_PENDING: _DENIED,
    Reason.ACCOUNT_LOCKED: _DENIED,
    Reason.PASSWORD_EXPIRED: _ENDED,
    Reason.CHANGE_REQUIRED: _DENIED,
    Reason.CODE_REQUIRED: _WRONG,
    Reason.CODE_WRONG: _WRONG,
    Reason.ENROLMENT_OVERDUE: _DENIED,
    Reason.NOT_PERMITTED: (_PERM_DENIED, _PERM_DENIED, _PERM_DENIED, _AUTHTOK_ERR),
    Reason.SOURCE_THROTTLED: _DENIED,
    Reason.OFFLINE_TOO_LONG: _SILENT,
    Reason.OFFLINE_NEVER_SEEN: _SILENT,
    Reason.DIRECTORY_UNAVAILABLE: _SILENT,
    Reason.MALFORMED: _WRONG,
}
"""Codes of a refusal: authenticate, account phase, preliminary check and update of a change."""

_CHANGE: Final[Mapping[Phase, str]] = {
    Phase.AUTHN: SUCCESS,
    Phase.ACCT: NEW_AUTHTOK_REQD,
    Phase.CHAUTHTOK_PRELIM: SUCCESS,
}
_CHANGES: Final = frozenset({Reason.PASSWORD_EXPIRED, Reason.CHANGE_REQUIRED})


def pam_code(phase: Phase, verdict: Verdict, reason: Reason) -> str:
    """Return the name of the PAM code; whatever makes no sense together lets nobody in."""
    allowed = verdict is Verdict.ALLOW and reason is Reason.OK
    if phase in {Phase.OPEN, Phase.CLOSE}:
        return SUCCESS if allowed else IGNORE
    if allowed:
        return SUCCESS
    if verdict is Verdict.CHANGE and reason in _CHANGES and phase in _CHANGE:
        return _CHANGE[phase]
    return REFUSED[reason][_PHASES.index(phase)]
