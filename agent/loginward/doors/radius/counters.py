"""What the RADIUS door counts, by client and event, and what it warns of once an hour."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = logging.getLogger("loginward")
WARN_EVERY_S: Final = 3600.0
UNKNOWN: Final = "-"  # a sender who is no client
_MOST_STRANGERS: Final = 16  # an hour: a sender can write any address
_WARNED: Final[Mapping[str, str]] = {
    "unsigned": "sent requests without a Message-Authenticator, which were dropped; update it, "
    "or set require_message_authenticator: false for it",
    "bad-authenticator": "sent requests that its secret did not sign, which were dropped; "
    "compare the secret on both sides",
    "malformed": "sent packets that break RFC 2865, which were dropped",
    "shed": "was not answered because too many requests were waiting",
    "eap-handshake": "has a device that could not agree with us on TLS",
    "eap-certificate": "has a device whose certificate was refused",
    "eap-revocation": "has devices whose certificates were refused",
    "tls-no-handshake": "failed in the handshake of TLS",
    "tls-wrong-name": "showed a certificate without its tls_name among its DNS names",
    "tls-not-for-clients": "showed a certificate that is not for clients (clientAuth)",
    "tls-not-configured": "came by TLS, and has no tls_name",
    "tls-full": "was turned away, for it has too many connections",
}


class Counters:
    """Counts for any thread; warnings are for the loop's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        # When, and the count then; by the library's words too, which are constants.
        self._warned: dict[tuple[str, str, str], tuple[float, int]] = {}
        self._strangers: dict[str, float] = {}  # addresses told of, and when

    def add(self, client: str, event: str) -> None:
        """Count an event, such as "duplicate", of a client by its name."""
        with self._lock:
            self._counts[client, event] += 1

    def warn(self, client: str, event: str, now: float, detail: str = "") -> None:
        """Count, and log one line a client and hour: how often it happened since the last one.

        Args:
            detail: What a library said of this one; other words are another line.
        """
        self.add(client, event)
        count = self._counts[client, event]
        at, before = self._warned.get((client, event, detail), (None, count - 1))
        if at is not None and now - at < WARN_EVERY_S:
            return
        self._warned[client, event, detail] = now, count
        often = f" ({count - before} times since the last warning)" if count - before > 1 else ""
        said = f": {detail}" if detail else ""
        _log.warning("loginward: RADIUS client %s %s%s%s", client, _WARNED[event], said, often)

    def stranger(self, address: str, now: float) -> None:
        """Count what nobody we know sent, and log a line an address and hour, of a few addresses."""
        self.add(UNKNOWN, "unknown-client")
        told = self._strangers
        if address in told and now - told[address] < WARN_EVERY_S:
            return
        self._strangers = told = {a: at for a, at in told.items() if now - at < WARN_EVERY_S}
        if len(told) < _MOST_STRANGERS:
            told[address] = now
            _log.warning(
                "loginward: RADIUS packets from %s are dropped: it is no client's", address
            )

    def read(self) -> dict[tuple[str, str], int]:
        """Return the counts by client and event."""
        with self._lock:
            return dict(self._counts)
