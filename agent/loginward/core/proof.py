"""What somebody proven meets: an expired password, a temporary one, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from loginward.core.decision import BY_OTHERS, Decision, Warn, refuse
from loginward.core.evidence import Proven
from loginward.core.policy import Asker, Rules, WhenExpired
from loginward.core.readings import Copy, Fresh
from loginward.core.reasons import Reason, Verdict
from loginward.core.status import ExpiryCause, PasswordStatus, Status

_KEEPABLE = frozenset({PasswordStatus.LOCKED, PasswordStatus.EXPIRED})


def is_expired(status: Status) -> bool:
    """Return whether expiry, rather than a mere order to change, governs.

    A directory that cannot tell a temporary password from an expired one gives a due date by an
    administrator beside `must_change`; that is a change, not an expiry (Q16).
    """
    if PasswordStatus.EXPIRED not in status.statuses:
        return False
    by_admin = status.due is not None and status.due.cause is ExpiryCause.BY_ADMIN
    return not (by_admin and status.must_change)


def keeps_expired(asker: Asker) -> bool:
    """Return whether this resource lets the expired in (R54); it changes no password."""
    return PasswordStatus.EXPIRED in asker.keep_while and not asker.changing


def expiry_detail(status: Status) -> str:
    """Return why the password is expired; empty where nobody said."""
    known = status.due is not None and PasswordStatus.EXPIRED in status.statuses
    return status.due.cause.value if known and status.due is not None else ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Somebody proven, at a status that the directory or the check showed."""

    reading: Fresh | Copy
    proven: Proven
    status: Status
    asker: Asker
    rules: Rules
    now: datetime

    @property
    def expired(self) -> bool:
        """Whether the password is expired, by what was read or by what the check showed."""
        in_grace = self.proven.grace_left is not None
        return self.proven.expired or in_grace or is_expired(self.status)

    @property
    def kept(self) -> bool:
        """Whether the resource lets the expired in."""
        return keeps_expired(self.asker)

    def judged(self, *, excused_by: str = "", first: Warn | None = None) -> Decision:
        """Return what a proven person meets: expiry first, then an order to change.

        What excuses an expired password excuses no temporary one (R40).
        """
        if self.expired and not self.kept and not excused_by:
            return self._expired()
        if not self.status.must_change:
            return self.allowed(by=excused_by, first=first)
        if not self._may_change:
            return refuse(Reason.CHANGE_REQUIRED, self.status)
        return self._change(Reason.CHANGE_REQUIRED)

    @property
    def _may_change(self) -> bool:
        """Only the directory changes passwords, and nobody's while locked (kept or not)."""
        unlocked = PasswordStatus.LOCKED not in self.status.statuses
        return isinstance(self.reading, Fresh) and self.asker.can_change and unlocked

    def _expired(self) -> Decision:
        in_grace = self.proven.grace_left is not None  # also the last one: the change is by it
        authorised = self.reading.facts.can_change_expired or in_grace
        wanted = self.asker.changing or self.rules.when_expired is WhenExpired.CHANGE
        if self._may_change and wanted:
            if authorised:
                return self._change(Reason.PASSWORD_EXPIRED)
            return refuse(Reason.PASSWORD_EXPIRED, self.status, detail=BY_OTHERS)
        return refuse(Reason.PASSWORD_EXPIRED, self.status, detail=expiry_detail(self.status))

    def _change(self, reason: Reason) -> Decision:
        if self.asker.changing:
            return self.allowed(by="change")
        grace = () if self.proven.grace_left is None else (Warn.GRACE_LEFT,)
        return Decision(verdict=Verdict.CHANGE, reason=reason, status=self.status, warnings=grace)

    def allowed(self, *, by: str = "", first: Warn | None = None) -> Decision:
        """Return that the person is let in, with what they should know."""
        warnings = [] if first is None else [first]
        if self.proven.grace_left is not None:
            warnings.append(Warn.GRACE_LEFT)
        if self._falls_due_soon():
            warnings.append(Warn.EXPIRES_SOON)
        if isinstance(self.reading, Copy):
            warnings.append(Warn.OFFLINE)
        kept = self.asker.keep_while & self.status.statuses & _KEEPABLE
        keeper = f"keep_while:{self.asker.resource}" if kept else ""  # no other rule opens a lock
        return Decision(
            verdict=Verdict.ALLOW,
            reason=Reason.OK,
            status=self.status,
            warnings=tuple(warnings),
            allowed_by=keeper if PasswordStatus.LOCKED in kept else by or keeper,
        )

    def _falls_due_soon(self) -> bool:
        facts_warn_s = self.reading.facts.warn_s
        warn_s = self.rules.warn_s if facts_warn_s is None else facts_warn_s
        if self.status.due is None or warn_s is None:
            return False
        return self.now < self.status.due.at <= self.now + timedelta(seconds=warn_s)
