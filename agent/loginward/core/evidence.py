"""What checking a password showed; never more than was seen."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Proof(enum.Enum):
    """How a person proved who they are."""

    BIND = "bind"
    VERIFIER = "verifier"
    EMBEDDED = "embedded"
    ALREADY = "already"  # by key, certificate, or an earlier phase


class Refusal(enum.Enum):
    """A directory's refusal that says something other than "wrong password"."""

    LOCKED = "locked"
    SUSPENDED = "suspended"
    NOT_STARTED = "not-started"
    NOT_PERMITTED = "not-permitted"  # logon hours, workstation


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The password is right, which is not yet a login.

    Attributes:
        expired: The directory says the password has expired (with the right password).
        must_change: It was set by an administrator and must be changed.
        grace_left: Logins past expiry that are left after this one; None: not in grace.
        expires_in_s: Seconds to expiry as the directory said; None: it did not say.
        said: The raw result for `why`, without secrets.
    """

    proof: Proof
    expired: bool = False
    must_change: bool = False
    grace_left: int | None = None
    expires_in_s: int | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The password is not right; the only evidence that counts as a failure.

    Attributes:
        repeat: Known wrong already at this change time: not sent again, not counted again.
    """

    repeat: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The directory refused without a verdict on the password."""

    refusal: Refusal
    said: str = ""


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """Nothing was learnt: unreachable, busy, out of time; never counts.

    Attributes:
        stage: The option or step that failed, for the log: "connect", "directory.budget_s".
    """

    stage: str


Checked = Proven | Wrong | Refused | NoVerdict
