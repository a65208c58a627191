"""What a server adds to the result of a bind about the password's policy.

Source: draft-behera-ldap-password-policy-10 section 6.2; the account usability control of the
same makers, as OpenLDAP's slapo-ppolicy(5) has it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from loginward.errors import ProtocolError
from loginward.wire import ber

USABILITY = "1.3.6.1.4.1.42.2.27.9.5.8"

_WARNING, _ERROR = 0xA0, 0x81
_TIME_BEFORE_EXPIRATION, _GRACE_REMAINING = 0x80, 0x81


class PolicyError(enum.Enum):
    """The `error` of the response."""

    PASSWORD_EXPIRED = 0
    ACCOUNT_LOCKED = 1
    CHANGE_AFTER_RESET = 2
    MOD_NOT_ALLOWED = 3
    MUST_SUPPLY_OLD = 4
    INSUFFICIENT_QUALITY = 5
    TOO_SHORT = 6
    TOO_YOUNG = 7
    IN_HISTORY = 8
    TOO_LONG = 9


@dataclass(frozen=True, slots=True)
class PolicyResponse:
    """The decoded control.

    Attributes:
        expires_in_s: Seconds until the password expires, if the server warns of it.
        grace_left: Logins left past expiry, if in grace.
    """

    error: PolicyError | None = None
    expires_in_s: int | None = None
    grace_left: int | None = None

    def __str__(self) -> str:
        """Return it as the draft spells it, for `why`."""
        said = []
        if self.error is not None:
            said.append(f"error={self.error.name.lower()}")
        if self.expires_in_s is not None:
            said.append(f"timeBeforeExpiration={self.expires_in_s}")
        if self.grace_left is not None:
            said.append(f"graceAuthNsRemaining={self.grace_left}")
        return " ".join(said) or "no error"


def decode(value: bytes) -> PolicyResponse:
    """Return the response in the control's value.

    Raises:
        ProtocolError: It is malformed, or an error code that the draft does not know.
    """
    error, expires, grace = None, None, None
    parts = ber.elements(ber.only(value, ber.SEQUENCE))
    if [part.tag for part in parts] not in ([], [_WARNING], [_ERROR], [_WARNING, _ERROR]):
        raise ProtocolError("ppolicy: parts unknown or out of order")
    for tag, content in parts:
        if tag == _WARNING:
            expires, grace = _warning(content)
        else:
            error = _error(content)
    return PolicyResponse(error, expires, grace)


def _warning(content: bytes) -> tuple[int | None, int | None]:
    parts = ber.elements(content)
    if len(parts) != 1 or parts[0].tag not in {_TIME_BEFORE_EXPIRATION, _GRACE_REMAINING}:
        raise ProtocolError("ppolicy: a warning unknown")
    number = ber.integer(parts[0].content)
    if number < 0:
        raise ProtocolError("ppolicy: a warning below zero")
    return (number, None) if parts[0].tag == _TIME_BEFORE_EXPIRATION else (None, number)


def _error(content: bytes) -> PolicyError:
    try:
        return PolicyError(ber.integer(content))
    except ValueError as error:
        raise ProtocolError("ppolicy: an error unknown") from error
