"""A password policy entry of OpenLDAP.

Source: slapo-ppolicy(5), draft-behera-ldap-password-policy-10 section 5.2. A number that is 0 or
absent switches its rule off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.facts import LockoutPolicy

if TYPE_CHECKING:
    from loginward.directory.ldap.entry import Entry

ATTRIBUTES = (
    "pwdMaxAge",
    "pwdExpireWarning",
    "pwdGraceAuthnLimit",
    "pwdGraceExpiry",
    "pwdMustChange",
    "pwdLockout",
    "pwdMaxFailure",
    "pwdFailureCountInterval",
    "pwdLockoutDuration",
    "pwdMaxIdle",
    "pwdMinLength",
    "pwdCheckQuality",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules that a server applies to an account.

    Attributes:
        locks: pwdLockout: without it no lock holds, not even an administrator's.
        lockout: When failures lock; None where they do not.
        min_length: Of a new password, in octets; None where its quality is not checked.
    """

    dn: str
    max_age_s: int | None
    warn_s: int | None
    grace: int
    grace_s: int | None
    must_change: bool
    locks: bool
    lock_s: int | None
    lockout: LockoutPolicy | None
    max_idle_s: int | None
    min_length: int | None


NO_POLICY = Policy(
    dn="none",
    max_age_s=None,
    warn_s=None,
    grace=0,
    grace_s=None,
    must_change=False,
    locks=False,
    lock_s=None,
    lockout=None,
    max_idle_s=None,
    min_length=None,
)


def policy_of(entry: Entry) -> Policy:
    """Return the policy in an entry."""
    locks = entry.flag("pwdLockout")
    threshold, lock_s = _on(entry, "pwdMaxFailure"), _on(entry, "pwdLockoutDuration")
    lockout = None
    if locks and threshold is not None:
        lockout = LockoutPolicy(threshold, _on(entry, "pwdFailureCountInterval"), lock_s)
    return Policy(
        dn=entry.dn,
        max_age_s=_on(entry, "pwdMaxAge"),
        warn_s=_on(entry, "pwdExpireWarning"),
        grace=_on(entry, "pwdGraceAuthnLimit") or 0,
        grace_s=_on(entry, "pwdGraceExpiry"),
        must_change=entry.flag("pwdMustChange"),
        locks=locks,
        lock_s=lock_s,
        lockout=lockout,
        max_idle_s=_on(entry, "pwdMaxIdle"),
        min_length=_on(entry, "pwdMinLength") if _on(entry, "pwdCheckQuality") else None,
    )


def _on(entry: Entry, name: str) -> int | None:
    number = entry.number(name)
    return number if number is not None and number > 0 else None
