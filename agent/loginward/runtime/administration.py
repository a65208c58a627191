"""The admin door's service: questions answered from the parts, orders carried out and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.clock import Deadline
from loginward.core.readings import Copy, Fresh
from loginward.directory.embedded.fields import Format
from loginward.errors import ConfigError
from loginward.runtime.acting import Acting
from loginward.runtime.activation import Activation
from loginward.runtime.event_rows import row_of
from loginward.runtime.explaining import Explaining
from loginward.runtime.protection import Protection
from loginward.runtime.radius_explaining import RadiusExplaining
from loginward.runtime.reporting import Reporting
from loginward.runtime.transfer import Transfer
from loginward.wire.admin import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from loginward.doors.admin.port import Operator
    from loginward.runtime.agent import Parts
    from loginward.wire.admin import requests

_READ_S = 2.5


class Administration:
    """The runtime, seen from the admin door.

    Args:
        reload: Reads the configuration again; raises ConfigError.
        conversations: How many logins are being judged now.
        watched_at: When the known accounts were last re-read; None: not yet.
        radius_sessions: Returns the sessions at RADIUS clients.
    """

    def __init__(
        self,
        parts: Parts,
        config_file: str,
        *,
        reload: Callable[[], rows.ReloadedRow],
        conversations: Callable[[], int],
        watched_at: Callable[[], datetime | None],
        radius_sessions: Callable[[], Iterator[rows.RadiusSessionRow | rows.FailedRow]],
    ) -> None:
        self._parts = parts
        self._radius_sessions = radius_sessions
        self._reload = reload
        self._protection = Protection(parts.directory, parts.clock)
        self._reporting = Reporting(
            parts,
            config_file,
            conversations=conversations,
            watched_at=watched_at,
            hidden_groups=lambda: self._protection.last(self._protected()),
        )
        self._explaining = Explaining(parts)
        self._radius = RadiusExplaining(parts, self._explaining)
        self._acting = Acting(parts)
        self._transfer = Transfer(parts, self._acting)
        self._activation = Activation(parts, self._acting)

    def health(self) -> rows.HealthRow:
        """Return how the daemon is; never waits for a directory."""
        return self._reporting.health()

    def metrics(self) -> rows.MetricsRow:
        """Return the counters."""
        return rows.MetricsRow(text=self._parts.metrics.render())

    def account(self, ask: requests.AskAccount) -> rows.AccountRow | None:
        """Return an account; None: neither the directory nor this host knows the name."""
        reading = self._explaining.reading_of(ask.name)
        if not isinstance(reading, Fresh | Copy):
            return None
        return self._reporting.account(reading)

    def groups_of(self, name: str) -> frozenset[str]:
        """Return the directory groups of an account; empty for an unknown name."""
        facts = self._parts.directory.find(name, Deadline.after(_READ_S, self._parts.clock))
        return frozenset() if facts is None else facts.groups

    def hidden_groups(self, groups: Collection[str]) -> tuple[str, ...]:
        """Return a sentence for each of these groups whose members cannot be told apart."""
        return self._protection.hidden(groups)

    def _protected(self) -> Collection[str]:
        return self._parts.configuration.current.roles.protected_groups

    def why(self, ask: requests.AskWhy) -> rows.ExplanationRow | rows.FailedRow:
        """Explain what a login with the right password would meet; tries nothing."""
        return self._explaining.why(ask)

    def why_reference(self, ask: requests.AskReference) -> rows.ExplanationRow | None:
        """Explain a decision of the audit trail; None: no event has that reference."""
        return self._explaining.why_reference(ask)

    def users(
        self, ask: requests.ListUsers
    ) -> Iterator[rows.UserRow | rows.CutRow | rows.FailedRow]:
        """Return the accounts, by name; a CutRow last if the directory cut the list short."""
        return self._reporting.users(ask)

    def add_user(self, ask: requests.AddUser, by: Operator) -> rows.ActRow:
        """Add an account; its activation token, if any, is in the row."""
        return self._transfer.add(ask, by)

    def remove_users(self, ask: requests.RemoveUsers, by: Operator) -> Iterator[rows.ActRow]:
        """Remove accounts; one row a name, in order."""
        return self._transfer.remove(ask, by)

    def import_users(
        self, ask: requests.ImportUsers, octets: bytes, by: Operator
    ) -> Iterator[rows.ProgressRow | rows.ImportedRow | rows.LineProblemRow]:
        """Take a file whole or not at all."""
        return self._transfer.take(Format(ask.form.value), octets, by)

    def export_users(
        self, ask: requests.ExportUsers, by: Operator
    ) -> Iterator[rows.PieceRow | rows.FailedRow]:
        """Return the file in pieces of at most 64 KiB."""
        return self._transfer.give(Format(ask.form.value), by, with_hashes=ask.with_hashes)

    def act(self, ask: requests.ActOnUsers, by: Operator) -> Iterator[rows.ActRow]:
        """Carry out a verb; one row a name, in order."""
        return self._acting.act(ask, by)

    def activate_self(
        self, ask: requests.ActivateSelf, by: Operator
    ) -> rows.ActivationRow | rows.FailedRow:
        """Set a first password by an activation token, for whoever has it."""
        return self._activation.activate(ask, by)

    def turned_away(self, ask: str, by: Operator) -> None:
        """Record an order that the operator had no right to."""
        self._acting.turned_away(ask, by)

    def copies(self) -> Iterator[rows.CopyRow]:
        """Return the local copies, by name, damaged ones too."""
        return self._reporting.copies()

    def radius_sessions(self) -> Iterator[rows.RadiusSessionRow | rows.FailedRow]:
        """Return who is connected where, by what RADIUS clients account."""
        return self._radius_sessions()

    def explain_radius(
        self, ask: requests.ExplainRadius
    ) -> rows.RadiusExplanationRow | rows.FailedRow:
        """Explain what a RADIUS client would be answered about somebody; tries nothing."""
        return self._radius.explain(ask)

    def forget(self, ask: requests.ForgetCopies, by: Operator) -> Iterator[rows.ForgottenRow]:
        """Forget copies; one row a name, in order."""
        for name in ask.names:
            was_kept = self._parts.store.forget(name)
            self._acting.record(by, "cache forget", name)
            yield rows.ForgottenRow(name=name, was_kept=was_kept)

    def clear_copies(self, by: Operator) -> rows.ClearedRow:
        """Forget every copy."""
        copies = self._parts.store.count()
        self._parts.store.clear()
        self._acting.record(by, "cache clear", "")
        return rows.ClearedRow(copies=copies)

    def refresh(self, ask: requests.RunRefresh, by: Operator) -> Iterator[rows.StepRow]:
        """Do, or with `dry_run` only name, the steps after an unlock on this machine."""
        names = (
            [ask.name]
            if ask.name is not None
            else [one.name for one in self._parts.knowledge.accounts()]
        )
        for name in names:
            yield from self._parts.refresh.run(name, dry_run=ask.dry_run)
            if not ask.dry_run:
                self._acting.record(by, "refresh", name)

    def events(self, ask: requests.AskEvents) -> Iterator[rows.EventRow | None]:
        """Return the audit trail, oldest first; None each second while nothing happens."""
        audit, at = self._parts.audit, ask.after
        if not at:
            for entry in audit.last(ask.last, ask.name):
                at = entry.id
                yield row_of(entry)
        else:
            for entry in audit.after(at, ask.name):
                at = entry.id
                yield row_of(entry)
        if ask.follow:
            for found in audit.follow(at, ask.name):
                yield None if found is None else row_of(found)

    def findings(self) -> Iterator[rows.FindingRow]:
        """Check the installation."""
        from loginward.runtime.doctor import findings  # noqa: PLC0415  rarely asked

        yield from findings(
            self._parts.settings, self._parts, lambda: self.hidden_groups(self._protected())
        )

    def accept_clock(self, by: Operator) -> rows.ClockRow:
        """Believe the wall clock as it is now."""
        corrected = self._parts.store.time.confirm()
        self._acting.record(by, "accept-clock", "")
        return rows.ClockRow(now=self._parts.clock.now(), was_noop=corrected is None)

    def reload(self, by: Operator) -> rows.ReloadedRow:
        """Read the configuration again; a file that cannot be used is audited too."""
        try:
            reloaded = self._reload()
        except ConfigError as error:
            why = "; ".join(str(error).splitlines())
            bad = rows.ActRow(name="", problem=rows.Problem.CONFIGURATION, why=why)
            self._acting.record(by, "reload", "", bad)
            raise
        self._acting.record(by, "reload", "")
        return reloaded
