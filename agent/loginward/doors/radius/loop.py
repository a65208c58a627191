"""One thread that waits for sockets and moments, and does what is due; nothing on it blocks."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import selectors
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock

_log = logging.getLogger(__name__)
FAULTS_IN_A_ROW: Final = 20
PAUSE_S: Final = 0.05
_LAST: Final = 10_000  # callbacks at the end; one may post another, for ever


class Pollable(Protocol):
    """What can be waited for."""

    def fileno(self) -> int:
        """Return its descriptor."""


class Loop:
    """Runs callbacks in one thread: for sockets, for moments, and for other threads.

    Args:
        on_fault: Told of each fault of ours; it costs the callback that it came from, not the loop.
    """

    def __init__(self, clock: Clock, on_fault: Callable[[], None]) -> None:
        self._clock = clock
        self._on_fault = on_fault
        self._posted: deque[Callable[[], None]] = deque()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._asleep = False
        self._stopping = threading.Event()

    def watch(self, sock: Pollable, ready: Callable[[], None], *, writes: bool = False) -> None:
        """Call `ready` whenever a socket can be read, or written; in place of what was watched."""
        events = selectors.EVENT_WRITE if writes else selectors.EVENT_READ
        if sock.fileno() in self._selector.get_map():
            self._selector.modify(sock, events, ready)
        else:
            self._selector.register(sock, events, ready)

    def unwatch(self, sock: Pollable) -> None:
        """Watch a socket no more; before it is closed."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Do something at a moment of CLOCK_MONOTONIC, in seconds; from the loop's thread."""
        heapq.heappush(self._later, (moment, next(self._order), act))

    def post(self, act: Callable[[], None]) -> None:
        """Do something soon; from any thread."""
        self._posted.append(act)
        if self._asleep:
            self._wake()

    def run(self) -> None:
        """Do what is due in the calling thread until `stop`; ends also after too many faults."""
        for sock in (self._wake_in, self._wake_out):
            sock.setblocking(False)  # noqa: FBT003  its one argument
        self.watch(self._wake_out, self._woken)
        in_a_row = 0
        while not self._stopping.is_set():
            try:
                self._turn()
                in_a_row = 0
            except Exception:
                self._on_fault()
                _log.exception("a fault in the loop")
                in_a_row += 1
                if in_a_row > FAULTS_IN_A_ROW:
                    raise
                self._stopping.wait(PAUSE_S)

    def stop(self) -> None:
        """End `run`; from any thread."""
        self._stopping.set()
        self._wake()

    def close(self) -> None:
        """Do what was posted and what waits for its moment, at once, and close."""
        for _ in range(_LAST):
            if not self._posted:
                break
            self._guarded(self._posted.popleft())
        for _, _, act in sorted(self._later, key=lambda one: one[:2]):
            self._guarded(act)
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:  # noqa: BLE001  at the end the rest is still done
            self._on_fault()
            _log.exception("a fault in the loop")

    def _turn(self) -> None:
        ready = self._selector.select(self._patience_s())
        self._asleep = False
        for key, _ in ready:
            key.data()
        for _ in range(len(self._posted)):
            self._posted.popleft()()
        if self._later:
            now = self._clock.monotonic()
            while self._later and self._later[0][0] <= now:
                heapq.heappop(self._later)[2]()

    def _patience_s(self) -> float | None:
        """Return how long to wait; who posts from now on wakes us."""
        self._asleep = True
        if self._posted:
            return 0.0
        if not self._later:
            return None
        return max(0.0, self._later[0][0] - self._clock.monotonic())

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_out.recv(4096)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_in.send(b"\0")
