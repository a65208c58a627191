"""The admin socket: one thread a connection, few connections, one request on each.

Source: unix(7); the lines are those of `loginward.wire.admin`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.doors.admin.dispatch import Dispatch
from loginward.doors.admin.talk import Talk
from loginward.doors.peer import peer_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loginward.core.clock import Clock
    from loginward.doors.admin.port import AdminService
    from loginward.doors.admin.roles import Roles

_log = logging.getLogger(__name__)
SOCKET_MODE: Final = 0o666  # who may ask what is decided by the kernel's word on the peer
BACKLOG: Final = 128
PER_UID: Final = 16
DRAIN_S: Final = 2.0
PAUSE_S: Final = 0.05
IN_ALL: Final = 64  # besides those of uid 0


def listen(path: Path, mode: int = SOCKET_MODE) -> socket.socket:
    """Return a listening socket at a path, in place of one that a dead daemon left.

    Raises:
        OSError: The path cannot be used, or a daemon is listening there already.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        listener.bind(os.fspath(path))
        path.chmod(mode)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens on; anything else there is left to fail the bind."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()


@dataclass(slots=True, eq=False)
class _Guest:
    """A connection; `is_heard` once its request has been read."""

    uid: int
    connection: socket.socket
    is_heard: bool = False
    thread: threading.Thread | None = None


class AdminServer:
    """Serves a listening socket until it is closed.

    Args:
        listener: Listening; the server closes it.
        roles: Called for each connection, so that a reload holds from the next one on, and
            while events are followed.
    """

    def __init__(
        self,
        listener: socket.socket,
        service: AdminService,
        roles: Callable[[], Roles],
        clock: Clock,
    ) -> None:
        self._listener = listener
        self._service = service
        self._roles = roles
        self._clock = clock
        self._guard = threading.Lock()
        self._guests: deque[_Guest] = deque()  # oldest first
        self._importing = threading.Semaphore(1)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="admin-accept", daemon=True)

    @property
    def is_well(self) -> bool:
        """Whether connections are accepted, once it has been started."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, end every answer, and wait for what is being done, at most 2 s."""
        with self._guard:
            self._closed.set()
            guests = list(self._guests)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.is_alive():
            self._thread.join()
        deadline = Deadline.after(DRAIN_S, self._clock)
        for guest in guests:
            _hang_up(guest.connection)
        for guest in guests:
            if guest.thread is not None:
                guest.thread.join(deadline.left)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                self._accept_one()
            except OSError:
                self._closed.wait(PAUSE_S)  # a peer that gave up, or too few descriptors
            except Exception:  # noqa: BLE001  the thread's top: the next one may fare better
                _log.exception("admin socket: a connection could not be served")
                self._closed.wait(PAUSE_S)

    def _accept_one(self) -> None:
        connection, _ = self._listener.accept()
        guest = self._admit(connection)
        if guest is None:
            connection.close()
            return
        thread = threading.Thread(
            target=self._serve, args=(guest,), name=f"admin-{guest.uid}", daemon=True
        )
        try:
            thread.start()
        except BaseException:  # too many threads for this user
            self._let_go(guest)
            raise
        guest.thread = thread

    def _admit(self, connection: socket.socket) -> _Guest | None:
        """Make room for a connection, at the cost of the oldest idle one.

        Of the same uid where that has too many; where all others have, of theirs: one person
        may have many uids (subuid(5)), and is not to keep everybody else out.
        """
        try:
            _, uid, _ = peer_of(connection)
        except OSError:
            return None
        with self._guard:
            if self._closed.is_set():
                return None
            crowd = [guest for guest in self._guests if guest.uid == uid]
            is_full = len(crowd) >= PER_UID
            if not is_full and uid != 0:
                crowd = [guest for guest in self._guests if guest.uid != 0]
                is_full = len(crowd) >= IN_ALL
            if is_full:
                idle = next((guest for guest in crowd if not guest.is_heard), None)
                if idle is None:
                    return None
                self._guests.remove(idle)
                _hang_up(idle.connection)
            guest = _Guest(uid, connection)
            self._guests.append(guest)
            return guest

    def _serve(self, guest: _Guest) -> None:
        def heard() -> None:
            guest.is_heard = True

        try:
            roles = self._roles()
            dispatch = Dispatch(self._service, roles)
            talk = Talk(guest.connection, dispatch, self._clock, self._importing, self._roles)
            talk.run(roles, heard)
        finally:
            self._let_go(guest)

    def _let_go(self, guest: _Guest) -> None:
        guest.connection.close()
        with self._guard, contextlib.suppress(ValueError):
            self._guests.remove(guest)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
