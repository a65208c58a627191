"""The embedded directory as the rest of the program sees it.

Only the daemon opens the file. Hashes are computed before a transaction begins; what they were
computed for is compared again inside it. An attempt is reserved before `check` and `change` are
called: they count nothing themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import Checked, NoVerdict, Proof, Proven, Wrong
from loginward.core.facts import AccountFacts, status_at
from loginward.core.status import PasswordStatus, UserState
from loginward.directory.embedded import admin, listing, persons, rows, transfer
from loginward.directory.embedded.facts import SiteRules, explained, facts_of, status_of
from loginward.directory.embedded.telling import Telling
from loginward.directory.port import Act, Done, HiddenGroup, Listing, NotDone, ServerHealth
from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from loginward.core.attempts import Outcome, Reserved
    from loginward.core.clock import Deadline
    from loginward.core.facts import LockoutPolicy
    from loginward.core.secret import Secret
    from loginward.core.status import Lock
    from loginward.directory.embedded.accounts import NewAccount
    from loginward.directory.embedded.book import Book
    from loginward.directory.embedded.fields import Format
    from loginward.directory.embedded.importing import Imported, NotImported, OnProgress
    from loginward.directory.embedded.record import Record
    from loginward.directory.port import Loop


class EmbeddedDirectory:
    """Accounts in one file: a `Directory` that owns its locks, so an `Attempts` too.

    Args:
        book: The file, open, with the site's rules in force.

    Attributes:
        telling: What becomes of the accounts, for the watch.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._last_ok_at: datetime | None = None
        self.telling = Telling(book)

    def apply(self, site: SiteRules) -> None:
        """Take other rules into force, as a reload brings them.

        Raises:
            StoreFault: The file cannot be written; the rules before stay in force.
        """
        self._book.begin(site)

    def call_when_moved(self, call: Callable[[], None]) -> None:
        """Call this whenever something has been written that `telling` tells."""
        self._book.on_moved = call

    @property
    def turn(self) -> int | None:
        """Return the number of the commit that is under way; None: none is."""
        return self._book.turn

    def find(self, name: str, deadline: Deadline) -> AccountFacts | None:  # noqa: ARG002  a local read
        """Return the account of that name, in whatever spelling."""
        return self._facts(self._book.by_name(name))

    def at_hand(self, name: str) -> None:
        """Return None: its file is read at each login."""
        del name

    def read(self, account: AccountFacts, deadline: Deadline) -> AccountFacts | None:  # noqa: ARG002
        """Read the account again; None: it was removed."""
        return self._facts(self._book.by_id(account.account_id))

    def check(self, account: AccountFacts, password: Secret, deadline: Deadline) -> Checked:
        """Check a password; where there is none to compare with, nothing is computed."""
        record = self._book.by_id(account.account_id)
        if record is None or record.password is None:
            return NoVerdict("password")
        try:
            matches = self._book.hashing.matches(record.password.phc, password, record.id, deadline)
        except DirectoryUnavailable as busy:
            return NoVerdict(busy.stage)
        if not matches:
            return Wrong(said="embedded hash")
        status = status_of(record, self._book.site, self._book.clock.now())
        return Proven(
            proof=Proof.EMBEDDED,
            expired=PasswordStatus.EXPIRED in status.statuses,
            must_change=status.must_change,
            said="embedded hash",
        )

    def loop_checks(self, loop: Loop, offload: Callable[[Callable[[], None]], object]) -> None:
        """Return None: to check a password takes a processor for a while."""
        del loop, offload

    def change(
        self, account: AccountFacts, old: Secret, new: Secret, deadline: Deadline
    ) -> Changed | NotChanged:
        """Change a person's own password, proving the old one."""
        record = self._book.by_id(account.account_id)
        if record is None:
            return NotChanged(ChangeProblem.NOT_ALLOWED, "the account is gone")
        return persons.change(self._book, record, old, new, deadline)

    def activate_with_token(
        self, name: str, token: Secret, new: Secret, deadline: Deadline
    ) -> Changed | NotChanged:
        """Set the first password by an activation token, which is used up by it (I14)."""
        return persons.activate(self._book, name, token, new, deadline)

    def act(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Carry out an administrator's verb."""
        return admin.carry_out(self._book, account.account_id, act, deadline)

    def add(self, new: NewAccount) -> tuple[str, Done] | NotDone:
        """Add an account; return its id and its activation token, if it can be activated now.

        Raises:
            StoreFault: The file cannot be written; nothing was added.
        """
        return admin.add(self._book, new)

    def remove(self, account_id: str) -> Done | NotDone:
        """Remove an account and all that is kept of it.

        Raises:
            StoreFault: The file cannot be written; nothing was removed.
        """
        return admin.remove(self._book, account_id)

    def schedule(
        self, account_id: str, *, starts_at: datetime | None, ends_at: datetime | None
    ) -> Done | NotDone:
        """Set when an account starts and ends (aware UTC); None takes that date away."""
        return admin.schedule(self._book, account_id, starts_at, ends_at)

    def import_accounts(
        self,
        octets: bytes,
        form: Format,
        on_progress: OnProgress,
        *,
        barred: frozenset[str] = frozenset(),
    ) -> Imported | NotImported:
        """Import a file whole, or say everything that is wrong with it and import nothing.

        `barred`: groups, in index form, that no account of the file may be in.

        Raises:
            StoreFault: The file of accounts cannot be written; nothing was imported.
        """
        return transfer.import_accounts(self._book, octets, form, on_progress, barred)

    def export_accounts(self, form: Format, *, with_hashes: bool) -> Iterator[str]:
        """Yield the accounts as a file, piece by piece, as they are now."""
        return transfer.export_accounts(self._book, form, with_hashes=with_hashes)

    def hidden_groups(self, names: frozenset[str], deadline: Deadline) -> tuple[HiddenGroup, ...]:  # noqa: ARG002  a local read
        """Return nothing: what this directory keeps of groups it can read."""
        return ()

    def accounts(self, deadline: Deadline) -> Listing:  # noqa: ARG002  a local read
        """Return every account, without evidence."""
        return Listing(self.accounts_with())

    def accounts_with(
        self, status: PasswordStatus | None = None, state: UserState | None = None
    ) -> tuple[AccountFacts, ...]:
        """Return the accounts that hold that status and state now, by name; None: any (R51).

        They carry no evidence: `find` one of them for that.
        """
        now, site = self._book.clock.now(), self._book.site
        narrow = None if self._book.counter.has_unsaved else status
        where, bound = listing.condition(narrow, state), listing.bound(site.passwords, now)
        records = self._book.read(lambda c: tuple(rows.in_order(c, where, bound)))
        current = map(self._book.counter.with_unsaved, records)
        found = (facts_of(record, site, now) for record in current)
        return tuple(facts for facts in found if _holds(facts, status, state, now))

    def health(self) -> tuple[ServerHealth, ...]:
        """Return whether the file could be used when last tried."""
        fault = self._book.counter.fault
        return (
            ServerHealth(
                name="embedded",
                usable=fault is None,
                last_ok_at=self._last_ok_at,
                last_problem="" if fault is None else str(fault),
            ),
        )

    def flavour(self) -> str:
        """Return "embedded"."""
        return "embedded"

    def watch(self, told: Callable[[str], None]) -> None:
        """Do nothing: its own file tells of changes, see `call_when_moved`."""
        del told

    def watched(self) -> None:
        """Return None: it is on this host."""

    def close(self) -> None:
        """Close the file; idempotent."""
        self._book.close()

    def reserve(
        self, account: AccountFacts, source: str, policy: LockoutPolicy, *, late: bool = False
    ) -> Reserved:
        """Reserve one attempt, durably before this returns."""
        now = self._book.clock.now()
        return self._book.counter.reserve(account.account_id, source, policy, now, late=late)

    def settle(self, account: AccountFacts, reservation: str, outcome: Outcome) -> Lock | None:
        """End a reservation; return the lock that this very failure tripped. Idempotent.

        It is counted by the policy that was read with the account, as it was reserved.
        """
        policy, now = account.lockout or self._book.site.lockout, self._book.clock.now()
        return self._book.counter.settle(account.account_id, reservation, outcome, policy, now)

    def _facts(self, record: Record | None) -> AccountFacts | None:
        now = self._book.clock.now()
        self._last_ok_at = now
        return None if record is None else explained(record, facts_of(record, self._book.site, now))


def _holds(
    facts: AccountFacts, status: PasswordStatus | None, state: UserState | None, now: datetime
) -> bool:
    judged = status_at(facts, now)
    return (status is None or status in judged.statuses) and (
        state is None or state is judged.state
    )
