"""What a later account phase may reuse of the authenticate before it, for a short while.

The id is the client's proof that both phases are one transaction; it is unguessable, bound to the
asking uid and service, and good for nothing else.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loginward.runtime.gather import FACTS_HOLD

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.core.evidence import Proven
    from loginward.core.readings import Fresh
    from loginward.core.requests import LoginRequest

PROOF_FOR_S = 120.0  # other modules may converse between the two phases
# What may no longer be used is let go: by the thousand, readings weigh.
READING_FOR_S = FACTS_HOLD.total_seconds()
_BOUND = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """An authenticate that proved its password.

    Attributes:
        checked: What the check showed; None after a change of the password.
        reading: The facts it rested on; None, as after a few seconds: read them again.
        generation: Of the account then.
        at: CLOCK_MONOTONIC, seconds.
    """

    account_id: str
    checked: Proven | None
    reading: Fresh | None
    generation: int
    at: float
    real_uid: int
    service: str


class Transactions:
    """The last few thousand proofs, by transaction id; safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Transaction] = OrderedDict()
        self._with_reading: deque[str] = deque()

    def keep(self, proof: Transaction) -> str:
        """Remember a proof and return the id by which the account phase finds it."""
        name = secrets.token_hex(16)
        with self._lock:
            self._kept[name] = proof
            self._with_reading.append(name)
            self._forget_the_old()
        return name

    def find(self, request: LoginRequest) -> Transaction | None:
        """Return the proof of this request's transaction, if it is recent and the asker's own."""
        if not request.transaction:
            return None
        with self._lock:
            proof = self._kept.get(request.transaction)
        if proof is None or self._age_s(proof) > PROOF_FOR_S:
            return None
        same = (proof.real_uid, proof.service) == (request.peer.real_uid, request.service)
        return proof if same else None

    def _forget_the_old(self) -> None:
        while self._kept and (  # none is left where this process was stopped for that long
            len(self._kept) > _BOUND or self._age_s(next(iter(self._kept.values()))) > PROOF_FOR_S
        ):
            self._kept.popitem(last=False)
        while self._with_reading:
            proof = self._kept.get(self._with_reading[0])
            if proof is not None and self._age_s(proof) <= READING_FOR_S:
                return
            name = self._with_reading.popleft()
            if proof is not None:
                self._kept[name] = replace(proof, reading=None)

    def _age_s(self, proof: Transaction) -> float:
        return self._clock.monotonic() - proof.at
