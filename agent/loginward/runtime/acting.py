"""Administrators' orders: carried out in the directory, followed up here, audited (R44, R45)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.acts import Verb
from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts, status_at
from loginward.core.readings import Fresh
from loginward.directory.port import Act, Done, NotDone
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.runtime.events import ActEvent
from loginward.wire.admin.parts import StatusPart, status_part
from loginward.wire.admin.rows import ActRow, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.doors.admin.port import Operator
    from loginward.messages.texts import Texts
    from loginward.runtime.agent import Parts
    from loginward.wire.admin.requests import ActOnUsers

ACT_S = 10.0
_CLEARS = frozenset({Verb.UNLOCK, Verb.RESET_PASSWORD, Verb.SET_TEMPORARY, Verb.SET_FIRST_PASSWORD})


class Acting:
    """Carries out verbs, one account at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def _texts(self) -> Texts:
        return self._parts.configuration.current.texts

    def act(self, ask: ActOnUsers, by: Operator) -> Iterator[ActRow]:
        """Carry out a verb on every name, in order; what fails for one does not stop the next."""
        act = Act(verb=ask.verb, password=ask.password, force=ask.force)
        for name in ask.names:
            try:
                row = self._one(name, act)
            except (DirectoryUnavailable, StoreFault) as fault:
                row = self.not_done(name, fault)
            self.record(by, act.verb.value, row.name, row)
            yield row

    def record(self, by: Operator, verb: str, name: str, row: ActRow | None = None) -> None:
        """Write an act, done or refused, with its operator."""
        self._parts.audit.record(
            ActEvent(
                at=self._parts.clock.now(),
                name=name,
                by=by.shown,
                uid=by.uid,
                pid=by.pid,
                login_uid=by.login_uid,
                groups=tuple(sorted(by.groups)),
                verb=verb,
                before=None if row is None else row.before,
                after=None if row is None else row.after,
                noop=row is not None and row.noop,
                problem="" if row is None or row.problem is None else row.problem.value,
                why="" if row is None else row.why,
                notes=() if row is None else row.notes,
            )
        )

    def not_done(self, name: str, fault: DirectoryUnavailable | StoreFault) -> ActRow:
        """Return the row of an order that a fault of the directory or the store prevented."""
        texts = self._texts
        if isinstance(fault, DirectoryUnavailable):
            why = texts.text(f"act.unavailable.{fault.stage}", stage=fault.stage)
        else:
            why = texts.text("act.store", problem=fault.problem, remedy=fault.remedy)
            why = why.replace("\n", " ")
        return ActRow(name=name, problem=Problem.UNAVAILABLE, why=why)

    def unknown(self, name: str) -> ActRow:
        """Return the row of a name that the directory does not have."""
        return ActRow(name=name, problem=Problem.UNKNOWN, why=self._texts.text("act.unknown"))

    def elsewhere(self, name: str) -> ActRow:
        """Return the row of an order that only the embedded directory takes."""
        return ActRow(name=name, problem=Problem.REFUSED, why=self._texts.text("act.elsewhere"))

    def turned_away(self, ask: str, by: Operator) -> None:
        """Write an order that the operator had no right to."""
        refused = ActRow(name="", problem=Problem.NOT_PERMITTED)
        self.record(by, ask, "", refused)

    def _one(self, name: str, act: Act) -> ActRow:
        parts = self._parts
        deadline = Deadline.after(ACT_S, parts.clock)
        account = parts.directory.find(name, deadline)
        if account is None:
            return self.unknown(name)
        account = self._with_own_lock(account)
        before = self._status(account)
        own = act.verb is Verb.UNLOCK and self._is_ours(account)
        done = parts.directory.act(account, act, deadline)
        if isinstance(done, NotDone) and not own:
            return ActRow(name=account.name, before=before, problem=Problem.REFUSED, why=done.why)
        cleared = act.verb in _CLEARS and self._cleared(account, done)
        token = None if isinstance(done, NotDone) else done.token
        try:
            after_facts = parts.directory.read(account, deadline) or account
        except DirectoryUnavailable:
            return ActRow(
                name=account.name,
                before=before,
                token=token,
                problem=Problem.UNAVAILABLE,
                why=self._texts.text("act.unread"),
            )
        after = self._status(self._with_own_lock(parts.knowledge.learn(after_facts)))
        noop = not isinstance(done, NotDone) and done.was_noop and not cleared
        notes = () if isinstance(done, NotDone) else done.notes
        if cleared:
            notes = (*notes, "attempts cleared on this host")
        return ActRow(
            name=account.name,
            before=before,
            after=after,
            noop=noop,
            notes=notes,
            token=token,
        )

    def _cleared(self, account: AccountFacts, done: Done | NotDone) -> bool:
        """Forget here what the act outdates; return whether there was something to forget.

        The embedded directory's own counters are this host's.
        """
        here = self._parts.effects.cleared(account.account_id)
        if self._parts.embedded is None or isinstance(done, NotDone) or done.was_noop:
            return here
        return here or bool(account.locks or account.failures)

    def _is_ours(self, account: AccountFacts) -> bool:
        """Return whether this agent keeps a lock of its own on the account."""
        parts = self._parts
        return parts.keepers.lock_of(Fresh(account), parts.configuration.current) is not None

    def _with_own_lock(self, account: AccountFacts) -> AccountFacts:
        return self._parts.keepers.with_own_lock(account)

    def _status(self, account: AccountFacts) -> StatusPart:
        return status_part(status_at(account, self._parts.clock.now()))
