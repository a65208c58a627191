"""The few operations that the agent asks of a directory beside binds.

Source: RFC 4511 sections 4.5, 4.6, 4.12, RFC 2696 (pages).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ldap3

from loginward.directory.ldap import searching
from loginward.directory.ldap.entry import Entry
from loginward.errors import DirectoryUnavailable
from loginward.wire import ldap
from loginward.wire.ldap.search import Scope, search_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loginward.core.clock import Deadline
    from loginward.directory.ldap.sessions import Sessions

PAGE = 500
SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT = 0, 4, 32
_PAGED = "1.2.840.113556.1.4.319"


Control = tuple[str, bool, bytes | None]


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

    def search(
        self,
        base: str,
        filter_: bytes,
        attributes: tuple[str, ...],
        deadline: Deadline,
        *,
        scope: Scope = Scope.SUBTREE,
        size_limit: int = 0,
        controls: Sequence[Control] = (),
    ) -> tuple[Entry, ...]:
        """Return the entries that match a filter (encoded); at most `size_limit` if that is not 0.

        Raises:
            DirectoryUnavailable: No server, no time, or the server refuses the search.
        """

        def run(connection: ldap3.Connection) -> tuple[Entry, ...]:
            message_id = connection.server.next_message_id()
            request = search_request(
                message_id,
                base,
                filter_,
                searching.attribute_list(attributes),
                scope=scope,
                size_limit=size_limit,
                controls=tuple(ldap.Control(*control) for control in controls),
            )
            found, end = searching.run(connection.socket, message_id, request)
            if end.code not in {SUCCESS, SIZE_LIMIT, NO_SUCH_OBJECT}:
                raise DirectoryUnavailable("search", f"result {end.code} {end.diagnostic}".strip())
            return tuple(found)

        return self._sessions.read(run, deadline)

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

        return self._sessions.read(run, deadline)

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

        return self._sessions.write(run, deadline)

    def extended(self, oid: str, value: bytes, deadline: Deadline) -> Result:
        """Run an extended operation whose value is already encoded.

        Raises:
            DirectoryUnavailable: No answer; it may have been done all the same.
        """

        def run(connection: ldap3.Connection) -> Result:
            connection.extended(oid, value, no_encode=True)
            connection.request = None  # it holds the password that was set
            return _result(connection)

        return self._sessions.write(run, deadline)

    def close(self) -> None:
        """Close what is kept; idempotent."""
        self._sessions.close()


def _expect(connection: ldap3.Connection, *codes: int) -> int:
    result = _result(connection)
    if result.code not in codes:
        raise DirectoryUnavailable("search", f"result {result.code} {result.message}".strip())
    return result.code


def _result(connection: ldap3.Connection) -> Result:
    result = connection.result
    return Result(int(result["result"]), str(result["message"]))


def _entries(connection: ldap3.Connection) -> Iterator[Entry]:
    for found in connection.response or ():
        if found["type"] == "searchResEntry":
            raw = found["raw_attributes"]
            yield Entry(
                dn=found["dn"],
                values={name.lower(): tuple(values) for name, values in raw.items()},
                controls=frozenset(found.get("controls", ())),
            )
