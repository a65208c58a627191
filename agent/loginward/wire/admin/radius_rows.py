"""What is answered about the RADIUS door."""

from datetime import datetime

import msgspec

from loginward.wire.admin.account_rows import ExplanationRow
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


class AttributePart(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute of a reply.

    Attributes:
        name: As the configuration writes it, with its tag.
    """

    name: str
    value: str


class RadiusExplanationRow(Row, frozen=True, kw_only=True):
    """What a RADIUS client would be answered about somebody, and what an Accept would give them.

    Attributes:
        networks: Where the client asks from.
        comes_by_tls: The client has a `tls_name`.
        scope: Groups whose members may; empty: anybody.
        rule: Place in `doors.radius.replies`, from 0; None: none fits, or nobody has the name.
        rule_groups: Whose members the rule is for; empty: anybody.
        rule_clients: Clients that the rule is for; empty: all.
        attributes: What an Accept carries, in order, Session-Timeout as capped.
        session_timeout_s: As configured; None: none is.
        due_at: When the password falls due, which no session outlives.
        why: What the law decides of the right password now.
    """

    client: str
    networks: tuple[str, ...]
    comes_by_tls: bool
    methods: tuple[str, ...]
    scope: tuple[str, ...]
    rule: int | None = None
    rule_groups: tuple[str, ...] = ()
    rule_clients: tuple[str, ...] = ()
    attributes: tuple[AttributePart, ...] = ()
    session_timeout_s: int | None = None
    due_at: datetime | None = None
    why: ExplanationRow
