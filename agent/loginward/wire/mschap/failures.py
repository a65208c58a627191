"""What a refused peer is told, in the words of MS-CHAPv2.

Source: RFC 2759 section 6.
"""

from __future__ import annotations

import enum

MAX_MESSAGE_OCTETS = 160  # an attribute has room for 246 with all that stands before it


class Failure(enum.IntEnum):
    """The values of E that are used."""

    ACCT_DISABLED = 647
    PASSWD_EXPIRED = 648
    NO_DIALIN_PERMISSION = 649
    AUTHENTICATION_FAILURE = 691


def failure_text(failure: Failure, challenge: bytes, message: str = "") -> bytes:
    """Return the failure as a text; there is no second try on the same way (R=0).

    Args:
        challenge: 16 random octets, for which nobody has a use then.
        message: What the person may read.
    """
    octets = " ".join(message.split()).encode()[:MAX_MESSAGE_OCTETS]
    shown = octets.decode(errors="ignore").encode()  # no half character
    head = f"E={failure.value} R=0 C={challenge.hex().upper()} V=3 M="
    return head.encode() + shown
