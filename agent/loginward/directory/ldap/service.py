"""The few operations that the agent asks of a directory beside binds.

Source: RFC 4511 sections 4.5, 4.6, 4.12, RFC 2696 (pages).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ldap3

from loginward.directory.ldap import searching
from loginward.directory.ldap.dialling import exchange
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.wire.ldap import paging
from loginward.wire.ldap.messages import extended_request
from loginward.wire.ldap.search import Scope, search_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loginward.core.clock import Deadline
    from loginward.directory.ldap.channel import Channel
    from loginward.directory.ldap.entry import Entry
    from loginward.directory.ldap.servers import Server
    from loginward.directory.ldap.sessions import Sessions
    from loginward.wire import ldap
    from loginward.wire.ldap.search import SearchDone

PAGE = 500
SUCCESS, SIZE_LIMIT, ADMIN_LIMIT, NO_SUCH_OBJECT = 0, 4, 11, 32
CUT = "the server's size limit; raise it for directory.service_account (OpenLDAP: limits, size)"
_ENDS = frozenset({SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT})
_PAGE_ENDS = _ENDS | {ADMIN_LIMIT}


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended; `message` is the server's own, for the log and for `why`."""

    code: int
    message: str


class Service:
    """Searches and changes as one account, on whichever server answers.

    Safe to use from many threads.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @property
    def option(self) -> str:
        """The option of the account: the stage of a fault by which its own bind is refused."""
        return self._sessions.option

    def search(
        self,
        base: str,
        filter_: bytes,
        attributes: tuple[str, ...],
        deadline: Deadline,
        *,
        scope: Scope = Scope.SUBTREE,
        size_limit: int = 0,
        controls: Sequence[ldap.Control] = (),
    ) -> tuple[Entry, ...]:
        """Return the entries that match a filter (encoded); at most `size_limit` if that is not 0.

        Raises:
            DirectoryUnavailable: No server, no time, or the server refuses the search.
        """

        def run(connection: ldap3.Connection) -> tuple[Entry, ...]:
            found, _ = _search(
                connection, base, filter_, attributes, scope, tuple(controls), size_limit
            )
            return tuple(found)

        return self._sessions.read(run, deadline)

    def pages(
        self,
        base: str,
        filter_: bytes,
        attributes: tuple[str, ...],
        deadline: Deadline,
        controls: Sequence[ldap.Control] = (),
    ) -> tuple[tuple[Entry, ...], str]:
        """Return every entry that matches, and why there may be more (empty: there are none).

        A server that takes no such pages (OpenLDAP: size.pr, size.prtotal) is asked without.

        Raises:
            DirectoryUnavailable: As for `search`.
        """

        def run(connection: ldap3.Connection) -> tuple[tuple[Entry, ...], str]:
            found: list[Entry] = []
            cookie = b""
            while True:
                asked = (*controls, paging.request(PAGE, cookie))
                page, end = _search(
                    connection, base, filter_, attributes, Scope.SUBTREE, asked, ends=_PAGE_ENDS
                )
                if end.result.code == ADMIN_LIMIT:
                    found.clear()
                    page, end = _search(
                        connection, base, filter_, attributes, Scope.SUBTREE, tuple(controls)
                    )
                found += page
                if end.result.code == SIZE_LIMIT:
                    return tuple(found), CUT
                cookie = _next_page(end)
                if not cookie:
                    return tuple(found), ""

        return self._sessions.read(run, deadline)

    def modify(
        self,
        dn: str,
        replace: Mapping[str, Sequence[bytes]],
        deadline: Deadline,
        *controls: ldap.Control,
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
            _, result, _, _ = connection.modify(dn, changes, _as_tuples(controls))  # type: ignore[no-untyped-call]
            return Result(int(result["result"]), str(result["message"]))

        return self._sessions.write(run, deadline)

    def extended(self, oid: str, value: bytes, deadline: Deadline) -> Result:
        """Run an extended operation whose value is already encoded.

        Raises:
            DirectoryUnavailable: No answer; it may have been done all the same.
        """

        def run(connection: ldap3.Connection) -> Result:
            message_id = connection.server.next_message_id()
            request = extended_request(message_id, oid, value)
            answer = exchange(connection.socket, request, message_id, "extended")
            return Result(answer.operation.result.code, answer.operation.result.diagnostic)

        return self._sessions.write(run, deadline)

    def open_alone(self, server: Server, deadline: Deadline) -> Channel:
        """Return a connection bound as the account, which the caller closes.

        Raises:
            DirectoryUnavailable: No answer, or the account is refused.
        """
        return self._sessions.open_alone(server, deadline)

    def close(self) -> None:
        """Close what is kept; idempotent."""
        self._sessions.close()


def _search(
    connection: ldap3.Connection,
    base: str,
    filter_: bytes,
    attributes: tuple[str, ...],
    scope: Scope,
    controls: tuple[ldap.Control, ...],
    size_limit: int = 0,
    *,
    ends: frozenset[int] = _ENDS,
) -> tuple[list[Entry], SearchDone]:
    """Search on one connection; a base that is not there holds nothing.

    Args:
        ends: The result codes that are no refusal.

    Raises:
        DirectoryUnavailable: No answer, or the server refuses the search.
    """
    message_id = connection.server.next_message_id()
    request = search_request(
        message_id,
        base,
        filter_,
        searching.attribute_list(attributes),
        scope=scope,
        size_limit=size_limit,
        controls=controls,
    )
    found, end = searching.run(connection.socket, message_id, request)
    if end.result.code not in ends:
        said = f"result {end.result.code} {end.result.diagnostic}".strip()
        raise DirectoryUnavailable("search", said)
    return found, end


def _next_page(end: SearchDone) -> bytes:
    """Return the cookie of the next page; empty: there is none.

    Raises:
        DirectoryUnavailable: What the server says of pages cannot be understood.
    """
    try:
        return next(
            (paging.parse(c.value or b"") for c in end.controls if c.oid == paging.OID), b""
        )
    except ProtocolError as error:
        raise DirectoryUnavailable("search", str(error)) from error


def _as_tuples(controls: Sequence[ldap.Control]) -> list[tuple[str, bool, bytes | None]] | None:
    return [(c.oid, c.critical, c.value) for c in controls] or None
