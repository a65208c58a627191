"""What the service account may read, found out by asking, never assumed.

A server leaves out what one may not read, so that "not there" and "not shown" look the same. One
entry below the base that shows an attribute proves the right to read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.directory.ldap.filters import NO_ATTRIBUTES, parsed, people_of
from loginward.wire.ldap import Control, usability
from loginward.wire.ldap.search import both

if TYPE_CHECKING:
    from loginward.core.clock import Clock, Deadline
    from loginward.directory.ldap.service import Service
    from loginward.settings.directory import Users

VALID_S = 60.0  # how long an answer is believed: rights change seldom
SAMPLE = 20
USABILITY = Control(usability.OID)
HAS_PASSWORD = "(userPassword=*)"  # noqa: S105  a filter
STATUS_SHOWN = "(|(pwdChangedTime=*)(pwdAccountLockedTime=*)(pwdFailureTime=*)(pwdReset=*))"


@dataclass(frozen=True, slots=True)
class Rights:
    """What was shown to the service account.

    Attributes:
        status: Attributes of the password policy.
        password: Whether an entry has a password, by filter.
        usability: The same, by the account usability control.
    """

    status: bool
    password: bool
    usability: bool


class Prober:
    """Finds out the rights and remembers them for a while."""

    def __init__(self, service: Service, users: Users, clock: Clock) -> None:
        self._service = service
        self._base = users.base_dn or ""
        self._people = people_of(users)
        self._clock = clock
        self._known: tuple[float, Rights] | None = None

    def rights(self, deadline: Deadline) -> Rights:
        """Return the rights.

        Raises:
            DirectoryUnavailable: The server does not answer.
        """
        known, now = self._known, self._clock.monotonic()
        if known is not None and now < known[0] + VALID_S:
            return known[1]
        sample = self._service.search(
            self._base,
            self._people,
            NO_ATTRIBUTES,
            deadline,
            size_limit=SAMPLE,
            controls=[USABILITY],
        )
        rights = Rights(
            status=self._shows(STATUS_SHOWN, deadline),
            password=self._shows(HAS_PASSWORD, deadline),
            usability=any(usability.OID in entry.controls for entry in sample),
        )
        self._known = (now, rights)
        return rights

    def _shows(self, filter_: str, deadline: Deadline) -> bool:
        wanted = both(self._people, parsed(filter_))
        return bool(self._service.search(self._base, wanted, NO_ATTRIBUTES, deadline, size_limit=1))
