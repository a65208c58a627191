"""The directory on LDAP servers as the rest of the program sees it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.evidence import Checked, NoVerdict, Proven, Wrong
from loginward.directory.ldap import flavour, tls, unread, verdict
from loginward.directory.ldap.admin import NOT_CONFIGURED, Admin
from loginward.directory.ldap.binder import Binder
from loginward.directory.ldap.dialling import Dialler
from loginward.directory.ldap.held import Held, in_grace
from loginward.directory.ldap.loop_binder import LoopBinder, LoopChecks
from loginward.directory.ldap.reader import Reader
from loginward.directory.ldap.remembered import Remembered
from loginward.directory.ldap.servers import Servers
from loginward.directory.ldap.service import Service
from loginward.directory.ldap.sessions import Sessions
from loginward.directory.ldap.watching import Watch
from loginward.directory.port import Act, Done, HiddenGroup, Listing, NotDone, ServerHealth, Watched
from loginward.errors import ConfigError, DirectoryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock, Deadline
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.directory.ldap.binder import Kept
    from loginward.directory.port import Loop
    from loginward.settings.directory import Account, Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Passwords of the agent's own accounts; None where no such account is configured."""

    service: Secret | None = None
    admin: Secret | None = None


class LdapDirectory:
    """A `Directory` on one or more LDAP servers. Safe to use from many threads.

    Args:
        settings: With `kind: ldap`.
        protected: Groups whose members the admin account does nothing to.

    Raises:
        ConfigError: The authorities to trust cannot be read, an account has no password, or
            the flavour is not supported.
    """

    def __init__(
        self,
        settings: Directory,
        secrets: Secrets,
        clock: Clock,
        protected: frozenset[str] = frozenset(),
    ) -> None:
        if settings.flavour in flavour.NOT_YET:
            raise ConfigError(
                "directory.flavour",
                f"{settings.flavour} is not supported yet; openldap is, and generic, which leaves"
                " every status to the server",
            )
        self._settings = settings
        self._clock = clock
        self._servers = Servers.configured(settings, clock)
        self._dialler = Dialler(tls.trust(settings.ca_file))
        self._binder = Binder(self._servers, self._dialler)
        self._held = Held(clock)
        self._service = self._as(settings.service_account, secrets.service, "service_account")
        self._remembered = Remembered(settings.users.login_attribute, clock)
        self._reader: Reader | None = None
        if self._service is not None:
            self._reader = Reader(settings, self._service, clock, self._remembered)
        self._watch: Watch | None = None
        self._admin_service = self._as(settings.admin_account, secrets.admin, "admin_account")
        self._admin: Admin | None = None
        if self._admin_service is not None:
            reader = Reader(settings, self._admin_service, clock)
            self._admin = Admin(self._admin_service, reader, clock, protected)

    def find(self, name: str, deadline: Deadline) -> AccountFacts | None:
        """Return the one account of that login name."""
        self._held.tidy()
        if self._reader is not None:
            return self._reader.find(name, deadline)
        return unread.account_of(self._settings.users.dn_template or "", name, self._clock.now())

    def at_hand(self, name: str) -> AccountFacts | None:
        """Return an account against which nothing stands, where a watch keeps it current."""
        return None if self._watch is None else self._watch.at_hand(name)

    def read(self, account: AccountFacts, deadline: Deadline) -> AccountFacts | None:
        """Read the entry again; None: it is gone."""
        self._held.tidy()
        if self._reader is not None:
            return self._reader.read(account, deadline)
        return replace(account, read_at=self._clock.now())

    def check(self, account: AccountFacts, password: Secret, deadline: Deadline) -> Checked:
        """Check a password with one bind; whom it cost a grace login may change by it."""
        if not account.ref.strip() or not password.well_formed:
            return NoVerdict("password")  # it would bind as nobody, with success

        takes_over = self._held.takes_over(account, password)
        checked: Checked
        try:
            checked = self._binder.bind(account.ref, password, deadline, takes_over)
        except DirectoryUnavailable as problem:
            checked = NoVerdict(problem.stage)
        self._remembered.checked(account.account_id, checked)
        return checked

    def loop_checks(
        self, loop: Loop, offload: Callable[[Callable[[], None]], object]
    ) -> LoopChecks:
        """Return what checks passwords from an event loop."""
        binder = LoopBinder(self._servers, self._dialler, loop, offload)
        return LoopChecks(binder, self._held, self._remembered)

    def change(
        self, account: AccountFacts, old: Secret, new: Secret, deadline: Deadline
    ) -> Changed | NotChanged:
        """Change a person's own password, on a connection of their own.

        It is the one that their grace login opened, if there was one, and stays theirs while
        another new password may be taken; else it is opened for this and closed.
        """
        if not account.ref.strip() or not old.well_formed:
            return NotChanged(ChangeProblem.WRONG_OLD)
        if not new.well_formed:
            return NotChanged(ChangeProblem.TOO_WEAK)
        kept, spent = self._held.take(account, old), True
        if kept is None:
            kept = self._binder.open_alone(deadline)
            bound = _bound(kept, account.ref, old)
            if isinstance(bound, NotChanged):
                self._remembered.spoil(account.account_id)
                return bound
            spent = in_grace(bound)
        outcome: Changed | NotChanged | None = None
        try:
            kept.channel.deadline = deadline
            outcome = verdict.changed(kept.change_password(old, new))
        finally:
            again = isinstance(outcome, NotChanged) and outcome.problem.another_try_helps
            if spent and again:
                self._held.hold(account, old, kept)
            else:
                kept.channel.close()
            self._remembered.spoil(account.account_id)
        return outcome if isinstance(outcome, NotChanged) else self._dated(account, deadline)

    def act(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Carry out an administrator's act through the account configured for it."""
        if self._admin is None:
            return NotDone(NOT_CONFIGURED)
        return self._admin.carry_out(account, act, deadline)

    def hidden_groups(self, names: frozenset[str], deadline: Deadline) -> tuple[HiddenGroup, ...]:
        """Return what the service account cannot see, and what the admin account has to."""
        seen: list[tuple[str, tuple[str, ...]]] = []
        if self._reader is not None:
            seen.append(("service_account", self._reader.hidden_groups(names, deadline)))
        if self._admin is not None:
            seen.append(("admin_account", self._admin.hidden_groups(deadline)))
        return tuple(
            HiddenGroup(name, f"directory.{account}") for account, names in seen for name in names
        )

    def accounts(self, deadline: Deadline) -> Listing:
        """Return every account; without a service account none can be listed."""
        if self._reader is None:
            return Listing((), "directory.service_account is not set")
        return self._reader.accounts(deadline)

    def health(self) -> tuple[ServerHealth, ...]:
        """Return the servers as last seen."""
        return self._servers.health()

    def flavour(self) -> str:
        """Return the flavour, as set or as the servers showed it; empty: nobody has looked yet."""
        if self._settings.flavour != "auto":
            return self._settings.flavour
        return "" if self._reader is None else self._reader.flavour

    def spoil(self, account: AccountFacts) -> None:
        """Have an account read at its next login: somebody of ours may have changed it."""
        self._remembered.spoil(account.account_id)

    def watch(self, told: Callable[[str], None]) -> None:
        """Begin to have changes told, where the site wants it and there is who may read."""
        settings = self._settings
        if self._watch or settings.watch.mode == "poll" or settings.flavour == "generic":
            return
        if self._reader is not None and self._service is not None:
            self._watch = Watch(
                self._reader, self._service, self._servers, self._remembered, told, self._clock
            )
            self._watch.start()

    def watched(self) -> Watched:
        """Return how changes come to be known."""
        if self._watch is None:
            return Watched(pushed=False)
        return self._watch.health()

    def close(self) -> None:
        """Close every connection; idempotent."""
        if self._watch is not None:
            self._watch.stop()
        self._binder.close()
        self._held.close()
        for service in (self._service, self._admin_service):
            if service is not None:
                service.close()

    def _as(self, account: Account | None, password: Secret | None, key: str) -> Service | None:
        if account is None:
            return None
        option = f"directory.{key}"
        if password is None:
            raise ConfigError(f"{option}.password_file", "must hold a password")
        return Service(Sessions(self._servers, self._dialler, account.dn, password, option))

    def _dated(self, account: AccountFacts, deadline: Deadline) -> Changed:
        """Return when the directory says it was changed; a silent one undoes no change."""
        with contextlib.suppress(DirectoryUnavailable):
            if (found := self.read(account, deadline)) is not None:
                return Changed(found.changed_at)
        return Changed()


def _bound(kept: Kept, dn: str, old: Secret) -> Proven | NotChanged:
    """Bind as the person who changes their password; the connection is closed unless that succeeds.

    Raises:
        DirectoryUnavailable: Nothing was learnt.
    """
    is_bound = False
    try:
        answer = kept.bind(dn, old)
        proof = verdict.checked(answer)
        is_bound = answer.operation.result.code == 0
        return proof if is_bound and isinstance(proof, Proven) else _not_bound(proof)
    finally:
        if not is_bound:
            kept.channel.close()


def _not_bound(proof: Checked) -> NotChanged:
    """Return why a change could not begin.

    Raises:
        DirectoryUnavailable: Nothing was learnt.
    """
    match proof:
        case Wrong(said=said):
            return NotChanged(ChangeProblem.WRONG_OLD, said)
        case NoVerdict(stage=stage):
            raise DirectoryUnavailable(stage)
        case _:
            return NotChanged(ChangeProblem.NOT_ALLOWED, proof.said)
