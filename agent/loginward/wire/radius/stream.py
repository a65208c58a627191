"""Packets cut out of a stream of octets.

Source: RFC 6613 section 2.6.4: after a length that cannot be, nobody knows where the next packet
begins, so the connection is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.errors import ProtocolError
from loginward.wire.radius.packet import HEADER_OCTETS, MAX_OCTETS

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = 4  # octets that say how long a packet is


class PacketStream:
    """What came of one direction of a connection; holds less than one packet."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def held_octets(self) -> int:
        """Return how much of a packet has come that is not whole."""
        return len(self._held)

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Yield the packets that are whole now, in order.

        Raises:
            ProtocolError: A length cannot be; nothing after it can be read.
        """
        octets = self._held + octets
        at = 0
        while len(octets) - at >= _HEAD:
            length = octets[at + 2] << 8 | octets[at + 3]
            if not HEADER_OCTETS <= length <= MAX_OCTETS:
                raise ProtocolError("RADIUS: a Length out of range in a stream")
            if len(octets) - at < length:
                break
            at += length
            self._held = octets[at:]
            yield octets[at - length : at]
        self._held = octets[at:]
