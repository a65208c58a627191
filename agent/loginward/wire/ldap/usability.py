"""Whether an account can be used, as a control of the entry found by a search.

Source: draft-vchu-ldap-pwd-policy-00 section 3.6 (account usable control), servers/slapd/overlays/
ppolicy.c. OpenLDAP never sets `expired` in it, and calls an account with pwdReset usable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from loginward.wire.ldap.ber import Reader, as_bool, as_int

OID: Final = "1.3.6.1.4.1.42.2.27.9.5.8"

_AVAILABLE: Final = 0x80
_NOT_AVAILABLE: Final = 0xA1


@dataclass(frozen=True, slots=True)
class Usable:
    """It can; `expires_in_s` None: the password never expires."""

    expires_in_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUsable:
    """It cannot now.

    Attributes:
        unlocks_in_s: Seconds until a lock ends by itself; None: not said.
    """

    inactive: bool
    reset: bool
    expired: bool
    grace_left: int | None = None
    unlocks_in_s: int | None = None


def parse(value: bytes) -> Usable | NotUsable:
    """Return what a control's value says.

    Raises:
        ProtocolError: It is malformed.
    """
    outer = Reader(value)
    if outer.next_is(_AVAILABLE):
        seconds = as_int(outer.take(_AVAILABLE))
        outer.end()
        return Usable(None if seconds < 0 else seconds)
    reader = Reader(outer.take(_NOT_AVAILABLE))
    outer.end()
    inactive, reset, expired = (as_bool(reader.take(tag)) for tag in (0x80, 0x81, 0x82))
    grace, unlock = reader.optional(0x83), reader.optional(0x84)
    reader.end()
    return NotUsable(
        inactive=inactive,
        reset=reset,
        expired=expired,
        grace_left=_count(grace),
        unlocks_in_s=_count(unlock),
    )


def _count(content: bytes | None) -> int | None:
    """Return a number of seconds or logins; OpenLDAP writes -1 for "not said"."""
    value = -1 if content is None else as_int(content)
    return None if value < 0 else value
