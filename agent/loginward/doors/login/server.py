"""The login socket: a poller owns the connections, worker threads get whole frames.

Source: unix(7); the frames are those of `loginward.wire.login`.
"""

from __future__ import annotations

import contextlib
import math
import selectors
import socket
import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from loginward.doors.login.callers import CallerGoneError, caller_of
from loginward.doors.login.connection import CLIENTS_TURN, Connection, Turn
from loginward.doors.login.counters import Counters
from loginward.doors.login.limits import Allowance, Limits, Source
from loginward.doors.login.workers import Workers
from loginward.errors import ProtocolError
from loginward.wire.login import Begin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginward.core.clock import Clock
    from loginward.doors.login.port import LoginService

SWEEP_S: Final = 0.25
ACCEPTS_AT_ONCE: Final = 64  # so that a flood of connections does not starve those that are here


class LoginServer:
    """Serves a listening socket until it is stopped.

    Args:
        service: Judges; called from many threads.
        sock: Listening; the server closes it.
        peers: By uid, the services at which a user other than root may ask for others
            (doors.login.peers).
    """

    def __init__(
        self,
        service: LoginService,
        sock: socket.socket,
        limits: Limits,
        clock: Clock,
        peers: Mapping[int, tuple[str, ...]],
    ) -> None:
        self.counters = Counters()
        self._sock = sock
        self._limits = limits
        self._clock = clock
        self._allowance = Allowance(limits)
        self._workers = Workers(service, peers, limits, clock, self.counters, self._give_back)
        self._connections: set[Connection] = set()
        self._returned: deque[tuple[Connection, bool]] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._held: list[Connection] = []
        self._swept_at = clock.monotonic()

    def apply(self, peers: Mapping[int, tuple[str, ...]]) -> None:
        """Take other peers into force, for questions to come."""
        self._workers.peers = peers

    def gauges(self) -> dict[str, int]:
        """Return what there is at this moment: connections, checks in flight, frames waiting."""
        in_flight, waiting = self._workers.busy
        return {
            "connections": len(self._connections),
            "in_flight": in_flight,
            "waiting": waiting,
        }

    def run(self) -> None:
        """Serve in the calling thread until `stop`; then answer what is in flight and return."""
        for sock in (self._sock, self._wake_out, self._wake_in):
            sock.setblocking(False)  # noqa: FBT003  its one argument
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        self._workers.start()
        try:
            while not self._stopping.is_set():
                self._poll()
        finally:
            self._drain()
            self._stopped.set()

    def stop(self) -> None:
        """Take no more questions, answer those in flight, and return once that is done."""
        self._stopping.set()
        self._wake()
        self._stopped.wait(self._limits.drain_s + 1.0)

    def _poll(self) -> None:
        for key, _ in self._selector.select(self._patience_s()):
            if key.fileobj is self._sock:
                self._accept()
            elif key.fileobj is self._wake_out:
                self._take_back()
            else:
                self._on_readable(key.data)
        now = self._clock.monotonic()
        self._release(now)
        if now - self._swept_at >= SWEEP_S:
            self._sweep(now)

    def _patience_s(self) -> float | None:
        """Return how long nothing needs to be done unless something arrives; None: for ever."""
        if not self._connections:
            return None
        now = self._clock.monotonic()
        return min([SWEEP_S, *(max(0.0, c.until - now) for c in self._held)])

    def _release(self, now: float) -> None:
        """Send the refusals whose time has come."""
        due = [connection for connection in self._held if connection.until <= now]
        for connection in due:
            self._held.remove(connection)
            with contextlib.suppress(OSError):
                connection.send(connection.held)
            self._close(connection)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                sock, _address = self._sock.accept()
            except BlockingIOError:
                return
            except OSError:  # too few descriptors: an old connection pays for the next try
                if not self._evict(self._connections):
                    return
                continue
            sock.setblocking(False)  # noqa: FBT003  its one argument
            if not self._admit(sock):
                self.counters.add("refused")
                sock.close()

    def _admit(self, sock: socket.socket) -> bool:
        """Make room for a connection, at the cost of one that has asked nothing yet."""
        try:
            caller = caller_of(sock)
        except (OSError, CallerGoneError):
            return False
        source = Source(caller.real_uid)
        own = [c for c in self._connections if c.source.real_uid == source.real_uid]
        too_many = not source.is_root and len(own) >= self._limits.per_uid_connections
        if too_many and not self._evict(own):
            return False
        if len(self._connections) >= self._limits.connections and not self._evict(
            self._of_the_greediest()
        ):
            return False
        now = self._clock.monotonic()
        connection = Connection(sock, caller, now, now + self._limits.begin_s, source)
        self._connections.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)
        self.counters.add("accepted")
        return True

    def _of_the_greediest(self) -> list[Connection]:
        """Return the idle connections of the uid that holds most of them."""
        idle = [c for c in self._connections if c.turn is Turn.CLIENT_BEGINS]
        held = Counter(c.source.real_uid for c in idle)
        return [c for c in idle if c.source.real_uid == max(held, key=lambda uid: held[uid])]

    def _evict(self, among: set[Connection] | list[Connection]) -> bool:
        """Close the oldest connection that has asked nothing yet; return whether there was one."""
        idle = [c for c in among if c.turn is Turn.CLIENT_BEGINS]
        if not idle:
            return False
        self.counters.add("evicted")
        self._close(min(idle, key=lambda c: c.since))
        return True

    def _on_readable(self, connection: Connection) -> None:
        if connection not in self._connections:
            return  # evicted by an earlier event of the same round
        try:
            message = connection.read(self._limits, self._clock.monotonic())
        except BlockingIOError:
            return
        except ProtocolError:
            self.counters.add("garbage")
            self._close(connection)
            return
        except (EOFError, OSError):
            self.counters.add("hung_up")
            self._close(connection)
            return
        if message is None:
            return
        if isinstance(message, Begin):
            if not self._allowance.take(connection.source.real_uid, self._clock.monotonic()):
                self.counters.add("rate_limited")
                self._close(connection)
                return
            if connection.source.is_root:
                connection.source = Source(connection.source.real_uid, message.rhost)
        connection.turn = Turn.DAEMON
        self._selector.unregister(connection.sock)
        self._workers.offer(connection, message)

    def _give_back(self, connection: Connection, goes_on: bool) -> None:
        """Take a connection back from a worker's thread."""
        self._returned.append((connection, goes_on))
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_in.send(b"\0")

    def _take_back(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_out.recv(4096)
        while self._returned:
            connection, goes_on = self._returned.popleft()
            if connection not in self._connections:
                continue
            if goes_on and connection.turn is Turn.NOBODY:
                self._held.append(connection)
            elif goes_on:
                self._selector.register(connection.sock, selectors.EVENT_READ, connection)
            else:
                self._close(connection)

    def _sweep(self, now: float) -> None:
        """Close the connections whose client has not done its part in time."""
        self._swept_at = now
        for connection in list(self._connections):
            if connection.turn in CLIENTS_TURN and connection.until <= now:
                self.counters.add("timed_out")
                self._close(connection)

    def _close(self, connection: Connection) -> None:
        if connection not in self._connections:
            return  # closed already, while a worker was at it
        self._connections.remove(connection)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        connection.sock.close()
        if connection.conversation is not None:
            connection.conversation.hang_up()

    def _drain(self) -> None:
        self._selector.unregister(self._sock)
        self._sock.close()
        for connection in list(self._connections):
            if connection.turn in CLIENTS_TURN:
                self._close(connection)
        self._workers.drain(self._limits.drain_s)
        self._workers.stop()
        self._take_back()
        self._release(math.inf)
        for connection in list(self._connections):
            self._close(connection)
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
