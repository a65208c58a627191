"""A password on its way through the program, unreadable by accident."""

from __future__ import annotations

import hmac

MAX_OCTETS = 1024  # longer is malformed before anything is reserved


class Secret:
    """Octets that no repr, log line or traceback shows.

    The octets are exactly what the person typed: never decoded, folded or prepared.
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def reveal(self) -> bytes:
        """Return the octets; call it only where they are used."""
        return self._octets

    @property
    def well_formed(self) -> bool:
        """Whether the octets may be checked at all.

        An empty password would bind as nobody with success (RFC 4513 section 5.1.2).
        """
        return 0 < len(self._octets) <= MAX_OCTETS and 0 not in self._octets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        raise TypeError("a secret is not hashable")

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")
