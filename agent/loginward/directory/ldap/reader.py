"""Accounts as the service account reads them."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.core.facts import Evidence, Fact, Origin
from loginward.directory.ldap import flavour, generic, openldap, shadow
from loginward.directory.ldap.filters import ANY, NO_ATTRIBUTES, parsed, people_of
from loginward.directory.ldap.following import Rule
from loginward.directory.ldap.memberships import Memberships
from loginward.directory.ldap.passthrough import PassThrough
from loginward.directory.ldap.policies import Policies
from loginward.directory.ldap.policy import NO_POLICY
from loginward.directory.ldap.remembered import CSN, Remembered
from loginward.directory.ldap.rights import HAS_PASSWORD, USABILITY, Prober
from loginward.directory.port import Listing
from loginward.errors import DirectoryUnavailable
from loginward.wire.ldap import usability
from loginward.wire.ldap.search import Scope, both, either, equals

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.clock import Clock, Deadline
    from loginward.core.facts import AccountFacts
    from loginward.directory.ldap.entry import Entry
    from loginward.directory.ldap.policy import Policy
    from loginward.directory.ldap.remembered import Mark
    from loginward.directory.ldap.service import Service
    from loginward.settings.directory import Directory, Flavour

_log = logging.getLogger(__name__)


class Reader:
    """Finds and reads accounts; what it cannot read it calls unreadable.

    Args:
        remembered: Is told of each account that is read.
    """

    def __init__(
        self,
        settings: Directory,
        service: Service,
        clock: Clock,
        remembered: Remembered | None = None,
    ) -> None:
        self._settings = settings
        self._users = settings.users
        self._people = people_of(settings.users)
        self._service = service
        self._clock = clock
        self._prober = Prober(service, settings.users, clock)
        self._pass_through = PassThrough(service)
        self._memberships = Memberships(settings, service)
        if remembered is None:
            remembered = Remembered(settings.users.login_attribute, clock)
        self._remembered = remembered
        self.policies = Policies(service, settings.ppolicy_dn, clock)
        self._detected: tuple[Flavour, bool] | None = None
        self._attributes = (
            settings.users.login_attribute,
            *generic.IDS,
            *openldap.STATUS,
            *shadow.ATTRIBUTES,
            CSN,
        )

    @property
    def rule(self) -> Rule:
        """Return whom this reads, and on what that depends."""
        settings = self._settings
        beside = (settings.groups.base_dn, settings.ppolicy_dn)
        return Rule(
            base_dn=self._users.base_dn or "",
            people=self._people,
            attributes=self._attributes,
            beside=tuple(dn for dn in beside if dn is not None),
        )

    def find(self, name: str, deadline: Deadline) -> AccountFacts | None:
        """Return the one account of that name; two are none, for either may be meant."""
        mark, at = self._remembered.begin(), self._clock.now()
        found = self._service.search(
            self._users.base_dn or "",
            both(equals(self._users.login_attribute, name), self._people),
            self._attributes,
            deadline,
            size_limit=2,
            controls=[USABILITY],
        )
        if len(found) > 1:
            _log.warning("the directory has several entries of the login name %r", name)
        if len(found) != 1:
            return None
        facts = self._facts(found[0], at, deadline)
        self._remember(mark, found[0], facts, deadline, name)
        return facts

    def read(self, account: AccountFacts, deadline: Deadline) -> AccountFacts | None:
        """Return an account again, wherever it was moved; None: it is gone."""
        mark, at = self._remembered.begin(), self._clock.now()
        found = self._service.search(
            account.ref,
            self._people,
            self._attributes,
            deadline,
            scope=Scope.BASE,
            controls=[USABILITY],
        )
        if found and account.account_id in {generic.id_of(found[0]), account.ref}:
            facts = self._facts(found[0], at, deadline)
            self._remember(mark, found[0], facts, deadline)
            return facts
        same_id = either(*(equals(name, account.account_id) for name in generic.IDS))
        moved = self._service.search(
            self._users.base_dn or "",
            both(same_id, self._people),
            self._attributes,
            deadline,
            size_limit=2,
            controls=[USABILITY],
        )
        return self._facts(moved[0], at, deadline) if len(moved) == 1 else None

    def sought(self, account: AccountFacts, deadline: Deadline) -> AccountFacts | None:
        """Return an account by its name, below users.base_dn alone; None: not there, or not it.

        Who orders something done to it may say anything of where it is: that counts for nothing.
        """
        if self._users.base_dn is None:
            return self.read(account, deadline)
        found = self.find(account.name, deadline)
        is_read = account.account_id != account.ref  # else nobody read it, and the name is all
        if found is None or (is_read and found.account_id != account.account_id):
            return None
        return found

    def policy_of(self, dn: str, deadline: Deadline) -> Policy | None:
        """Return the policy of the account at a DN; None: unknown."""
        found = self._service.search(dn, ANY, ("pwdPolicySubentry",), deadline, scope=Scope.BASE)
        return self.policies.for_entry(found[0], deadline) if found else None

    def accounts(self, deadline: Deadline) -> Listing:
        """Return every account, page by page."""
        base, at = self._users.base_dn or "", self._clock.now()
        entries, cut = self._service.pages(
            base, self._people, self._attributes, deadline, [USABILITY]
        )
        with_password = set[str]()
        if any(usability.OID not in entry.controls for entry in entries):
            wanted = both(self._people, parsed(HAS_PASSWORD))
            having, _ = self._service.pages(base, wanted, NO_ATTRIBUTES, deadline)
            with_password = {entry.dn for entry in having}
        groups, is_cut = self._memberships.of_all(deadline)
        found = [
            self._facts_with(
                entry,
                at,
                deadline,
                matches=entry.dn in with_password,
                groups=groups.get(self._memberships.key(entry), frozenset()),
            )
            for entry in entries
            if entry.text(self._users.login_attribute)
        ]
        if is_cut:  # whoever is in none of those that came may be in one of the others
            found = [replace(one, unreadable=one.unreadable | {Fact.GROUPS}) for one in found]
        return Listing(tuple(found), cut)

    def hidden_groups(self, names: frozenset[str], deadline: Deadline) -> tuple[str, ...]:
        """Return which of these groups this account cannot see with a member in them."""
        return self._memberships.hidden(names, deadline)

    def is_openldap(self, deadline: Deadline) -> bool:
        """Return whether the server is, or is said to be, an OpenLDAP."""
        return self._kind(deadline)[0] == "openldap"

    def _remember(
        self,
        mark: Mark | None,
        entry: Entry,
        facts: AccountFacts,
        deadline: Deadline,
        name: str | None = None,
    ) -> None:
        """Have an account remembered whose status only events and known moments can change."""
        if mark is None or not self._kind(deadline)[1]:
            return
        policy = self.policies.for_entry(entry, deadline)
        if policy is None or policy.max_idle_s is not None:
            return
        if self._remembered.is_watched(policy.dn):
            self._remembered.keep(mark, entry, facts, name)

    def _facts(self, entry: Entry, at: datetime, deadline: Deadline) -> AccountFacts:
        """Return the facts of an entry that was asked for `at`: what happened since may be missing.

        Failures that are seen from then on are added to those in the facts (I6).
        """
        matches = usability.OID not in entry.controls and bool(
            self._service.search(
                entry.dn, parsed(HAS_PASSWORD), NO_ATTRIBUTES, deadline, scope=Scope.BASE
            )
        )
        facts = self._facts_with(
            entry, at, deadline, matches=matches, groups=self._memberships.of(entry, deadline)
        )
        return self._passed_through(facts, deadline)

    def _passed_through(self, facts: AccountFacts, deadline: Deadline) -> AccountFacts:
        """Return the facts, and in them whether the password is kept elsewhere.

        A directory that does not answer this leaves it open: no login fails by it.
        """
        with contextlib.suppress(DirectoryUnavailable):
            if self._pass_through.holds(facts.ref, facts.changed_at, deadline):
                said = (*facts.evidence, _shown("{SASL}, checked elsewhere", Origin.ATTRIBUTE))
                return replace(facts, pass_through=True, evidence=said)
        return facts

    def _facts_with(
        self,
        entry: Entry,
        at: datetime,
        deadline: Deadline,
        *,
        matches: bool,
        groups: frozenset[str],
    ) -> AccountFacts:
        has_password, evidence = self._has_password(entry, deadline, matches=matches)
        read = generic.Read(
            entry=entry,
            at=at,
            login_attribute=self._users.login_attribute,
            has_password=has_password,
            password_evidence=evidence,
            groups=groups,
        )
        if not self.is_openldap(deadline):
            return generic.base_facts(read)
        if not self._kind(deadline)[1]:
            return openldap.facts_of(read, NO_POLICY, status_readable=True)
        shows = any(entry.texts(name) for name in openldap.STATUS)
        if shows or self._prober.rights(deadline).status:
            policy = self.policies.for_entry(entry, deadline)
            return openldap.facts_of(read, policy, status_readable=True)
        # pwdPolicySubentry is hidden too, so that any policy may be this account's
        return openldap.facts_of(read, None, status_readable=False)

    def _has_password(
        self, entry: Entry, deadline: Deadline, *, matches: bool
    ) -> tuple[bool | None, Evidence]:
        """Return whether one is set: "not shown" proves it only with the right to see others'."""
        if usability.OID in entry.controls:
            return True, _shown("present", Origin.CONTROL)
        if matches:
            return True, _shown("present", Origin.ATTRIBUTE)
        rights = self._prober.rights(deadline)
        if rights.password:
            return False, _shown("absent", Origin.ATTRIBUTE)
        if rights.usability and self.policies.dn_for(entry) is not None:
            return False, _shown("absent", Origin.CONTROL)
        return None, _shown("not shown", Origin.ATTRIBUTE)

    @property
    def flavour(self) -> str:
        """The flavour that was found; empty: nobody has looked yet."""
        return "" if self._detected is None else self._detected[0]

    def _kind(self, deadline: Deadline) -> tuple[Flavour, bool]:
        """Return the flavour, as set or detected, and whether the server has policies.

        Where the root entry is not shown, it may have.
        """
        if self._detected is None:
            found = self._service.search("", ANY, flavour.ATTRIBUTES, deadline, scope=Scope.BASE)
            root = found[0] if found else None
            kind = self._settings.flavour
            if kind == "auto":
                kind = "generic" if root is None else flavour.flavour_of(root)
                if kind in flavour.NOT_YET:
                    _log.warning("%s is not supported yet: its servers' word is all we have", kind)
            shown = root is not None and root.texts("supportedControl")
            self._detected = kind, root is None or not shown or flavour.has_policies(root)
        return self._detected


def _shown(what: str, origin: Origin) -> Evidence:
    """Return the evidence about a password, which is never read itself."""
    source = "account usability control" if origin is Origin.CONTROL else "userPassword"
    return Evidence(Fact.PASSWORD, origin, f"{source}: {what}")
