"""Octets of a stream into whole LDAP messages.

Source: RFC 4511 section 5.2.1.
"""

from __future__ import annotations

from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.ldap import ber

MAX_MESSAGE: Final = 65_536  # octets; answers to binds and extended requests are far smaller


class Framer:
    """Collects octets until a message is whole.

    Args:
        max_message: Octets of the largest message that is waited for.
    """

    __slots__ = ("_held", "_max_message")

    def __init__(self, max_message: int = MAX_MESSAGE) -> None:
        self._held = b""
        self._max_message = max_message

    @property
    def spare(self) -> int:
        """Return how many octets of an unfinished message are held."""
        return len(self._held)

    def feed(self, octets: bytes) -> list[bytes]:
        """Take octets; return the messages that are whole now.

        Raises:
            ProtocolError: This is no LDAP message, or one too large to wait for.
        """
        held, start = self._held + octets, 0
        messages = []
        while start < len(held):
            if held[start] != ber.SEQUENCE:
                raise ProtocolError("LDAP: no message begins like this")
            found = ber.header(held, start)
            if found is not None and found[1] - start > self._max_message:
                raise ProtocolError("LDAP: a message is too large")
            if found is None or found[1] > len(held):
                break
            messages.append(held[start : found[1]])
            start = found[1]
        self._held = held[start:]
        return messages
