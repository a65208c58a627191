"""What is answered about the local copies."""

from datetime import datetime

from loginward.wire.admin.parts import StatusPart
from loginward.wire.admin.row import Row


class CopyRow(Row, frozen=True, kw_only=True):
    """A local copy.

    Attributes:
        status: None where the copy cannot be read.
        usable_until: When it stops letting anybody in; None: a copy that lets nobody in.
        fault: Empty, or what is wrong with it, such as "moved from another row".
    """

    name: str
    read_at: datetime | None = None
    status: StatusPart | None = None
    usable_until: datetime | None = None
    can_sign_in_offline: bool = False
    fault: str = ""


class ForgottenRow(Row, frozen=True, kw_only=True):
    """Whether a copy of that name was kept until now."""

    name: str
    was_kept: bool


class ClearedRow(Row, frozen=True, kw_only=True):
    """How many copies were kept until now."""

    copies: int
