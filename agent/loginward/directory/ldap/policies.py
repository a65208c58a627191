"""The password policies of the server, read once and again after a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.directory.ldap import policy
from loginward.wire.ldap.search import Scope, equals

if TYPE_CHECKING:
    from loginward.core.clock import Clock, Deadline
    from loginward.directory.ldap.entry import Entry
    from loginward.directory.ldap.service import Service

VALID_S = 15.0
POLICY = equals("objectClass", "pwdPolicy")


class Policies:
    """Policies by DN. Safe to use from many threads: at worst one is read twice."""

    def __init__(self, service: Service, default_dn: str | None, clock: Clock) -> None:
        self._service = service
        self._default_dn = default_dn
        self._clock = clock
        self._known: dict[str, tuple[float, policy.Policy | None]] = {}
        self._forgotten = 0

    def dn_for(self, entry: Entry) -> str | None:
        """Return the DN of the policy of an account, as far as anybody says."""
        return entry.text("pwdPolicySubentry") or self._default_dn

    def for_entry(self, entry: Entry, deadline: Deadline) -> policy.Policy | None:
        """Return the policy of an account; None: nobody says which, or it cannot be read.

        Raises:
            DirectoryUnavailable: The server does not answer.
        """
        dn = self.dn_for(entry)
        if dn is None:
            return None
        now, forgotten = self._clock.monotonic(), self._forgotten
        known = self._known.get(dn)
        if known is not None and now < known[0] + VALID_S:
            return known[1]
        found = self._service.search(dn, POLICY, policy.ATTRIBUTES, deadline, scope=Scope.BASE)
        read = policy.policy_of(found[0]) if found else None
        if forgotten == self._forgotten:
            self._known[dn] = (now, read)
        return read

    def forget(self) -> None:
        """Read each again when it is next asked for, also those that are being read."""
        self._forgotten += 1
        self._known = {}
