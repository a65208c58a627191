"""The login socket: a poller owns the connections, worker threads get whole frames.

Source: unix(7); the frames are those of `loginward.wire.login`.
"""

from __future__ import annotations

import contextlib
import logging
import math
import selectors
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from loginward.doors.login.callers import CallerGoneError, caller_of
from loginward.doors.login.connection import CLIENTS_TURN, Connection, Turn
from loginward.doors.login.counters import Counters
from loginward.doors.login.crowd import Crowd, oldest_idle
from loginward.doors.login.limits import Allowance, Limits, Source
from loginward.doors.login.workers import Workers
from loginward.doors.peer import peer_of
from loginward.errors import ProtocolError
from loginward.wire.login import Begin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loginward.core.clock import Clock
    from loginward.doors.login.port import LoginService

_log = logging.getLogger(__name__)
SWEEP_S: Final = 0.25
FAULTS_IN_A_ROW: Final = 20  # more than one connection can cause: the door ends, and is missed
PAUSE_S: Final = 0.05  # where no descriptor is left and none can be had


class LoginServer:
    """Serves a listening socket until it is stopped.

    Args:
        service: Judges; called from many threads.
        sock: Listening; the server closes it.
        peers: Returns by uid the services at which a user other than root may ask for others
            (doors.login.peers); asked for each question, so that a reload holds from the next on.
    """

    def __init__(
        self,
        service: LoginService,
        sock: socket.socket,
        limits: Limits,
        clock: Clock,
        peers: Callable[[], Mapping[int, tuple[str, ...]]],
    ) -> None:
        self.counters = Counters()
        self._sock = sock
        self._limits = limits
        self._clock = clock
        self._allowance = Allowance(limits)
        self._workers = Workers(service, peers, limits, clock, self.counters, self._give_back)
        self._crowd = Crowd(limits)
        self._returned: deque[Connection] = deque()
        self._held: list[Connection] = []
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._in_hand: Connection | None = None
        self._faults_in_a_row = 0
        self._turns = 0
        self._is_waiting = True
        self._swept_at = clock.monotonic()

    def gauges(self) -> dict[str, int]:
        """Return what there is at this moment: connections, checks in flight, frames waiting."""
        in_flight, waiting = self._workers.busy
        return {"connections": self._crowd.alive, "in_flight": in_flight, "waiting": waiting}

    @property
    def is_well(self) -> bool:
        """Whether it is served by everybody who should, once it runs."""
        return not self._stopped.is_set() and self._workers.are_well

    @property
    def turn(self) -> int | None:
        """Return the number of the turn that the door is at; None: it waits for somebody."""
        return None if self._is_waiting else self._turns

    def run(self) -> None:
        """Serve in the calling thread until `stop`; then answer what is in flight and return."""
        for sock in (self._sock, self._wake_out, self._wake_in):
            sock.setblocking(False)  # noqa: FBT003  its one argument
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._selector.register(self._wake_out, selectors.EVENT_READ)
        self._workers.start()
        try:
            while not self._stopping.is_set():
                self._poll_on()
        finally:
            self._drain()
            self._stopped.set()

    def stop(self) -> None:
        """Take no more questions, answer those in flight, and return once that is done."""
        self._stopping.set()
        self._wake()
        self._stopped.wait(self._limits.drain_s + 1.0)

    def _poll_on(self) -> None:
        """Poll once; a fault of ours costs the connection that it came with, not the door."""
        try:
            self._poll()
        except Exception:
            self.counters.add("faults")
            _log.exception("the login door: fault")
            self._faults_in_a_row += 1
            if self._faults_in_a_row > FAULTS_IN_A_ROW:
                raise
            if self._in_hand is not None:
                self._close(self._in_hand)
            self._stopping.wait(PAUSE_S)
        else:
            self._faults_in_a_row = 0

    def _poll(self) -> None:
        self._in_hand = None
        self._is_waiting = True
        events = self._selector.select(self._patience_s())
        self._turns += 1
        self._is_waiting = False
        self._take_back()
        for key, _ in events:
            if key.fileobj is self._sock:
                self._accept()
            elif key.fileobj is self._wake_out:
                with contextlib.suppress(BlockingIOError):
                    self._wake_out.recv(4096)
            elif key.data in self._crowd:  # not closed by an earlier event of this round
                self._read(key.data)
        now = self._clock.monotonic()
        self._release(now)
        if now - self._swept_at >= SWEEP_S:
            self._swept_at = now
            for connection in self._crowd.overdue(now):
                self.counters.add("timed_out")
                self._close(connection)

    def _patience_s(self) -> float | None:
        """Return how long nothing needs to be done unless something arrives; None: for ever."""
        if not len(self._crowd):
            return None
        if not self._held:
            return SWEEP_S
        now = self._clock.monotonic()
        return min(SWEEP_S, *(max(0.0, c.until - now) for c in self._held))

    def _release(self, now: float) -> None:
        """Send the refusals whose time has come."""
        due = [connection for connection in self._held if connection.until <= now]
        for connection in due:
            self._held.remove(connection)
            with contextlib.suppress(OSError):
                connection.send(connection.held)
            self._close(connection)

    def _accept(self) -> None:
        """Accept one connection; epoll tells at once where there are more."""
        try:
            sock, _address = self._sock.accept()
        except BlockingIOError:
            return
        except OSError:  # too few descriptors: an old connection pays for the next try
            idle = oldest_idle(self._crowd)
            self._evict(idle)
            if not idle:
                self._stopping.wait(PAUSE_S)
            return
        sock.setblocking(False)  # noqa: FBT003  its one argument
        connection = self._admitted(sock)
        if connection is None:
            self.counters.add("refused")
            sock.close()
            return
        self.counters.add("accepted")
        self._crowd.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)
        self._read(connection)  # a client says its BEGIN as soon as it has connected

    def _admitted(self, sock: socket.socket) -> Connection | None:
        """Return the connection, if its uid may ask one more thing, whatever becomes of it."""
        now = self._clock.monotonic()
        try:
            if not self._allowance.is_left(peer_of(sock)[1], now):
                self.counters.add("rate_limited")
                return None  # before anything is looked up: whoever floods costs little
            caller = caller_of(sock)
        except (OSError, CallerGoneError):
            return None
        if not self._allowance.take(caller.real_uid, now):
            self.counters.add("rate_limited")
            return None
        source = Source(caller.real_uid)
        in_the_way = self._crowd.in_the_way_of(source)
        if in_the_way is None:
            return None
        self._evict(in_the_way)
        return Connection(sock, caller, now, now + self._limits.begin_s, source)

    def _evict(self, connections: list[Connection]) -> None:
        for connection in connections:
            self.counters.add("evicted")
            self._close(connection)

    def _read(self, connection: Connection) -> None:
        self._in_hand = connection
        now = self._clock.monotonic()
        try:
            message = connection.read(self._limits, now)
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
        if isinstance(message, Begin) and connection.source.is_root:
            connection.source = Source(connection.source.real_uid, message.rhost)
        connection.turn = Turn.DAEMON
        self._selector.unregister(connection.sock)
        self._workers.offer(connection, message)

    def _give_back(self, connection: Connection) -> None:
        """Take a connection back from a worker's thread; what is over can wait for its round."""
        self._returned.append(connection)
        if connection.turn is not Turn.OVER:
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_in.send(b"\0")

    def _take_back(self) -> None:
        while self._returned:
            self._in_hand = connection = self._returned.popleft()
            if connection.turn is Turn.OVER or connection not in self._crowd:
                self._crowd.forget(connection)
            elif connection.turn is Turn.NOBODY:
                self._held.append(connection)
            else:
                self._selector.register(connection.sock, selectors.EVENT_READ, connection)

    def _close(self, connection: Connection) -> None:
        self._crowd.forget(connection)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.sock)
        connection.end()

    def _drain(self) -> None:
        self._selector.unregister(self._sock)
        self._sock.close()
        until = self._clock.monotonic() + self._limits.drain_s
        is_idle = False
        while not is_idle and self._clock.monotonic() < until:
            is_idle = self._workers.drain(SWEEP_S)
            self._take_back()
            for connection in self._crowd:
                if connection.turn in CLIENTS_TURN:
                    self._close(connection)
        self._workers.stop()
        self._release(math.inf)
        for connection in self._crowd:
            self._close(connection)
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
