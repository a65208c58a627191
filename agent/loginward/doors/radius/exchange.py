"""One request of a client and the way back of its reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.doors.radius.clients import RadiusClient
    from loginward.doors.radius.rules import DoorRules
    from loginward.wire.radius.packet import Packet
    from loginward.wire.radius.signing import SharedSecret


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that its client has signed.

    Attributes:
        rules: In force when it came.
        source: Address of the sender.
        arrived: Seconds of CLOCK_MONOTONIC.
        reply: Sends a reply, not before a moment of CLOCK_MONOTONIC; for the loop's thread.
        drop: Leaves it unanswered, so that it may be asked again; for the loop's thread.
        by_tls: Whether it came by TLS.
    """

    packet: Packet
    client: RadiusClient
    secret: SharedSecret
    rules: DoorRules
    source: str
    arrived: float
    reply: Callable[[bytes, float], None]
    drop: Callable[[], None]
    by_tls: bool = False
