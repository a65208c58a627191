"""What a server says about a password beside the result: the password policy response control.

Source: draft-behera-ldap-password-policy-11 section 6.2; passwordTooLong as in slapo-ppolicy(5).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.ldap import ber
from loginward.wire.ldap.ber import Reader, as_count
from loginward.wire.ldap.messages import Control

OID: Final = "1.3.6.1.4.1.42.2.27.8.5.1"
REQUEST: Final = Control(OID)

_WARNING: Final = 0xA0
_TIME_BEFORE_EXPIRATION: Final = 0x80
_GRACE_REMAINING: Final = 0x81
_ERROR: Final = 0x81


class PolicyError(enum.IntEnum):
    """What stands against a password or an account."""

    PASSWORD_EXPIRED = 0
    ACCOUNT_LOCKED = 1
    CHANGE_AFTER_RESET = 2
    PASSWORD_MOD_NOT_ALLOWED = 3
    MUST_SUPPLY_OLD_PASSWORD = 4
    INSUFFICIENT_PASSWORD_QUALITY = 5
    PASSWORD_TOO_SHORT = 6
    PASSWORD_TOO_YOUNG = 7
    PASSWORD_IN_HISTORY = 8
    PASSWORD_TOO_LONG = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyResponse:
    """What the control says; at most one of the two warnings.

    Attributes:
        expires_in_s: Seconds until the password expires.
        grace_left: Logins past expiry that are left after this one.
    """

    expires_in_s: int | None = None
    grace_left: int | None = None
    error: PolicyError | None = None


def parse(value: bytes) -> PolicyResponse:
    """Return what a control's value says.

    Raises:
        ProtocolError: It is malformed.
    """
    outer = Reader(value)
    reader = Reader(outer.take(ber.SEQUENCE))
    outer.end()
    warning = reader.optional(_WARNING)
    error = reader.optional(_ERROR)
    reader.end()
    expires_in_s, grace_left = (None, None) if warning is None else _warning(warning)
    return PolicyResponse(
        expires_in_s=expires_in_s,
        grace_left=grace_left,
        error=None if error is None else _error(as_count(error)),
    )


def _warning(content: bytes) -> tuple[int | None, int | None]:
    reader = Reader(content)
    expiration = reader.optional(_TIME_BEFORE_EXPIRATION)
    grace = reader.take(_GRACE_REMAINING) if expiration is None else None
    reader.end()
    return (
        None if expiration is None else as_count(expiration),
        None if grace is None else as_count(grace),
    )


def _error(code: int) -> PolicyError:
    try:
        return PolicyError(code)
    except ValueError:
        raise ProtocolError("LDAP: a password policy error that nobody defined") from None
