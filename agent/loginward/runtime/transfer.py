"""Accounts added, removed, imported and exported: the embedded directory alone keeps accounts."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts, status_at
from loginward.core.names import index_form
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.embedded.importing import Imported, NotImported, Progress
from loginward.directory.port import NotDone
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.wire.admin.lines import PIECE_OCTETS, pieces
from loginward.wire.admin.parts import StatusPart, status_part
from loginward.wire.admin.rows import (
    ActRow,
    FailedRow,
    ImportedRow,
    LineProblemRow,
    PieceRow,
    Problem,
    ProgressRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.directory.embedded.directory import EmbeddedDirectory
    from loginward.directory.embedded.fields import Format
    from loginward.doors.admin.port import Operator
    from loginward.runtime.acting import Acting
    from loginward.runtime.agent import Parts
    from loginward.wire.admin.requests import AddUser, RemoveUsers

_READ_S: Final = 5.0


class Transfer:
    """Brings accounts in and out of the embedded directory."""

    def __init__(self, parts: Parts, acting: Acting) -> None:
        self._parts = parts
        self._acting = acting

    def add(self, ask: AddUser, by: Operator) -> ActRow:
        """Add an account; its activation token is in the row, once."""
        try:
            row = self._added(ask)
        except (DirectoryUnavailable, StoreFault) as fault:
            row = self._acting.not_done(ask.name, fault)
        self._acting.record(by, "add", ask.name, row)
        return row

    def remove(self, ask: RemoveUsers, by: Operator) -> Iterator[ActRow]:
        """Remove accounts; one row a name, in order."""
        for name in ask.names:
            try:
                row = self._removed(name)
            except (DirectoryUnavailable, StoreFault) as fault:
                row = self._acting.not_done(name, fault)
            self._acting.record(by, "remove", name, row)
            yield row

    def take(
        self, form: Format, octets: bytes, by: Operator
    ) -> Iterator[ProgressRow | ImportedRow | LineProblemRow]:
        """Import a file whole or not at all, telling how far it is."""
        embedded = self._parts.embedded
        if embedded is None:
            yield LineProblemRow(line=0, why=self._acting.elsewhere("").why)
            return
        told: queue.SimpleQueue[Progress | Imported | NotImported | Exception] = queue.SimpleQueue()
        work = threading.Thread(
            target=_import,
            args=(embedded, octets, form, told, self._barred()),
            name="import",
            daemon=True,
        )
        work.start()
        while isinstance(step := told.get(), Progress):
            yield ProgressRow(step=step.step, done=step.done, total=step.total, per_s=step.per_s)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, NotImported):
            for one in step.problems:
                yield LineProblemRow(line=one.line, why=one.why, field=one.field, column=one.column)
            return
        self._acting.record(by, "import", "", ActRow(name="", notes=(f"{step.accounts} accounts",)))
        yield ImportedRow(accounts=step.accounts, pending=step.pending, hashed=step.hashed)

    def give(
        self, form: Format, by: Operator, *, with_hashes: bool
    ) -> Iterator[PieceRow | FailedRow]:
        """Export every account, in pieces."""
        embedded = self._parts.embedded
        if embedded is None:
            why = self._acting.elsewhere("").why
            yield FailedRow(problem=Problem.REFUSED, why=why)
            return
        notes = ("with hashes",) if with_hashes else ()
        self._acting.record(by, "export", "", ActRow(name="", notes=notes))
        waiting = bytearray()
        for text in embedded.export_accounts(form, with_hashes=with_hashes):
            waiting += text.encode()
            if len(waiting) >= PIECE_OCTETS:
                yield from pieces(bytes(waiting))
                waiting.clear()
        yield from pieces(bytes(waiting))

    def _added(self, ask: AddUser) -> ActRow:
        embedded = self._parts.embedded
        if embedded is None:
            return self._acting.elsewhere(ask.name)
        added = embedded.add(
            NewAccount(
                name=ask.name,
                display_name=ask.display_name,
                mail=ask.mail,
                recovery=ask.recovery,
                groups=frozenset(ask.groups),
                state=ask.state,
                starts_at=ask.starts_at,
                ends_at=ask.ends_at,
            )
        )
        if isinstance(added, NotDone):
            return ActRow(name=ask.name, problem=Problem.REFUSED, why=added.why)
        found = self._found(ask.name)
        return ActRow(
            name=ask.name,
            after=None if found is None else self._status(found),
            notes=added[1].notes,
            token=added[1].token,
        )

    def _removed(self, name: str) -> ActRow:
        embedded = self._parts.embedded
        if embedded is None:
            return self._acting.elsewhere(name)
        found = self._found(name)
        if found is None:
            return self._acting.unknown(name)
        before = self._status(found)
        removed = embedded.remove(found.account_id)
        if isinstance(removed, NotDone):
            return ActRow(name=name, before=before, problem=Problem.REFUSED, why=removed.why)
        self._parts.effects.cleared(found.account_id)
        return ActRow(name=found.name, before=before, notes=removed.notes)

    def _barred(self) -> frozenset[str]:
        """Return the groups into which nobody is brought here (security.md 16)."""
        roles = self._parts.configuration.current.roles
        return frozenset(map(index_form, roles.protected_groups))

    def _found(self, name: str) -> AccountFacts | None:
        deadline = Deadline.after(_READ_S, self._parts.clock)
        return self._parts.directory.find(name, deadline)

    def _status(self, account: AccountFacts) -> StatusPart:
        return status_part(status_at(account, self._parts.clock.now()))


def _import(
    embedded: EmbeddedDirectory,
    octets: bytes,
    form: Format,
    told: queue.SimpleQueue[Progress | Imported | NotImported | Exception],
    barred: frozenset[str],
) -> None:
    try:
        told.put(embedded.import_accounts(octets, form, told.put, barred=barred))
    except Exception as error:  # noqa: BLE001  top of the thread: the door reports it, and nobody waits
        told.put(error)
