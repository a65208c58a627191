"""Checks passwords by bind, over connections on which nothing but binds is ever done.

A connection carries one bind at a time and is destroyed on any irregularity. Once a bind was sent
it is never sent again, whatever happens: it may have been counted.
"""

from __future__ import annotations

import contextlib
import queue
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.directory.ldap import verdict
from loginward.directory.ldap.dialling import Dialler, exchange
from loginward.errors import DirectoryUnavailable
from loginward.wire import ldap
from loginward.wire.ldap import ppolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Deadline
    from loginward.core.evidence import Checked
    from loginward.core.secret import Secret
    from loginward.directory.ldap.channel import Channel
    from loginward.directory.ldap.servers import Server, Servers

KEPT = 16  # connections kept open per server
IDLE_S = 60.0  # one unused for longer may be dead without a word: firewalls forget
NOT_LOOKED = frozenset({51, 52})  # busy, unavailable: said instead of looking at the request
NOT_VERDICTS = frozenset({1, 2, 3, 8, 10, 11, 13, 51, 52, 80})  # RFC 4511 appendix A.1


@dataclass(slots=True)
class Kept:
    """A connection that is open, and the id of the last message on it."""

    channel: Channel
    last_id: int = 1
    used_at: float = 0.0  # monotonic

    def bind(self, dn: str, password: Secret) -> ldap.Message:
        """Bind once; the answer is a BindResponse.

        Raises:
            DirectoryUnavailable: No answer, or not one to this; destroy the connection.
        """
        self.last_id += 1
        request = ldap.bind_request(self.last_id, dn, password.reveal(), (ppolicy.REQUEST,))
        answer = exchange(self.channel, request, self.last_id, "bind")
        if not isinstance(answer.operation, ldap.BindResponse):
            raise DirectoryUnavailable("bind", "the answer is not to what was asked")
        return answer

    def change_password(self, old: Secret, new: Secret) -> ldap.Message:
        """Change the password of whoever is bound; the answer is an ExtendedResponse.

        Raises:
            DirectoryUnavailable: No answer; it may have been changed all the same.
        """
        self.last_id += 1
        request = ldap.password_modify_request(
            self.last_id, old.reveal(), new.reveal(), (ppolicy.REQUEST,)
        )
        answer = exchange(self.channel, request, self.last_id, "change")
        if not isinstance(answer.operation, ldap.ExtendedResponse):
            raise DirectoryUnavailable("change", "the answer is not to what was asked")
        return answer


def _nobody(_checked: Checked, _kept: Kept) -> bool:
    return False


@dataclass(slots=True)
class Binder:
    """Binds as people. Safe to use from many threads."""

    servers: Servers
    dialler: Dialler
    _kept: dict[str, queue.LifoQueue[Kept]] = field(default_factory=dict)
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._kept = {server.url: queue.LifoQueue(KEPT) for server in self.servers.all}

    def bind(
        self,
        dn: str,
        password: Secret,
        deadline: Deadline,
        takes_over: Callable[[Checked, Kept], bool] = _nobody,
    ) -> Checked:
        """Bind once, at the first server that looks at it; return what that showed.

        A server that is busy says so instead of looking, and counts nothing: the next is asked.

        Args:
            dn: Whose.
            password: Theirs.
            deadline: When the answer is of no more use.
            takes_over: Given what was shown and the connection, whether it is the caller's from then
                on and never carries anybody else's bind.

        Raises:
            DirectoryUnavailable: No server, or no answer in time.
        """
        last: DirectoryUnavailable | None = None
        for server, left in self.servers.usable():
            began = self.servers.clock.monotonic()
            kept: Kept | None = None
            try:
                kept = self._take(server) or Kept(
                    self.dialler.dial(server, deadline.sooner(deadline.left / left))
                )
                kept.channel.deadline = deadline
                answer = kept.bind(dn, password)
            except DirectoryUnavailable as problem:
                last = self._failed(server, problem, began)
                if kept is not None:
                    kept.channel.close()
                    raise  # it may have been looked at
                continue
            code = answer.operation.result.code
            if code not in NOT_LOOKED:
                self.servers.answered(server)
                checked = verdict.checked(answer)
                if not takes_over(checked, kept):
                    self._put_back(server, kept, reusable=code not in NOT_VERDICTS)
                return checked
            kept.channel.close()
            last = self._failed(server, DirectoryUnavailable("bind", f"result {code}"), began)
        assert last is not None
        raise last

    def open_alone(self, deadline: Deadline) -> Kept:
        """Return a new connection for one person alone; the caller closes it.

        Raises:
            DirectoryUnavailable: No server can be reached in time.
        """
        return open_first(self.servers, self.dialler, deadline)[1]

    def close(self) -> None:
        """Close what is kept; idempotent."""
        self._is_closed = True
        for server in self.servers.all:
            self._drop(server)

    def _take(self, server: Server) -> Kept | None:
        """Return a kept connection known to be open a moment ago; nothing was sent yet."""
        recent = self.servers.clock.monotonic() - IDLE_S
        while (kept := _take(self._kept[server.url])) is not None:
            if kept.used_at > recent and not kept.channel.is_stale():
                return kept
            kept.channel.close()
        return None

    def _failed(
        self, server: Server, problem: DirectoryUnavailable, began: float
    ) -> DirectoryUnavailable:
        self.servers.failed(server, problem, began)
        self._drop(server)
        return problem

    def _drop(self, server: Server) -> None:
        """Close what is kept of a server: what broke one connection may have broken all."""
        while (kept := _take(self._kept[server.url])) is not None:
            kept.channel.close()

    def _put_back(self, server: Server, kept: Kept, *, reusable: bool) -> None:
        kept.used_at = self.servers.clock.monotonic()
        if reusable and not self._is_closed:
            with contextlib.suppress(queue.Full):
                return self._kept[server.url].put_nowait(kept)
        return kept.channel.close()


def open_first(servers: Servers, dialler: Dialler, deadline: Deadline) -> tuple[Server, Kept]:
    """Return a new connection to the first server that takes one.

    No server may use up the time of those after it.

    Raises:
        DirectoryUnavailable: None does.
    """
    last: DirectoryUnavailable | None = None
    for server, left in servers.usable():
        began = servers.clock.monotonic()
        try:
            channel = dialler.dial(server, deadline.sooner(deadline.left / left))
        except DirectoryUnavailable as problem:
            servers.failed(server, problem, began)
            last = problem
            continue
        channel.deadline = deadline
        return server, Kept(channel)
    assert last is not None
    raise last


def _take(waiting: queue.LifoQueue[Kept]) -> Kept | None:
    try:
        return waiting.get_nowait()
    except queue.Empty:
        return None
