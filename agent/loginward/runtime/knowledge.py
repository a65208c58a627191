"""What this host remembers of the directory's accounts, and what it makes of an empty answer."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from loginward.core.evidence import Checked, NoVerdict
from loginward.core.readings import Copy, Fresh, NeverSeen, Reading, Unknown, Unusable
from loginward.core.transitions import is_alike
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.store.removals import Missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Deadline
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.directory.port import Directory
    from loginward.store.absent import AbsentNames
    from loginward.store.removals import Removals
    from loginward.store.store import Store
    from loginward.store.verifiers import Verifiers

_log = logging.getLogger(__name__)


class Knowledge(Protocol):
    """What is known here without asking the directory."""

    def recall(self, name: str) -> Reading:
        """Return what is known of a name while the directory cannot be asked."""

    def learn(self, account: AccountFacts) -> AccountFacts:
        """Keep what the directory said; return the facts to judge by."""

    def absent(self, name: str, deadline: Deadline) -> Reading:
        """Judge an empty answer of the directory for a name."""

    def generation(self, account_id: str) -> int:
        """Return a number that moves whenever what a login depends on moved; -1: always look."""

    def generation_at_hand(self, account_id: str) -> int | None:
        """Return the same if it is in memory; None: it is not, or always to be looked for."""

    def learnt_already(self, account: AccountFacts) -> int | None:
        """Return the generation of an account of which these facts tell nothing new; no I/O.

        None: there is something to `learn`.
        """

    def verify(self, account: AccountFacts, password: Secret, deadline: Deadline) -> Checked:
        """Check a password without the directory."""

    def proven(self, account: AccountFacts, password: Secret, generation: int) -> None:
        """Take note that the directory proved a password; a verifier is made afterwards."""

    def accounts(self) -> tuple[AccountFacts, ...]:
        """Return the accounts known here."""

    def gone(self, account: AccountFacts, deadline: Deadline) -> AccountFacts:
        """Return the facts of a known account whose entry was not found."""


class HostKnowledge:
    """Knowledge of an LDAP directory's accounts, in the sealed store.

    Args:
        is_local: Whether this host itself knows a name (NSS): only such absent names are kept.
        on_learnt: Told of a reading that differs from the copy before in more than its age.
    """

    def __init__(
        self,
        store: Store,
        verifiers: Verifiers,
        absent: AbsentNames,
        removals: Removals,
        directory: Directory,
        is_local: Callable[[str], bool],
        *,
        on_learnt: Callable[[AccountFacts, AccountFacts], None],
    ) -> None:
        self._on_learnt = on_learnt
        self._is_local = is_local
        self._store = store
        self._verifiers = verifiers
        self._absent = absent
        self._removals = removals
        self._directory = directory

    def recall(self, name: str) -> Reading:
        """Return the copy, or what its absence means; what cannot be believed is unusable."""
        try:
            copy = self._store.copy_by_name(name)
        except StoreFault as fault:
            if self._absent.is_absent(name):
                return Unknown()
            _log.warning("copy of an account not used: %s", fault.problem)
            return Unusable("store")
        if copy is None:
            return Unknown() if self._absent.is_absent(name) else NeverSeen()
        if not self._store.time.serves_allowance and not copy.removed:
            return Unusable("clock")
        return Copy(copy)

    def learn(self, account: AccountFacts) -> AccountFacts:
        """Keep the facts; a file that cannot be written is noted by the store itself."""
        try:
            self._removals.seen(account.account_id)
            saved = self._store.save(account)
        except StoreFault as fault:
            _log.warning("copy of an account not kept: %s", fault.problem)
            return account
        if saved.previous is None:
            self._absent.drop(account.name)  # it appeared after all
        elif not is_alike(saved.previous, saved.facts):
            self._on_learnt(saved.previous, saved.facts)
        return saved.facts

    def absent(self, name: str, deadline: Deadline) -> Reading:
        """Return Unknown for a stranger; one who was known is removed, once that is sure."""
        try:
            copy = self._store.copy_by_name(name)
            if copy is None:
                if self._is_local(name):
                    self._absent.note(name)
                return Unknown()
            missing = self._removals.missing(copy, canary_read=self._reads_canary(copy, deadline))
        except StoreFault:
            return Unusable("store")
        if missing is Missing.REMOVED:
            return Fresh(replace(copy, removed=True))
        return Unusable("absent, not yet for sure")

    def gone(self, account: AccountFacts, deadline: Deadline) -> AccountFacts:
        """Return the facts of a known account whose entry was not found."""
        canary = self._reads_canary(account, deadline)
        try:
            missing = self._removals.missing(account, canary_read=canary)
        except StoreFault:
            return account
        return replace(account, removed=True) if missing is Missing.REMOVED else account

    def generation(self, account_id: str) -> int:
        """Return the generation of the copy; -1 where it cannot be read."""
        try:
            return self._store.generation(account_id)
        except StoreFault:
            return -1

    def generation_at_hand(self, account_id: str) -> int | None:
        """Return the generation of a copy lately used."""
        return self._store.recent_generation(account_id)

    def learnt_already(self, account: AccountFacts) -> int | None:
        """Return the generation of a copy that says the same."""
        return self._store.unmoved_generation(account)

    def verify(self, account: AccountFacts, password: Secret, deadline: Deadline) -> Checked:
        """Compare with the sealed verifier."""
        return self._verifiers.check(account, password, deadline.left)

    def proven(self, account: AccountFacts, password: Secret, generation: int) -> None:
        """Queue a verifier."""
        self._verifiers.proven_online(account, password, generation)

    def accounts(self) -> tuple[AccountFacts, ...]:
        """Return the copies that can be believed."""
        return tuple(kept.facts for kept in self._store.list()[0])

    def _reads_canary(self, account: AccountFacts, deadline: Deadline) -> bool:
        """Return whether some other known entry can be read by the same directory now."""
        canary = self._store.another(account.account_id)
        if canary is None:
            return False
        try:
            return self._directory.read(canary, deadline) is not None
        except DirectoryUnavailable:
            return False


class NoKnowledge:
    """The embedded directory is on this host: nothing is copied, everything is read."""

    def recall(self, name: str) -> Reading:
        """Return that its own file cannot be read."""
        del name
        return Unusable("embedded")

    def learn(self, account: AccountFacts) -> AccountFacts:
        """Return the facts as they are."""
        return account

    def absent(self, name: str, deadline: Deadline) -> Reading:
        """Return Unknown: the embedded directory is the last word on its names."""
        del name, deadline
        return Unknown()

    def generation(self, account_id: str) -> int:
        """Return -1: looking again costs less than remembering."""
        del account_id
        return -1

    def generation_at_hand(self, account_id: str) -> None:
        """Return None: looking again costs less than remembering."""
        del account_id

    def learnt_already(self, account: AccountFacts) -> None:
        """Return None: nothing is learnt."""
        del account

    def verify(self, account: AccountFacts, password: Secret, deadline: Deadline) -> Checked:
        """Return that there is no verifier."""
        del account, password, deadline
        return NoVerdict("no-verifier")

    def proven(self, account: AccountFacts, password: Secret, generation: int) -> None:
        """Keep nothing."""
        del account, password, generation

    def accounts(self) -> tuple[AccountFacts, ...]:
        """Return nothing: the watcher asks the directory itself."""
        return ()

    def gone(self, account: AccountFacts, deadline: Deadline) -> AccountFacts:
        """Return the account as removed: its own file says so."""
        del deadline
        return replace(account, removed=True)
