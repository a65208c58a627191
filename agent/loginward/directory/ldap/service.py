"""Searches and writes as an account of the agent's own, over kept connections.

The library never sees a password: a connection is opened, verified and bound here and handed to it
as a socket whose every wait ends at the caller's deadline. It follows no referral.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import ldap3
from ldap3.core.exceptions import LDAPException
from pyasn1.error import PyAsn1Error

from loginward.directory.ldap.binder import NOT_VERDICTS, Kept
from loginward.directory.ldap.entry import Entry
from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loginward.core.clock import Deadline
    from loginward.core.secret import Secret
    from loginward.directory.ldap.channel import Channel
    from loginward.directory.ldap.dialling import Dialler
    from loginward.directory.ldap.servers import Server, Servers

KEPT = 4
PAGE = 500
SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT = 0, 4, 32
_PAGED = "1.2.840.113556.1.4.319"

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

Control = tuple[str, bool, bytes | None]


@dataclass(frozen=True, slots=True)
class Result:
    """The end of an operation; `controls` by OID, value as octets."""

    code: int
    message: str
    controls: dict[str, Any]


@dataclass(slots=True)
class _Session:
    server: Server
    channel: Channel
    connection: ldap3.Connection


@dataclass(slots=True)
class Service:
    """One account of the agent's, on whichever server answers. Safe to use from many threads.

    Attributes:
        option: The option of the account, named where its bind is refused.
    """

    servers: Servers
    dialler: Dialler
    dn: str
    password: Secret
    option: str
    _kept: dict[str, queue.LifoQueue[_Session]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kept = {server.url: queue.LifoQueue(KEPT) for server in self.servers.all}

    def search(
        self,
        base: str,
        filter_: str,
        attributes: Sequence[str],
        deadline: Deadline,
        *,
        scope: Literal["BASE", "SUBTREE"] = "SUBTREE",
        size_limit: int = 0,
        controls: Sequence[Control] = (),
    ) -> tuple[Entry, ...]:
        """Return the entries that match; at most `size_limit` where it is not 0.

        Raises:
            DirectoryUnavailable: No server, no time, or the server refuses the search.
        """

        def run(connection: ldap3.Connection) -> tuple[Entry, ...]:
            connection.search(
                base,
                filter_,
                scope,
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=list(attributes),
                size_limit=size_limit,
                controls=list(controls) or None,
            )
            if _expect(connection, SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT) == NO_SUCH_OBJECT:
                return ()
            return tuple(_entries(connection))

        return self._read(run, deadline)

    def pages(
        self,
        base: str,
        filter_: str,
        attributes: Sequence[str],
        deadline: Deadline,
        controls: Sequence[Control] = (),
    ) -> tuple[tuple[Entry, ...], str]:
        """Return every entry that matches, and why there may be more (empty: there are none).

        Raises:
            DirectoryUnavailable: As for `search`.
        """

        def run(connection: ldap3.Connection) -> tuple[tuple[Entry, ...], str]:
            found: list[Entry] = []
            cookie: Any = None
            while True:
                connection.search(
                    base,
                    filter_,
                    ldap3.SUBTREE,
                    dereference_aliases=ldap3.DEREF_NEVER,
                    attributes=list(attributes),
                    paged_size=PAGE,
                    paged_cookie=cookie,
                    controls=list(controls) or None,
                )
                code = _expect(connection, SUCCESS, SIZE_LIMIT)
                found += _entries(connection)
                if code == SIZE_LIMIT:
                    return tuple(found), "the server's size limit"
                controls_back = connection.result.get("controls", {})
                cookie = controls_back.get(_PAGED, {}).get("value", {}).get("cookie")
                if not cookie:
                    return tuple(found), ""

        return self._read(run, deadline)

    def modify(
        self,
        dn: str,
        replace: Mapping[str, Sequence[bytes]],
        deadline: Deadline,
        *controls: Control,
        then_delete: str = "",
    ) -> Result:
        """Replace attributes of one entry in one operation; no values removes them.

        Args:
            then_delete: An attribute to take away in the same operation.

        Raises:
            DirectoryUnavailable: No answer; it may have been done all the same.
        """
        changes: dict[str, list[tuple[str, list[bytes]]]] = {
            name: [(ldap3.MODIFY_REPLACE, list(values))] for name, values in replace.items()
        }
        if then_delete:
            changes.setdefault(then_delete, []).append((ldap3.MODIFY_DELETE, []))

        def run(connection: ldap3.Connection) -> Result:
            connection.modify(dn, changes, list(controls) or None)  # type: ignore[no-untyped-call]
            return _result(connection)

        return self._write(run, deadline)

    def extended(self, oid: str, value: bytes, deadline: Deadline) -> Result:
        """Run an extended operation whose value is already encoded.

        Raises:
            DirectoryUnavailable: No answer; it may have been done all the same.
        """

        def run(connection: ldap3.Connection) -> Result:
            connection.extended(oid, value, no_encode=True)
            connection.request = None  # it holds the password that was set
            return _result(connection)

        return self._write(run, deadline)

    def close(self) -> None:
        """Close what is kept; idempotent."""
        for server in self.servers.all:
            self._drop(server)

    def _read(self, run: Callable[[ldap3.Connection], _T], deadline: Deadline) -> _T:
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

    def _write(self, run: Callable[[ldap3.Connection], _T], deadline: Deadline) -> _T:
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
        try:
            self._kept[session.server.url].put_nowait(session)
        except queue.Full:
            session.channel.close()
        return found

    def _take(self, server: Server) -> _Session | None:
        """Return a kept connection that was open a moment ago."""
        with contextlib.suppress(queue.Empty):
            while True:
                session = self._kept[server.url].get_nowait()
                if not session.channel.is_stale():
                    return session
                session.channel.close()
        return None

    def _drop(self, server: Server) -> None:
        """Close what is kept of a server: where one connection broke, so did the others."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._kept[server.url].get_nowait().channel.close()

    def _open(self, server: Server, deadline: Deadline) -> _Session:
        """Return a new connection, bound as the account."""
        kept = Kept(self.dialler.dial(server, deadline))
        try:
            code = kept.bind(self.dn, self.password).operation.result.code
        except DirectoryUnavailable:
            kept.channel.close()
            raise
        if code != SUCCESS:
            kept.channel.close()
            stage = "bind" if code in NOT_VERDICTS else self.option
            raise DirectoryUnavailable(stage, f"its bind was refused with result {code}")
        return _Session(server, kept.channel, _connection(kept.channel))


def _connection(channel: Channel) -> ldap3.Connection:
    """Return the library's connection over a socket that is already open and bound."""
    server = ldap3.Server("127.0.0.1", get_info=ldap3.NONE)  # never connected to
    connection = ldap3.Connection(
        server,
        client_strategy=ldap3.SYNC,
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


def _expect(connection: ldap3.Connection, *codes: int) -> int:
    result = _result(connection)
    if result.code not in codes:
        raise DirectoryUnavailable("search", f"result {result.code} {result.message}".strip())
    return result.code


def _result(connection: ldap3.Connection) -> Result:
    result = connection.result
    controls = {oid: c.get("value") for oid, c in result.get("controls", {}).items()}
    return Result(int(result["result"]), str(result["message"]), controls)


def _entries(connection: ldap3.Connection) -> Iterator[Entry]:
    for found in connection.response or ():
        if found["type"] == "searchResEntry":
            raw = found["raw_attributes"]
            yield Entry(
                dn=found["dn"],
                values={name.lower(): tuple(values) for name, values in raw.items()},
                controls=frozenset(found.get("controls", ())),
            )
