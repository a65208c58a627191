"""Connections bound as an account of the agent's own, kept and lent to one thread at a time.

The library never sees a password: a connection is opened, verified and bound here and handed to it
as a socket whose every wait ends at the caller's deadline. It follows no referral.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import ldap3
from ldap3.core.exceptions import LDAPException
from pyasn1.error import PyAsn1Error

from loginward.directory.ldap.binder import IDLE_S, NOT_VERDICTS, Kept
from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from loginward.core.clock import Deadline
    from loginward.core.secret import Secret
    from loginward.directory.ldap.channel import Channel
    from loginward.directory.ldap.dialling import Dialler
    from loginward.directory.ldap.servers import Server, Servers

KEPT = 8
REFUSED_S = 15.0
SUCCESS = 0

# What the library raises at octets that are not LDAP is not always its own exception.
_BROKEN = (
    LDAPException,
    PyAsn1Error,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
)
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Session:
    server: Server
    channel: Channel
    connection: ldap3.Connection
    used_at: float = 0.0


@dataclass(slots=True)
class Sessions:
    """Connections of one account. Safe to use from many threads.

    Attributes:
        option: The option of the account, named where its bind is refused.
    """

    servers: Servers
    dialler: Dialler
    dn: str
    password: Secret
    option: str
    _refused: tuple[float, DirectoryUnavailable] | None = None
    _is_proven: bool = False  # the last bind that was looked at succeeded
    _trying: threading.Lock = field(default_factory=threading.Lock)
    _kept: dict[str, queue.LifoQueue[_Session]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kept = {server.url: queue.LifoQueue(KEPT) for server in self.servers.all}

    def close(self) -> None:
        """Close what is kept; idempotent."""
        for server in self.servers.all:
            self._drop(server)

    def open_alone(self, server: Server, deadline: Deadline) -> Channel:
        """Return a new connection bound as the account, which the caller closes.

        Raises:
            DirectoryUnavailable: As everywhere.
        """
        return self._open(server, deadline).channel

    def read(self, run: Callable[[ldap3.Connection], _T], deadline: Deadline) -> _T:
        """Run a search, on one server after the other: reading twice does no harm.

        No server may use up the time of those after it, nor an old connection that of a new one.
        """
        last: DirectoryUnavailable | None = None
        for server, left in self.servers.usable():
            share = deadline.sooner(deadline.left / left)
            if (session := self._take(server)) is not None:
                with contextlib.suppress(DirectoryUnavailable):
                    return self._run(session, run, share.sooner(share.left / 2))
                self._drop(server)
            began = self.servers.clock.monotonic()
            try:
                return self._run(self._open(server, share), run, share)
            except DirectoryUnavailable as problem:
                last = problem
                if problem.stage != self.option:
                    self.servers.failed(server, problem, began)
        assert last is not None
        raise last

    def write(self, run: Callable[[ldap3.Connection], _T], deadline: Deadline) -> _T:
        """Run a change once, on the first server that can be reached."""
        last: DirectoryUnavailable | None = None
        for server, left in self.servers.usable():
            try:
                session = self._take(server) or self._open(
                    server, deadline.sooner(deadline.left / left)
                )
            except DirectoryUnavailable as problem:
                last = problem
                continue
            return self._run(session, run, deadline)
        assert last is not None
        raise last

    def _run(
        self, session: _Session, run: Callable[[ldap3.Connection], _T], deadline: Deadline
    ) -> _T:
        """Run on one connection, which is kept only where all went well."""
        session.channel.deadline = deadline
        try:
            found = run(session.connection)
        except _BROKEN as error:
            session.channel.close()
            stage = "directory.budget_s" if deadline.passed else "search"
            # the library's text may hold the request
            raise DirectoryUnavailable(stage, type(error).__name__) from None
        except DirectoryUnavailable:
            session.channel.close()
            raise
        self.servers.answered(session.server)
        session.used_at = self.servers.clock.monotonic()
        try:
            self._kept[session.server.url].put_nowait(session)
        except queue.Full:
            session.channel.close()
        return found

    def _take(self, server: Server) -> _Session | None:
        """Return a kept connection that was open a moment ago."""
        recent = self.servers.clock.monotonic() - IDLE_S
        with contextlib.suppress(queue.Empty):
            while True:
                session = self._kept[server.url].get_nowait()
                if session.used_at > recent and not session.channel.is_stale():
                    return session
                session.channel.close()
        return None

    def _drop(self, server: Server) -> None:
        """Close what is kept of a server: where one connection broke, so did the others."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._kept[server.url].get_nowait().channel.close()

    def _open(self, server: Server, deadline: Deadline) -> _Session:
        """Return a new connection, bound as the account.

        Once its bind was refused it is not tried again for a while: a wrong password in a file
        must not lock the account by which everybody else signs in. Nor must many at once, so one
        at a time finds out.
        """
        self._check_not_refused()
        kept = Kept(self.dialler.dial(server, deadline))
        try:
            if self._is_proven:
                self._bind(kept)
            else:
                self._try_bind(kept, deadline)
        except DirectoryUnavailable:
            kept.channel.close()
            raise
        return _Session(server, kept.channel, _connection(kept.channel))

    def _check_not_refused(self) -> None:
        refused = self._refused
        if refused is not None and self.servers.clock.monotonic() < refused[0]:
            raise refused[1]

    def _try_bind(self, kept: Kept, deadline: Deadline) -> None:
        if not self._trying.acquire(timeout=max(0.0, deadline.left)):
            raise DirectoryUnavailable("directory.budget_s", "bind: no answer in time")
        try:
            self._check_not_refused()
            self._bind(kept)
        finally:
            self._trying.release()

    def _bind(self, kept: Kept) -> None:
        code = kept.bind(self.dn, self.password).operation.result.code
        if code != SUCCESS:
            raise self._refusal(code)
        self._is_proven = True

    def _refusal(self, code: int) -> DirectoryUnavailable:
        """Return the fault of a bind that did not succeed, remembered where it is a verdict."""
        said = f"its bind was refused with result {code}"
        if code in NOT_VERDICTS:
            return DirectoryUnavailable("bind", said)
        _log.error("%s: %s", self.option, said)
        refused = DirectoryUnavailable(self.option, said)
        self._is_proven = False
        self._refused = self.servers.clock.monotonic() + REFUSED_S, refused
        return refused


def _connection(channel: Channel) -> ldap3.Connection:
    """Return the library's connection over a socket that is already open and bound."""
    server = ldap3.Server("127.0.0.1", get_info=ldap3.NONE)  # never connected to
    connection = ldap3.Connection(
        server,
        client_strategy=ldap3.SAFE_SYNC,
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
    )
    connection.socket = channel
    connection.strategy._outstanding = {}  # noqa: SLF001  what its own open() does
    connection.closed = False
    connection.listening = True
    return connection
