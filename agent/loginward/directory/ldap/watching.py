"""Keeps remembered accounts current by watching an OpenLDAP, so that a login need not search.

The watch never answers for what it does not know: it is trusted for a moment only, and without it
everything is read as if there were none.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.directory.ldap.following import STAGE, Follower, NotOfferedError
from loginward.directory.port import Watched
from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.core.facts import AccountFacts
    from loginward.directory.ldap.channel import Channel
    from loginward.directory.ldap.entry import Entry
    from loginward.directory.ldap.reader import Reader
    from loginward.directory.ldap.remembered import Remembered
    from loginward.directory.ldap.servers import Server, Servers
    from loginward.directory.ldap.service import Service

_log = logging.getLogger(__name__)
# Facts hold 2 s from when they were true for sure; what is left of it is for the login.
TRUSTED_S: Final = 1.5
_OPEN_S: Final = 5.0
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 15.0
NOT_OFFERED_S: Final = 300.0
# Classes of entries that are no group, no policy and nothing's parent, though they change often.
_ACCOUNTS: Final = frozenset(
    {"person", "organizationalperson", "inetorgperson", "account", "posixaccount"}
)


class Watch:
    """A thread that follows one server after the other.

    Args:
        told: Told of each account that changed, by its stable id; empty: any may have changed.
    """

    def __init__(
        self,
        reader: Reader,
        service: Service,
        servers: Servers,
        remembered: Remembered,
        told: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._service = service
        self._servers = servers
        self._remembered = remembered
        self._told = told
        self._clock = clock
        self._stopping = threading.Event()
        self._following: tuple[Server, Follower] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._why = "not yet connected"
        self._thread = threading.Thread(target=self._run, name="directory watch", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def at_hand(self, name: str) -> AccountFacts | None:
        """Return an account against which nothing stands, as it was for sure a moment ago."""
        following = self._following
        if following is None or self._servers.preferred() is not following[0]:
            return None  # a bind would go to another server
        seen_at = following[1].seen_at  # before the account is looked at, not after
        if seen_at is None or self._clock.monotonic() - seen_at[0] > TRUSTED_S:
            return None
        return self._remembered.of_name(name, seen_at[1])

    def health(self) -> Watched:
        """Return how the watch is."""
        following = self._following
        seen_at = None if following is None else following[1].seen_at
        if seen_at is None:
            return Watched(pushed=False, why=self._why)
        return Watched(
            pushed=True,
            age_s=self._clock.monotonic() - seen_at[0],
            accounts=len(self._remembered),
        )

    # What the follower hears

    def person(self, account_id: str, entry: Entry | None) -> None:
        """Take note of what happened to a person's entry."""
        if self._remembered.happened(account_id, entry):
            self._told(account_id)

    def other(self, entry_id: str, entry: Entry | None) -> None:
        """Take note of what happened to any entry: it may be a group, a policy or a parent."""
        if entry is not None and entry.text("hasSubordinates").upper() == "FALSE":
            classes = {one.lower() for one in entry.texts("objectClass")}
            if entry_id in self._remembered or classes & _ACCOUNTS:
                return
        self.missed()

    def missed(self) -> None:
        """Take note that anything may have changed."""
        self._reader.policies.forget()
        self._remembered.doubt()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except NotOfferedError as problem:
                self._lost(problem, NOT_OFFERED_S)
            except DirectoryUnavailable as problem:
                self._lost(problem, self._pause_s)
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            except Exception:  # noqa: BLE001  the thread's top: a fault of ours must not end the watch
                _log.exception("directory watch: fault")
                self._stopping.wait(LONGEST_PAUSE_S)

    def _lost(self, problem: DirectoryUnavailable, pause_s: float) -> None:
        why = problem.detail if problem.stage == STAGE else str(problem)
        if why != self._why and not self._stopping.is_set():
            _log.warning("directory watch: %s; accounts are read at each login", why)
            self._why = why
        self._stopping.wait(pause_s)

    def _follow(self) -> None:
        """Follow the server that logins are checked at, until that ends.

        Raises:
            DirectoryUnavailable: It has, or could not begin.
        """
        deadline = Deadline.after(_OPEN_S, self._clock)
        if not self._reader.is_openldap(deadline):
            raise NotOfferedError(STAGE, "only an OpenLDAP can be watched")
        server, channel = self._opened(deadline)
        try:
            follower = Follower(channel, self._reader.rule, self, self._clock)
            follower.begin()
            while not follower.is_live:
                follower.turn()
                self._check_goes_on(server)
            self._live(server, follower)
            while True:
                follower.turn()
                self._check_goes_on(server)
        finally:
            self._following = None
            self._remembered.shut()
            channel.close()

    def _opened(self, deadline: Deadline) -> tuple[Server, Channel]:
        """Return a connection to the first server that answers.

        Raises:
            DirectoryUnavailable: None does, or the account is refused.
        """
        last: DirectoryUnavailable | None = None
        for server, left in self._servers.usable():
            began = self._clock.monotonic()
            try:
                channel = self._service.open_alone(server, deadline.sooner(deadline.left / left))
            except DirectoryUnavailable as problem:
                last = problem
                if problem.stage != self._service.option:
                    self._servers.failed(server, problem, began)
                continue
            self._servers.answered(server)
            return server, channel
        assert last is not None
        raise last

    def _live(self, server: Server, follower: Follower) -> None:
        self._reader.policies.forget()
        self._remembered.open(follower.suffix)
        self._following = server, follower
        self._pause_s = FIRST_PAUSE_S
        self._why = "not yet caught up"
        _log.info("directory watch: %s says what changes", server.url)
        self._told("")  # who knows what happened before

    def _check_goes_on(self, server: Server) -> None:
        """Raise where this server is no longer to be followed."""
        if self._stopping.is_set():
            raise DirectoryUnavailable(STAGE, "stopped")
        preferred = self._servers.preferred()
        if preferred is not None and preferred is not server:
            raise DirectoryUnavailable(STAGE, f"logins are checked at {preferred.url}")
