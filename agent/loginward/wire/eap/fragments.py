"""TLS in pieces that fit into EAP packets: EAP-TLS, EAP-TTLS and PEAP cut it the same way.

Source: RFC 5216 sections 2.1.5 and 3.1, RFC 5281 section 9.1, draft-kamath-pppext-peapv0-00
section 2.2: one octet of flags, and the length of the whole before a first piece.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from loginward.errors import ProtocolError

MAX_MESSAGE: Final = 65_536  # octets of TLS in one turn; a long chain of certificates has 10,000
MOST_PACKET: Final = 1_400  # octets of an EAP packet of ours: one frame of Ethernet
LEAST_PACKET: Final = 128
USUAL_PACKET: Final = 1_000  # where the client says nothing of its links

_LENGTH: Final = 0x80
_MORE: Final = 0x40
_START: Final = 0x20
_VERSION: Final = 0x07  # EAP-TTLS and PEAP; EAP-TLS has nothing there and reads nothing
_LINK_OCTETS: Final = 4  # RFC 3579 section 2.4: the head of an EAPOL frame is in Framed-MTU
_EAP_OCTETS: Final = 6  # code, identifier, length (2), type, flags
_LENGTH_OCTETS: Final = 4


def packet_octets(framed_mtu: int | None) -> int:
    """Return the octets that an EAP packet of ours may have.

    Args:
        framed_mtu: What the client's Framed-MTU says; None: nothing.
    """
    if framed_mtu is None:
        return USUAL_PACKET
    return max(LEAST_PACKET, min(MOST_PACKET, framed_mtu - _LINK_OCTETS))


@dataclass(frozen=True, slots=True)
class Fragment:
    """What follows the type in a packet of these methods.

    Attributes:
        version: Of the method, for EAP-TTLS and PEAP.
        total: Octets of the whole message, where it says so.
        more: Whether further pieces follow.
    """

    octets: bytes = field(default=b"", repr=False)
    version: int = 0
    total: int | None = None
    more: bool = False
    start: bool = False

    @property
    def is_ack(self) -> bool:
        """Whether it carries nothing and only asks to go on."""
        return not self.octets and not self.more


def parse(body: bytes) -> Fragment:
    """Return a fragment.

    Raises:
        ProtocolError: It is malformed.
    """
    if not body:
        raise ProtocolError("EAP: no flags")
    flags, at, total = body[0], 1, None
    if flags & _LENGTH:
        at += _LENGTH_OCTETS
        if len(body) < at:
            raise ProtocolError("EAP: a length is cut short")
        total = int.from_bytes(body[1:at], "big")
        if total > MAX_MESSAGE:
            raise ProtocolError("EAP: a message is too long")
    octets, more = body[at:], bool(flags & _MORE)
    if more and not octets:
        raise ProtocolError("EAP: a piece of nothing")
    return Fragment(octets, flags & _VERSION, total, more, bool(flags & _START))


def render(fragment: Fragment) -> bytes:
    """Return what follows the type."""
    flags = fragment.version
    flags |= _MORE if fragment.more else 0
    flags |= _START if fragment.start else 0
    if fragment.total is None:
        return bytes((flags,)) + fragment.octets
    return bytes((flags | _LENGTH,)) + fragment.total.to_bytes(4, "big") + fragment.octets


START: Final = render(Fragment(start=True))
ACK: Final = render(Fragment())


class Incoming:
    """Collects a peer's pieces until its message is whole."""

    __slots__ = ("_pieces", "_total", "held")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._total: int | None = None
        self.held = 0  # octets

    def take(self, fragment: Fragment) -> bytes | None:
        """Take a piece; return the message if it is whole now. None: it wants an acknowledgement.

        Raises:
            ProtocolError: The message is too long, or not as long as it said.
        """
        if fragment.start:
            raise ProtocolError("EAP: only a server starts")
        if fragment.total is not None:
            if self._total not in {None, fragment.total} or (self._pieces and self._total is None):
                raise ProtocolError("EAP: a message changes its length")
            self._total = fragment.total
        self.held += len(fragment.octets)
        if self.held > (MAX_MESSAGE if self._total is None else self._total):
            raise ProtocolError("EAP: a message is longer than it may be")
        self._pieces.append(fragment.octets)
        if fragment.more:
            return None
        if self._total not in {None, self.held}:
            raise ProtocolError("EAP: a message is shorter than it said")
        whole = b"".join(self._pieces)
        self._pieces, self._total, self.held = [], None, 0
        return whole


class Outgoing:
    """Cuts a message of ours into pieces, one for each acknowledgement.

    Args:
        message: Empty gives one piece, which is an acknowledgement.
        most_octets: An EAP packet's, its head included.
    """

    __slots__ = ("_at", "_message", "_most_octets")

    def __init__(self, message: bytes, most_octets: int) -> None:
        self._message = message
        self._most_octets = most_octets - _EAP_OCTETS
        self._at = 0

    @property
    def left(self) -> int:
        """Octets that were not taken."""
        return len(self._message) - self._at

    @property
    def is_done(self) -> bool:
        """Whether every piece was taken."""
        return self._at >= len(self._message)

    def next(self) -> bytes:
        """Return the next piece as what follows the type."""
        whole = len(self._message)
        first = self._at == 0
        room = self._most_octets
        total = None
        if first and whole > room:
            total, room = whole, room - _LENGTH_OCTETS
        piece = self._message[self._at : self._at + room]
        self._at += len(piece)
        return render(Fragment(piece, total=total, more=self._at < whole))
