"""The process that alone holds the directory's admin account (security.md 12).

It is forked before there are threads, takes one order at a time from a socket that only the daemon
has, and looks the account up itself: an order is a verb, an account id and its ref.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

import msgspec

from loginward.core.acts import Verb
from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts
from loginward.core.secret import Secret
from loginward.directory.port import Act, Done, NotDone
from loginward.errors import DirectoryUnavailable, LoginwardError
from loginward.runtime import hardening

if TYPE_CHECKING:
    import pwd
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.directory.port import Directory

_LENGTH = struct.Struct("!I")
_MOST_OCTETS = 65536


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do to whom; `password` never has a repr, it goes through this socket alone."""

    verb: Verb
    account_id: str
    name: str
    ref: str
    budget_s: float
    password: bytes | None = None
    force: bool = False

    def __repr__(self) -> str:
        return f"Order({self.verb.value})"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: refused with a sentence, not answered, or done."""

    refused: str = ""
    unavailable: str = ""
    noop: bool = False
    notes: tuple[str, ...] = ()


class AdminProcess:
    """The daemon's end of the socket; safe for many threads, one order at a time."""

    def __init__(self, pid: int, link: socket.socket) -> None:
        self._pid = pid
        self._link = link
        self._lock = threading.Lock()

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
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pid = os.fork()
        if pid:
            theirs.close()
            return cls(pid, ours)
        ours.close()
        code = 1
        try:
            if become is not None:
                hardening.become(become)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon ends us by the socket
            serve(theirs, opening(), clock)
            code = 0
        finally:
            os._exit(code)

    def act(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Have an act carried out.

        Raises:
            DirectoryUnavailable: The directory or the process gave no answer.
        """
        order = Order(
            verb=act.verb,
            account_id=account.account_id,
            name=account.name,
            ref=account.ref,
            budget_s=deadline.left,
            password=None if act.password is None else act.password.reveal(),
            force=act.force,
        )
        with self._lock:
            self._link.settimeout(deadline.left + 1.0)
            try:
                _send(self._link, msgspec.msgpack.encode(order))
                reply = msgspec.msgpack.decode(_receive(self._link), type=Reply)
            except (OSError, msgspec.DecodeError) as error:
                raise DirectoryUnavailable(
                    "admin-account", "its process does not answer"
                ) from error
        if reply.unavailable:
            raise DirectoryUnavailable(reply.unavailable)
        if reply.refused:
            return NotDone(reply.refused)
        return Done(was_noop=reply.noop, notes=reply.notes)

    def close(self) -> None:
        """End the process: it stops when its socket closes."""
        self._link.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def serve(link: socket.socket, directory: Directory, clock: Clock) -> None:
    """Carry out orders until the daemon is gone."""
    while True:
        try:
            order = msgspec.msgpack.decode(_receive(link), type=Order)
        except (OSError, msgspec.DecodeError):
            directory.close()
            return
        with contextlib.suppress(OSError):
            _send(link, msgspec.msgpack.encode(_carried_out(order, directory, clock)))


def _carried_out(order: Order, directory: Directory, clock: Clock) -> Reply:
    deadline = Deadline.after(order.budget_s, clock)
    account = AccountFacts(
        account_id=order.account_id, name=order.name, ref=order.ref, read_at=clock.now()
    )
    password = None if order.password is None else Secret(order.password)
    try:
        done = directory.act(
            account, Act(verb=order.verb, password=password, force=order.force), deadline
        )
    except DirectoryUnavailable as error:
        return Reply(unavailable=error.stage)
    except LoginwardError as error:
        return Reply(refused=str(error))
    if isinstance(done, NotDone):
        return Reply(refused=done.why)
    return Reply(noop=done.was_noop, notes=done.notes)


def _send(link: socket.socket, octets: bytes) -> None:
    link.sendall(_LENGTH.pack(len(octets)) + octets)


def _receive(link: socket.socket) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(link, _LENGTH.size))
    if length > _MOST_OCTETS:
        raise OSError("an order too long")
    return _exactly(link, length)


def _exactly(link: socket.socket, count: int) -> bytes:
    octets = bytearray()
    while len(octets) < count:
        piece = link.recv(count - len(octets))
        if not piece:
            raise OSError("the other end is gone")
        octets += piece
    return bytes(octets)
