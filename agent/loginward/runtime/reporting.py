"""What the admin door tells of the daemon, the accounts and the copies; it changes nothing."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loginward import VERSION
from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts, status_at
from loginward.core.readings import Copy, Fresh
from loginward.runtime.protection import REMEDY
from loginward.wire.admin import parts as part
from loginward.wire.admin import rows
from loginward.wire.admin.parts import status_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loginward.host.sessions import Session
    from loginward.runtime.agent import Parts
    from loginward.wire.admin import requests

_LIST_S = 60.0


class Reporting:
    """The runtime, read for the admin door.

    Args:
        conversations: How many logins are being judged now.
        watched_at: When the known accounts were last re-read; None: not yet.
        hidden_groups: What is known of protected groups that cannot be seen; waits for nobody.
    """

    def __init__(
        self,
        parts: Parts,
        config_file: str,
        *,
        conversations: Callable[[], int],
        watched_at: Callable[[], datetime | None],
        hidden_groups: Callable[[], tuple[str, ...]],
    ) -> None:
        self._parts = parts
        self._config_file = config_file
        self._started_at = parts.clock.now()
        self._conversations = conversations
        self._watched_at = watched_at
        self._hidden_groups = hidden_groups

    def health(self) -> rows.HealthRow:
        """Return how the daemon is; never waits for a directory."""
        parts, settings = self._parts, self._parts.settings
        kept = parts.store.list()[0] if parts.embedded is None else ()
        faults = parts.store.faults()
        events, watched = parts.audit.health(), parts.directory.watched()
        return rows.HealthRow(
            version=VERSION,
            pid=os.getpid(),
            started_at=self._started_at,
            config_file=self._config_file,
            login_socket=str(settings.runtime_dir / "login.sock"),
            directory=_directory_name(parts),
            directory_found=_was_found(parts),
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
            reads_status=_reads_status(parts),
            watched_at=self._watched_at(),
            watch="" if watched is None else "push" if watched.pushed else "poll",
            watch_age_s=watched.age_s if watched is not None and watched.pushed else None,
            at_hand=0 if watched is None else watched.accounts,
            watch_problem="" if watched is None else watched.why,
            copies=len(kept),
            verifiers=sum(1 for one in kept if one.has_verifier),
            verifiers_waiting=parts.verifiers.waiting,
            conversations=self._conversations(),
            sessions=tuple(_session(one) for one in parts.sessions.all()),
            store_fault=faults[0].problem if faults else "",
            events_fault=events.fault,
            hanging=parts.vitals.hanging(),
            notes=self._notes(),
        )

    def account(self, reading: Fresh | Copy) -> rows.AccountRow:
        """Return an account as it was read, with the sessions that are open on this host."""
        parts, facts = self._parts, reading.facts
        is_copy = isinstance(reading, Copy)
        policy = facts.lockout
        return rows.AccountRow(
            name=facts.name,
            account_id=facts.account_id,
            status=status_part(status_at(facts, parts.clock.now())),
            source="local copy" if is_copy else _directory_name(parts),
            read_at=facts.read_at,
            usable_until=self._usable_until(facts) if is_copy else None,
            changed_at=facts.changed_at,
            failures=None if facts.failures is None else len(facts.failures),
            threshold=None if policy is None else policy.threshold,
            can_sign_in_offline=parts.verifiers.has_one(facts.account_id),
            groups=tuple(sorted(facts.groups)),
            unreadable=tuple(sorted(one.value for one in facts.unreadable)),
            sessions=tuple(_session(one) for one in parts.sessions.all() if one.name == facts.name),
        )

    def users(
        self, ask: requests.ListUsers
    ) -> Iterator[rows.UserRow | rows.CutRow | rows.FailedRow]:
        """Return the accounts, by name; a CutRow last if the directory cut the list short."""
        parts, now = self._parts, self._parts.clock.now()
        cut = ""
        if parts.embedded is not None:
            found = parts.embedded.accounts_with(ask.status, ask.state)
        else:
            listing = parts.directory.accounts(Deadline.after(_LIST_S, parts.clock))
            found, cut = listing.accounts, listing.cut
            if not found and not _reads_status(parts):
                yield rows.FailedRow(
                    problem=rows.Problem.REFUSED,
                    why="accounts cannot be listed: there is no service account",
                    hint="set directory.service_account; loginward cache list has who came here",
                )
                return
        for facts in sorted(found, key=lambda one: one.name):
            status = status_at(parts.keepers.with_own_lock(facts), now)
            if ask.status in {None, *status.statuses} and ask.state in {None, status.state}:
                yield rows.UserRow(name=facts.name, status=status_part(status))
        if cut:
            yield rows.CutRow(why=cut)

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

    def _usable_until(self, facts: AccountFacts) -> datetime:
        return facts.read_at + timedelta(seconds=self._parts.settings.policy.offline.allowed_s)

    def _notes(self) -> tuple[part.NotePart, ...]:
        if not _reads_status(self._parts):
            return (
                part.NotePart(
                    text="status is unreadable: there is no service account",
                    hint="set directory.service_account; a hidden lock reads as wrong-credentials",
                ),
            )
        return tuple(part.NotePart(text=told, hint=REMEDY) for told in self._hidden_groups())


def _reads_status(parts: Parts) -> bool:
    """Return whether anybody may read the directory at all."""
    return parts.embedded is not None or parts.settings.directory.service_account is not None


def _directory_name(parts: Parts) -> str:
    return parts.directory.flavour() or parts.settings.directory.flavour


def _was_found(parts: Parts) -> bool:
    """Return whether the kind of directory was left to be found out, and has been."""
    elsewhere = parts.embedded is None and parts.settings.directory.flavour == "auto"
    return elsewhere and bool(parts.directory.flavour())


def _session(session: Session) -> part.SessionPart:
    return part.SessionPart(
        name=session.name,
        service=session.service,
        since=session.since,
        tty=session.tty,
        rhost=session.rhost,
    )
