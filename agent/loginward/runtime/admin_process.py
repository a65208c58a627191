"""The process that alone holds the directory's admin account (security.md 12).

A daemon started as root forks it before there are threads; under systemd it is a service with a user
of its own (`loginward.runtime.writer`), which the daemon reaches by a socket. It takes one order at a
time and looks the account up itself: an order is a verb, an account id and its ref.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from loginward.core.acts import Verb
from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts
from loginward.core.secret import Secret
from loginward.directory.port import Act, Done, HiddenGroup, NotDone
from loginward.errors import DirectoryUnavailable, LoginwardError
from loginward.host.beside import STDERR, close_all_but, connect
from loginward.runtime import hardening

if TYPE_CHECKING:
    import pwd
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.directory.port import Directory

_MOST_OCTETS = 65536
_GRACE_S = 1.0  # beyond the order's own budget, for the answer that says how it ended


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to whom; `password` never has a repr, it goes through this socket alone.

    Without a verb it is the question which protected groups the admin account cannot see.
    """

    number: int
    verb: Verb | None
    budget_s: float
    account_id: str = ""
    name: str = ""
    ref: str = ""
    password: bytes | None = None
    force: bool = False

    def __repr__(self) -> str:
        return f"Order({self.verb})"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the order of that number: refused with a sentence, not answered, or done.

    `hidden`: the groups that were asked for, each with the option of the account.
    """

    number: int
    refused: str = ""
    unavailable: str = ""
    noop: bool = False
    notes: tuple[str, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()


class AdminProcess:
    """The daemon's end of the socket; safe for many threads, one order at a time."""

    def __init__(
        self, link: socket.socket | None, *, pid: int = 0, path: Path | None = None
    ) -> None:
        self._pid = pid
        self._link = link
        self._path = path
        self._lock = threading.Lock()
        self._orders = 0

    @classmethod
    def fork(
        cls,
        opening: Callable[[], Directory],
        clock: Clock,
        become: pwd.struct_passwd | None = None,
    ) -> Self:
        """Start the process.

        Args:
            opening: Opens the directory there, with the admin account.
            become: The user it becomes before it takes an order.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid:
            theirs.close()
            return cls(ours, pid=pid)
        code = 1
        try:
            close_all_but(theirs.fileno(), STDERR)
            if become is not None:
                hardening.become(become)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon ends us by the socket
            serve(theirs, opening(), clock)
            code = 0
        finally:
            os._exit(code)

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the process that systemd starts for a connection to a socket."""
        return cls(None, path=path)

    def act(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Have an act carried out.

        Raises:
            DirectoryUnavailable: The directory or the process gave no answer.
        """
        reply = self._asked(
            Order(
                number=0,
                verb=act.verb,
                account_id=account.account_id,
                name=account.name,
                ref=account.ref,
                budget_s=0,
                password=None if act.password is None else act.password.reveal(),
                force=act.force,
            ),
            deadline,
        )
        if reply.refused:
            return NotDone(reply.refused)
        return Done(was_noop=reply.noop, notes=reply.notes)

    def hidden_groups(self, deadline: Deadline) -> tuple[HiddenGroup, ...]:
        """Return which protected groups the account of that process cannot see with a member.

        Raises:
            DirectoryUnavailable: The directory or the process gave no answer.
        """
        reply = self._asked(Order(number=0, verb=None, budget_s=0), deadline)
        if reply.refused:
            raise DirectoryUnavailable("admin-account", reply.refused)
        return tuple(HiddenGroup(name, account) for name, account in reply.hidden)

    def close(self) -> None:
        """End the process: it stops when its socket closes."""
        if self._link is not None:
            self._link.close()
        pid, self._pid = self._pid, 0
        if pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def _asked(self, order: Order, deadline: Deadline) -> Reply:
        """Return the answer to an order, which gets its number and budget when its turn comes."""
        with self._lock:
            self._orders += 1
            order = msgspec.structs.replace(order, number=self._orders, budget_s=deadline.left)
            try:
                reply = self._exchange(order)
            except (OSError, msgspec.DecodeError) as error:
                raise DirectoryUnavailable(
                    "admin-account", "its process does not answer"
                ) from error
        if reply.unavailable:
            raise DirectoryUnavailable(reply.unavailable)
        return reply

    def _exchange(self, order: Order) -> Reply:
        """Send an order once; an answer that came too late for an earlier one is dropped."""
        within_s = order.budget_s + _GRACE_S
        link = self._linked(within_s)
        link.settimeout(within_s)
        _send(link, order)
        while True:
            reply = msgspec.msgpack.decode(_receive(link), type=Reply)
            if reply.number == order.number:
                return reply

    def _linked(self, within_s: float) -> socket.socket:
        """Return the link; where systemd starts the process, a new one if the old has ended.

        That is looked at before an order is sent: one that was sent may have been carried out, and
        is never sent again.
        """
        link = self._link
        if self._path is not None and (link is None or _has_ended(link)):
            if link is not None:
                link.close()
            link = self._link = connect(self._path, within_s)
        if link is None:
            raise ConnectionError("there is no process")
        return link


def serve(link: socket.socket, directory: Directory, clock: Clock) -> None:
    """Carry out orders until the daemon is gone."""
    while True:
        try:
            order = msgspec.msgpack.decode(_receive(link), type=Order)
        except (OSError, msgspec.DecodeError):
            directory.close()
            return
        with contextlib.suppress(OSError):
            _send(link, _carried_out(order, directory, clock))


def _carried_out(order: Order, directory: Directory, clock: Clock) -> Reply:
    deadline = Deadline.after(order.budget_s, clock)
    try:
        if order.verb is None:
            hidden = directory.hidden_groups(frozenset(), deadline)
            return Reply(
                number=order.number, hidden=tuple((one.name, one.account) for one in hidden)
            )
        done = _done(order, order.verb, directory, deadline, clock)
    except DirectoryUnavailable as error:
        return Reply(number=order.number, unavailable=error.stage)
    except LoginwardError as error:
        return Reply(number=order.number, refused=str(error))
    if isinstance(done, NotDone):
        return Reply(number=order.number, refused=done.why)
    return Reply(number=order.number, noop=done.was_noop, notes=done.notes)


def _done(
    order: Order, verb: Verb, directory: Directory, deadline: Deadline, clock: Clock
) -> Done | NotDone:
    account = AccountFacts(
        account_id=order.account_id, name=order.name, ref=order.ref, read_at=clock.now()
    )
    password = None if order.password is None else Secret(order.password)
    act = Act(verb=verb, password=password, force=order.force)
    return directory.act(account, act, deadline)


def _send(link: socket.socket, message: Order | Reply) -> None:
    link.send(msgspec.msgpack.encode(message))


def _receive(link: socket.socket) -> bytes:
    octets = link.recv(_MOST_OCTETS)
    if not octets:
        raise ConnectionError("the other end is gone")
    return octets


def _has_ended(link: socket.socket) -> bool:
    """Tell whether the other end has closed; what waits to be read stays."""
    waiting = select.poll()  # select(2) knows no descriptor beyond 1023
    waiting.register(link, select.POLLIN)
    try:
        return bool(waiting.poll(0)) and not link.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
