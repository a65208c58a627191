"""Whether an account's password is checked elsewhere: userPassword holds {SASL} and an identity.

Asked by a filter that tells the scheme and nothing of the rest; the value is never read. It needs
the right to search userPassword: without it every entry looks as if it kept its own password.

Source: slapd's {SASL} scheme (slapd-2.5 admin guide, 14.5), RFC 4517 section 4.2.28; proven against
a live server.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from loginward.directory.ldap.filters import NO_ATTRIBUTES, parsed
from loginward.wire.ldap.search import Scope, either

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.clock import Deadline
    from loginward.directory.ldap.service import Service

BOUND: Final = 20_000  # entries remembered
# Between "{SASL}" and "{SASL~", which follows every value that begins so; no equality filter can
# ask for it.
_RULE: Final = "userPassword:octetStringOrderingMatch:="
IS_SASL: Final = either(
    *(parsed(f"(&({_RULE}{{{name}~)(!({_RULE}{{{name}}})))") for name in ("SASL", "sasl"))
)


class PassThrough:
    """Remembers the answer while the password's change time stays; safe for many threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[datetime, bool]] = OrderedDict()

    def holds(self, dn: str, changed_at: datetime | None, deadline: Deadline) -> bool:
        """Return whether the password of an entry is kept elsewhere.

        Without a change time nothing depends on it, and the answer is no.

        Raises:
            DirectoryUnavailable: No answer.
        """
        if changed_at is None:
            return False
        with self._lock:
            known = self._known.get(dn)
        if known is not None and known[0] == changed_at:
            return known[1]
        found = self._service.search(dn, IS_SASL, NO_ATTRIBUTES, deadline, scope=Scope.BASE)
        with self._lock:
            self._known[dn] = (changed_at, bool(found))
            self._known.move_to_end(dn)
            while len(self._known) > BOUND:
                self._known.popitem(last=False)
        return bool(found)
