"""A line of the audit trail, as it is answered."""

from datetime import datetime
from typing import Final

import msgspec

from loginward.wire.admin.row import Row

LOCKED_FROM: Final = "locked-from"  # in EventRow.more of an unlock: whence the lock had come


class EventRow(Row, frozen=True, kw_only=True):
    """One line of the audit trail; fields that do not apply are empty.

    Attributes:
        id: Where it stands in the trail, to go on from.
        event: What kind: "decision", "act", "transition", "fault" ...
        by: Who did it: an operator, with the login uid where it differs.
        count: Identical refusals that this line stands for.
        source: Door and device; of a transition only where it is a lock.
        before: Statuses before a transition or act, such as "locked, expired".
        more: What else the event carries.
    """

    id: str
    at: datetime
    event: str
    name: str = ""
    reference: str = ""
    door: str = ""
    phase: str = ""
    service: str = ""
    source: str = ""
    verdict: str = ""
    reason: str = ""
    by: str = ""
    verb: str = ""
    before: str = ""
    after: str = ""
    count: int = 1
    text: str = ""
    more: dict[str, str] = msgspec.field(default_factory=dict)
