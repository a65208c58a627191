"""The admin door's service: questions answered from the parts, orders carried out and audited."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loginward import VERSION
from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts, status_at
from loginward.core.readings import Copy, Fresh
from loginward.directory.embedded.fields import Format
from loginward.runtime.acting import Acting
from loginward.runtime.event_rows import row_of
from loginward.runtime.explaining import Explaining
from loginward.runtime.transfer import Transfer
from loginward.wire.admin import parts as part
from loginward.wire.admin import rows
from loginward.wire.admin.parts import status_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loginward.doors.admin.port import Operator
    from loginward.host.sessions import Session
    from loginward.runtime.agent import Parts
    from loginward.wire.admin import requests

READ_S = 2.5
_LIST_S = 60.0


class Administration:
    """The runtime, seen from the admin door.

    Args:
        reload: Reads the configuration again; raises ConfigError.
        conversations: How many logins are being judged now.
    """

    def __init__(
        self,
        parts: Parts,
        config_file: str,
        *,
        reload: Callable[[], rows.ReloadedRow],
        conversations: Callable[[], int],
    ) -> None:
        self._parts = parts
        self._config_file = config_file
        self._started_at = parts.clock.now()
        self._reload = reload
        self._conversations = conversations
        self._explaining = Explaining(parts)
        self._acting = Acting(parts)
        self._transfer = Transfer(parts, self._acting)

    def health(self) -> rows.HealthRow:
        """Return how the daemon is; never waits for a directory."""
        parts, settings = self._parts, self._parts.settings
        kept = parts.store.list()[0] if parts.embedded is None else ()
        faults = parts.store.faults()
        events = parts.audit.health()
        return rows.HealthRow(
            version=VERSION,
            pid=os.getpid(),
            started_at=self._started_at,
            config_file=self._config_file,
            login_socket=str(settings.runtime_dir / "login.sock"),
            directory=directory_name(parts),
            servers=tuple(
                part.ServerPart(
                    name=one.name,
                    usable=one.usable,
                    last_ok_at=one.last_ok_at,
                    last_problem=one.last_problem,
                )
                for one in parts.directory.health()
            ),
            lockout_owner="directory" if parts.embedded else settings.policy.lockout.owner,
            reads_status=parts.embedded is not None
            or settings.directory.service_account is not None,
            copies=len(kept),
            verifiers=sum(1 for one in kept if one.has_verifier),
            conversations=self._conversations(),
            sessions=tuple(_session(one) for one in parts.sessions.all()),
            store_fault=faults[0].problem if faults else "",
            events_fault=events.fault,
            notes=self._notes(),
        )

    def metrics(self) -> rows.MetricsRow:
        """Return the counters."""
        return rows.MetricsRow(text=self._parts.metrics.render())

    def account(self, ask: requests.AskAccount) -> rows.AccountRow | None:
        """Return an account; None: neither the directory nor this host knows the name."""
        reading = self._explaining.reading_of(ask.name)
        if not isinstance(reading, Fresh | Copy):
            return None
        return self._account_row(reading)

    def groups_of(self, name: str) -> frozenset[str]:
        """Return the directory groups of an account; empty for an unknown name."""
        facts = self._parts.directory.find(name, self._deadline(READ_S))
        return frozenset() if facts is None else facts.groups

    def why(self, ask: requests.AskWhy) -> rows.ExplanationRow:
        """Explain what a login with the right password would meet; tries nothing."""
        return self._explaining.why(ask)

    def why_reference(self, ask: requests.AskReference) -> rows.ExplanationRow | None:
        """Explain a decision of the audit trail; None: no event has that reference."""
        return self._explaining.why_reference(ask)

    def users(self, ask: requests.ListUsers) -> Iterator[rows.UserRow | rows.CutRow]:
        """Return the accounts, by name; a CutRow last if the directory cut the list short."""
        parts, now = self._parts, self._parts.clock.now()
        cut = ""
        if parts.embedded is not None:
            found = parts.embedded.accounts_with(ask.status, ask.state)
        else:
            listing = parts.directory.accounts(self._deadline(_LIST_S))
            found, cut = listing.accounts, listing.cut
        for facts in sorted(found, key=lambda one: one.name):
            status = status_at(parts.keepers.with_own_lock(facts), now)
            if ask.status in {None, *status.statuses} and ask.state in {None, status.state}:
                yield rows.UserRow(name=facts.name, status=status_part(status))
        if cut:
            yield rows.CutRow(why=cut)

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

    def export_users(self, ask: requests.ExportUsers, by: Operator) -> Iterator[rows.PieceRow]:
        """Return the file in pieces of at most 64 KiB."""
        return self._transfer.give(Format(ask.form.value), by, with_hashes=ask.with_hashes)

    def act(self, ask: requests.ActOnUsers, by: Operator) -> Iterator[rows.ActRow]:
        """Carry out a verb; one row a name, in order."""
        return self._acting.act(ask, by)

    def turned_away(self, ask: str, by: Operator) -> None:
        """Record an order that the operator had no right to."""
        self._acting.turned_away(ask, by)

    def copies(self) -> Iterator[rows.CopyRow]:
        """Return the local copies, by name, damaged ones too."""
        kept, broken = self._parts.store.list()
        now = self._parts.clock.now()
        for one in kept:
            usable_until = self._usable_until(one.facts)
            yield rows.CopyRow(
                name=one.facts.name,
                read_at=one.facts.read_at,
                status=status_part(status_at(one.facts, now)),
                usable_until=usable_until,
                can_sign_in_offline=one.has_verifier,
                fault="what was counted was lost; unlock it" if one.doubt else "",
            )
        for fault in broken:
            yield rows.CopyRow(name="?", fault=fault.problem)

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

        yield from findings(self._parts.settings, self._parts)

    def accept_clock(self, by: Operator) -> rows.ClockRow:
        """Believe the wall clock as it is now."""
        corrected = self._parts.store.time.confirm()
        self._acting.record(by, "accept-clock", "")
        return rows.ClockRow(now=self._parts.clock.now(), was_noop=corrected is None)

    def reload(self, by: Operator) -> rows.ReloadedRow:
        """Read the configuration again."""
        reloaded = self._reload()
        self._acting.record(by, "reload", "")
        return reloaded

    def _account_row(self, reading: Fresh | Copy) -> rows.AccountRow:
        parts, facts = self._parts, reading.facts
        is_copy = isinstance(reading, Copy)
        policy = facts.lockout
        return rows.AccountRow(
            name=facts.name,
            account_id=facts.account_id,
            status=status_part(status_at(facts, parts.clock.now())),
            source="local copy" if is_copy else directory_name(parts),
            read_at=facts.read_at,
            usable_until=self._usable_until(facts) if is_copy else None,
            failures=None if facts.failures is None else len(facts.failures),
            threshold=None if policy is None else policy.threshold,
            groups=tuple(sorted(facts.groups)),
            unreadable=tuple(sorted(one.value for one in facts.unreadable)),
            sessions=tuple(_session(one) for one in parts.sessions.all() if one.name == facts.name),
        )

    def _usable_until(self, facts: AccountFacts) -> datetime:
        return facts.read_at + timedelta(seconds=self._parts.settings.policy.offline.allowed_s)

    def _notes(self) -> tuple[part.NotePart, ...]:
        settings = self._parts.settings
        if settings.directory.kind == "ldap" and settings.directory.service_account is None:
            return (
                part.NotePart(
                    text="status is unreadable: there is no service account",
                    hint="set directory.service_account; a hidden lock reads as wrong-credentials",
                ),
            )
        return ()

    def _deadline(self, seconds: float) -> Deadline:
        return Deadline.after(seconds, self._parts.clock)


def directory_name(parts: Parts) -> str:
    """Return what to call the directory in answers."""
    return "embedded" if parts.embedded is not None else parts.settings.directory.flavour


def _session(session: Session) -> part.SessionPart:
    return part.SessionPart(
        name=session.name,
        service=session.service,
        since=session.since,
        tty=session.tty,
        rhost=session.rhost,
    )
