"""One request being judged: what the driver and its helpers share about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loginward.core.attempts import Attempts
    from loginward.core.clock import Deadline
    from loginward.core.requests import LoginRequest
    from loginward.runtime.flights import Flight
    from loginward.runtime.in_force import InForce
    from loginward.runtime.throttle import Sources
    from loginward.runtime.transactions import Transaction

PHASE_S = 3.0  # a phase ends within this, whatever the directory does


@dataclass(slots=True, kw_only=True)
class Case:
    """A request, its sources, and how long it may still take.

    Attributes:
        in_force: The configuration that this request is judged by, from its beginning to its end.
        deadline: The end of the turn in hand; set anew when the person has typed.
        proof: What the same transaction has proven already; None: nothing.
        generation: Of the account when it was read; -1: look again in any case.
        resource: The resource of the service (`policy.resources`); empty: none.
        notes: What went wrong on the way, for the event: "directory: connect".
        flight: The check in flight that this request leads.
        held: The reservations of the attempt under way, with their keepers.
    """

    request: LoginRequest
    sources: Sources
    in_force: InForce
    deadline: Deadline
    proof: Transaction | None = None
    generation: int = 0
    resource: str = ""
    notes: list[str] = field(default_factory=list)
    flight: Flight | None = None
    held: list[tuple[Attempts, str]] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Return the one line that names door and device, for locks and events."""
        return self.sources.line
