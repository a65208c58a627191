"""Retransmissions: the same request is judged once and answered alike.

Source: RFC 5080 section 2.2.2. The key is the sender's address and port, the socket and the
Identifier; another Request Authenticator under the same key is another request.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

KEPT_S: Final = 16.0  # a NAS asks three times, five seconds apart
_MOST: Final = 65_536  # some 36 MB


class Seen(enum.Enum):
    """What is known of a request."""

    NEW = "new"
    IN_FLIGHT = "in-flight"  # to be dropped: its answer leaves once
    ANSWERED = "answered"  # to be answered again with the same octets


@dataclass(slots=True, eq=False)
class Entry:
    """One request.

    Attributes:
        at: When it came, seconds of CLOCK_MONOTONIC.
        reply: What was answered; None: nothing yet.
    """

    authenticator: bytes
    at: float
    reply: bytes | None = None


class Duplicates:
    """The requests of the last seconds; used by one thread.

    Only what a client has signed may be looked up: nobody else can push its entries out.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[int, str, int, int], Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def look(
        self, key: tuple[int, str, int, int], authenticator: bytes, now: float
    ) -> tuple[Seen, Entry]:
        """Return what is known of a request, which is in flight from now on if it is new.

        Args:
            key: Socket, address, port, Identifier.
        """
        self._forget_old(now)
        known = self._entries.get(key)
        if known is not None and known.authenticator == authenticator:
            return (Seen.IN_FLIGHT if known.reply is None else Seen.ANSWERED), known
        entry = Entry(authenticator, now)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        return Seen.NEW, entry

    def forget(self, key: tuple[int, str, int, int], entry: Entry) -> None:
        """Let a request that was dropped unanswered be asked again."""
        if self._entries.get(key) is entry:
            del self._entries[key]

    def _forget_old(self, now: float) -> None:
        entries = self._entries
        while entries:
            oldest = next(iter(entries.values()))
            if now - oldest.at < KEPT_S and len(entries) < _MOST:
                return
            entries.popitem(last=False)
