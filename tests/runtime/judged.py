"""Somebody whom `why` is asked about, a lock, and an age, as of one moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from loginward.core.facts import AccountFacts
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ANN = AccountFacts(account_id="id-ann", name="ann", read_at=NOW, changed_at=NOW - 30 * DAY)
TRIPPED = Lock(
    id="l",
    cause=LockCause.THRESHOLD,
    since=NOW,
    until=NOW + DAY,
    source="sshd 203.0.113.7",
    failures=5,
)
AGED = DueDate(NOW - DAY, ExpiryCause.AGING)
