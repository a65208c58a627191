"""One line of an answer of the admin socket, and the lines that every answer begins and ends with.

Lines are tagged by `type`; `--json` prints the same keys. Datetimes are aware UTC. A text may hold
moments as RFC 3339 in UTC (`2026-11-20T08:00:00Z`): the command line shows them in the reader's
zone.
"""

import enum
from datetime import datetime

import msgspec

from loginward.wire.admin.tags import row_tag


class Row(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag=row_tag,
):
    """One line of an answer."""


class Problem(enum.Enum):
    """Why something was not done; each has an exit code."""

    UNKNOWN = "unknown"  # no such account, reference or copy
    REFUSED = "refused"  # by a rule or by the directory, which says why
    NOT_PERMITTED = "not-permitted"  # the operator lacks the right, or the account is protected
    UNAVAILABLE = "unavailable"  # the directory or the store gives no answer
    USAGE = "usage"  # the request itself makes no sense
    CONFIGURATION = "configuration"  # the file to be loaded is bad
    FAULT = "fault"  # of ours; the daemon's log says more


class BeganRow(Row, frozen=True, kw_only=True):
    """First line of every answer: the time that the daemon believes."""

    now: datetime


class FailedRow(Row, frozen=True, kw_only=True):
    """Last line of an answer that could not be given, or not to its end."""

    problem: Problem
    why: str
    hint: str = ""


class EndRow(Row, frozen=True, kw_only=True):
    """Last line of an answer that was given to its end."""
