"""What is answered about the RADIUS door."""

from datetime import datetime

from loginward.wire.admin.row import Row


class RadiusSessionRow(Row, frozen=True, kw_only=True):
    """A session at a RADIUS client, as its accounting tells.

    Attributes:
        name: As the directory spells it; of a session that is not ours, as the client says.
        station: Calling-Station-Id.
        address: Where its accounting comes from.
        session: Acct-Session-Id.
        since: When it was accepted; of one that is not ours, first heard of.
        is_ours: Whether it began with an Accept of this agent, which alone may end it.
    """

    client: str
    name: str
    station: str = ""
    address: str
    session: str
    since: datetime
    heard_at: datetime
    is_ours: bool
