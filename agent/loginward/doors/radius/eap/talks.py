"""What a conversation inside a tunnel is made of: it hears octets and takes steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from loginward.doors.radius.eap.turns import NeedsAccount, NeedsPassword, Verdict, Why
from loginward.errors import ProtocolError

MAX_NAME_OCTETS: Final = 253  # RFC 2865 section 5.1: what a User-Name holds


@dataclass(frozen=True, slots=True)
class Say:
    """Octets for the peer, through the tunnel; none: only what TLS itself has to say."""

    octets: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class End:
    """The peer knows what the law said."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """There is no going on."""

    why: Why
    detail: str = ""


Step = Say | NeedsPassword | NeedsAccount | End | Broken


class Talk(Protocol):
    """A conversation inside a tunnel; `identifier` is the next EAP request's."""

    def hear(self, octets: bytes, identifier: int) -> Step:
        """Go on with what the peer said; it may have said nothing.

        Raises:
            ProtocolError: It makes no sense here.
        """

    def resume(self, verdict: Verdict, identifier: int) -> Step:
        """Go on with what the law said."""


def read_name(octets: bytes) -> str:
    """Return the name that a peer gives itself.

    Raises:
        ProtocolError: It cannot be anybody's.
    """
    try:
        name = octets.decode()
    except UnicodeDecodeError:
        raise ProtocolError("EAP: a name that is no text") from None
    if not 0 < len(octets) <= MAX_NAME_OCTETS or not name.isprintable():
        raise ProtocolError("EAP: a name that is none")
    return name
