"""Connections on which a person was let in on a grace login, kept for the change that it is for.

OpenLDAP spends one at every bind, so the bind that proves the old password has to be the one that
changes it.

Source: draft-behera-ldap-password-policy-11 section 5.2.6; proven against a live server.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.evidence import Proven
from loginward.crypto.tags import Tagger, equal

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.core.evidence import Checked
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.directory.ldap.binder import Kept

HELD_S = 240.0  # a proof is good for 120 s, and the conversation that rests on it for as long again
BOUND = 32


@dataclass(frozen=True, slots=True)
class _Held:
    tag: bytes  # of entry, change time and password
    kept: Kept
    since: float  # monotonic


class Held:
    """The connections of people in grace, each for one change; safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tagger = Tagger()
        self._lock = threading.Lock()
        self._held: deque[_Held] = deque()

    def hold(self, account: AccountFacts, password: Secret, kept: Kept) -> None:
        """Keep a connection bound as this person by this password; an older one of theirs goes."""
        tag = self._tag(account, password)
        self._part(lambda held: equal(held.tag, tag))
        with self._lock:
            self._held.append(_Held(tag, kept, self._clock.monotonic()))
            spare = self._held.popleft() if len(self._held) > BOUND else None
        if spare is not None:
            spare.kept.channel.close()

    def takes_over(
        self, account: AccountFacts, password: Secret
    ) -> Callable[[Checked, Kept], bool]:
        """Return what keeps the connection of a bind if that bind was a grace login."""

        def takes(checked: Checked, kept: Kept) -> bool:
            if not in_grace(checked):
                return False
            self.hold(account, password, kept)
            return True

        return takes

    def take(self, account: AccountFacts, password: Secret) -> Kept | None:
        """Return the connection of this person, if it is still good for this very password."""
        tag = self._tag(account, password)
        with self._lock:
            found = next((held for held in self._held if equal(held.tag, tag)), None)
            if found is not None:
                self._held.remove(found)
        if found is None:
            return None
        if self._is_old(found) or found.kept.channel.is_stale():
            found.kept.channel.close()
            return None
        return found.kept

    def tidy(self) -> None:
        """Close what has waited too long; cheap enough for every look at an account."""
        if self._held:
            self._part(self._is_old)

    def close(self) -> None:
        """Close all; idempotent."""
        self._part(lambda _: True)

    def _part(self, goes: Callable[[_Held], bool]) -> None:
        with self._lock:
            gone = [held for held in self._held if goes(held)]
            for held in gone:
                self._held.remove(held)
        for held in gone:
            held.kept.channel.close()

    def _is_old(self, held: _Held) -> bool:
        return self._clock.monotonic() - held.since > HELD_S

    def _tag(self, account: AccountFacts, password: Secret) -> bytes:
        return self._tagger.full(
            account.ref.lower().encode(), str(account.changed_at).encode(), password.reveal()
        )


def in_grace(proof: Checked) -> bool:
    """Return whether a bind cost a grace login."""
    return isinstance(proof, Proven) and proof.grace_left is not None
