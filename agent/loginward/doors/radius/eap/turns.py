"""What passes between the door and an EAP session: turns of the session, verdicts of the law.

They are values of msgspec because they cross a socket (`frames`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

import msgspec

from loginward.core.secret import Secret
from loginward.wire.eap.packet import Type


class EapMethod(enum.Enum):
    """How people may prove themselves, by the words of `clients[].methods`."""

    TTLS_PAP = "eap-ttls-pap"
    TTLS_GTC = "eap-ttls-gtc"
    PEAP_GTC = "peap-gtc"
    TLS = "eap-tls"


TYPE_OF: Final = {
    EapMethod.TTLS_PAP: Type.TTLS,
    EapMethod.TTLS_GTC: Type.TTLS,
    EapMethod.PEAP_GTC: Type.PEAP,
    EapMethod.TLS: Type.TLS,
}
_BY_WORD: Final = {method.value: method for method in EapMethod}


def methods_of(words: Iterable[str]) -> tuple[EapMethod, ...]:
    """Return the methods of EAP among those that a client may use, in its order."""
    return tuple(_BY_WORD[word] for word in words if word in _BY_WORD)


class Why(enum.Enum):
    """Why a session ended before, or without, a verdict; for counters and the log."""

    MALFORMED = "malformed"  # the peer broke the protocol
    NO_METHOD = "no-method"  # none that both sides allow
    HANDSHAKE = "handshake"  # TLS; `detail` has the library's words
    CERTIFICATE = "certificate"  # the person's names nobody, or several
    REVOCATION = "revocation"  # the list of revoked certificates is stale or cannot be read
    NAME_CHANGED = "name-changed"  # two names in one tunnel
    PEER_REFUSED = "peer-refused"  # accepted by us, and the peer said no
    CANNOT_ASK = "cannot-ask"  # this method has no way to ask for more
    TOO_LONG = "too-long"  # too many rounds
    UNKNOWN_SESSION = "unknown-session"  # it ended, or took too long
    BUSY = "busy"  # no room for another session: best left unanswered
    GONE = "gone"  # the process that held it ended
    FAULT = "fault"  # of ours; the log has it


class Send(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """An EAP packet for the peer, in an Access-Challenge."""

    eap: bytes


class NeedsPassword(msgspec.Struct, frozen=True, tag=2, array_like=True):
    """The law must judge a password; `resume` goes on.

    Attributes:
        identity: The name inside the tunnel, with its realm; the only one that counts.
        can_ask: Whether `Ask` may be answered; else there is no way to ask.
    """

    method: EapMethod
    identity: str
    password: Secret
    can_ask: bool


class NeedsAccount(msgspec.Struct, frozen=True, tag=3, array_like=True):
    """The law must judge an account whose certificate is proven; `resume` goes on."""

    method: EapMethod
    identity: str


class Accepted(msgspec.Struct, frozen=True, tag=4, array_like=True):
    """The law has accepted and the peer knows; the end.

    Attributes:
        eap: EAP-Success, for an Access-Accept.
        msk: 64 octets (`wire.radius.password.mppe_keys`).
    """

    eap: bytes
    msk: Secret


class Rejected(msgspec.Struct, frozen=True, tag=5, array_like=True):
    """The law has refused and the peer knows; the end.

    Attributes:
        eap: EAP-Failure, for an Access-Reject.
    """

    eap: bytes


class Failed(msgspec.Struct, frozen=True, tag=6, array_like=True):
    """The session broke: nothing was judged, or it was in vain; the end.

    Attributes:
        eap: EAP-Failure, for an Access-Reject.
        detail: For the log: words of the library, never the peer's.
    """

    why: Why
    eap: bytes
    detail: str = ""


class Ignored(msgspec.Struct, frozen=True, tag=7, array_like=True):
    """The packet answers another request (RFC 3748 section 4.2): no reply, nothing changed."""


Turn = Send | NeedsPassword | NeedsAccount | Accepted | Rejected | Failed | Ignored
# After one of these the session is no more.
LAST: Final = (Accepted, Rejected, Failed)


class Accept(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """The law lets the person in."""


class Reject(msgspec.Struct, frozen=True, tag=2, array_like=True):
    """The law does not."""


class Ask(msgspec.Struct, frozen=True, tag=3, array_like=True):
    """Something more must be typed.

    Attributes:
        prompt: What the person reads.
    """

    prompt: str


Verdict = Accept | Reject | Ask
