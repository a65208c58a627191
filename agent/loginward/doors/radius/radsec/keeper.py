"""The daemon's end of the process that holds the connections; all of it runs on the loop's thread.

A process that ends costs its connections; another is started, and the clients come again. Source:
unix(7) SCM_RIGHTS.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from loginward.doors.radius.radsec import frames
from loginward.doors.radius.radsec.context import PATH
from loginward.doors.radius.radsec.frames import Configure, Configured
from loginward.errors import ConfigError, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.doors.radius.loop import Loop
    from loginward.doors.radius.radsec.frames import Close, Closed, Opened, Received, Send, Take

_log = logging.getLogger(__name__)

CONFIGURE_S: Final = 10.0
RESTART_S: Final = 1.0  # between two starts
MOST_WAITING: Final = 8192  # orders that the socket has no room for
_LOOK_S: Final = 0.01  # until a socket without room is tried again
_DRAIN_S: Final = 1.0
_A_TURN: Final = 64  # reports before other sockets are looked at


class Child(Protocol):
    """A process that was started."""

    link: socket.socket

    def end(self) -> None:
        """End it at once, and close the link; idempotent."""


class TlsProcess:
    """The process, whichever it is at the moment.

    Args:
        spawn: Starts the process; raises OSError where that cannot be.
        on_report: Told what it says of its connections.
        on_lost: Told that all connections are gone.
    """

    def __init__(
        self,
        spawn: Callable[[], Child],
        loop: Loop,
        clock: Clock,
        on_report: Callable[[Opened | Received | Closed], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._spawn = spawn
        self._loop = loop
        self._clock = clock
        self._on_report = on_report
        self._on_lost = on_lost
        self._files: Configure | None = None
        self._child: Child | None = None
        self._configuring: deque[_Answer | None] = deque()  # None: after a restart
        self._backlog: deque[tuple[bytes, socket.socket | None]] = deque()
        self._started = float("-inf")
        self._closed = False
        self.restarts = 0

    def open(self, files: Configure) -> None:
        """Start the process and wait until it can be used; before the loop runs.

        Raises:
            ConfigError: A file cannot be used, or no process can be had.
        """
        try:
            child = self._spawn()
        except OSError as error:
            raise ConfigError(PATH, f"no process can be had: {error.strerror}") from error
        try:
            _configure(child.link, files)
        except ConfigError:
            child.end()
            raise
        self._files = files
        self._adopt(child)

    def reconfigure(self, files: Configure) -> None:
        """Have other files used from now on; from any thread but the loop's.

        Raises:
            ConfigError: A file cannot be used, or there is no answer; all stays as it was.
        """
        answer = _Answer(files)
        self._loop.post(lambda: self._reconfigure(answer))
        if not answer.came.wait(CONFIGURE_S):
            raise ConfigError(PATH, "its process does not answer")
        _check(answer.report)

    def order(self, order: Take | Send | Close, sock: socket.socket | None = None) -> bool:
        """Give an order, now or when there is room; return whether there is a process.

        Args:
            sock: Goes to the process, and is closed here in any case.
        """
        self._backlog.append((frames.encode(order), sock))
        if len(self._backlog) > MOST_WAITING:
            self.lose("it takes no orders")
        elif len(self._backlog) == 1 or self._child is None:
            self._flush()
        return self._child is not None

    def lose(self, reason: str) -> None:
        """Give the process up: its connections are gone, and another is started."""
        child, self._child = self._child, None
        if child is None:
            return
        _log.warning("loginward: the process of RADIUS over TLS is given up: %s", reason)
        self._loop.unwatch(child.link)
        child.end()
        self._drop_backlog()
        for answer in self._configuring:
            if answer is not None:
                answer.give(Configured("", f"its process was given up: {reason}"))
        self._configuring.clear()
        self._on_lost()
        self._restart()

    def close(self) -> None:
        """End the process once it has sent what it was given; after the loop has ended."""
        self._closed = True
        self._flush()
        self._drop_backlog()
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(OSError):
            child.link.shutdown(socket.SHUT_WR)
            child.link.settimeout(_DRAIN_S)
            while child.link.recv(frames.MAX_OCTETS):
                pass
        child.end()

    def _flush(self) -> None:
        """Send what waits, as far as there is room."""
        child = self._child
        if child is None:
            self._drop_backlog()
            return
        try:
            while self._backlog:
                octets, sock = self._backlog[0]
                if sock is None:
                    child.link.send(octets)
                else:
                    socket.send_fds(child.link, [octets], [sock.fileno()])
                    sock.close()
                self._backlog.popleft()
        except BlockingIOError:
            self._loop.at(self._clock.monotonic() + _LOOK_S, self._flush)
        except OSError:
            self.lose("it ended")

    def _drop_backlog(self) -> None:
        for _, sock in self._backlog:
            if sock is not None:
                sock.close()
        self._backlog.clear()

    def _read(self) -> None:
        """Take the reports that are there."""
        child = self._child
        try:
            for _ in range(_A_TURN):
                if child is None or self._child is not child:
                    return
                octets = child.link.recv(frames.MAX_OCTETS)
                if not octets:
                    self.lose("it ended")
                    return
                self._take(octets)
        except BlockingIOError:
            return
        except OSError as error:
            self.lose(error.strerror or "its socket broke")
        except ProtocolError:
            self.lose("it said what is no report")

    def _take(self, octets: bytes) -> None:
        report = frames.decode_report(octets)
        if isinstance(report, Configured):
            self._configured(report)
        else:
            self._on_report(report)

    def _configured(self, report: Configured) -> None:
        answer = self._configuring.popleft() if self._configuring else None
        if answer is not None:
            if not report.problem:
                self._files = answer.files
            answer.give(report)
        elif report.problem:
            _log.error("loginward: error: %s.%s: %s", PATH, report.key, report.problem)

    def _reconfigure(self, answer: _Answer) -> None:
        self._configuring.append(answer)
        self._backlog.append((frames.encode(answer.files), None))
        if self._child is None:
            self._configuring.clear()
            answer.give(Configured("", "its process cannot be reached"))
        self._flush()

    def _restart(self) -> None:
        if self._closed or self._child is not None or self._files is None:
            return
        now = self._clock.monotonic()
        if now - self._started < RESTART_S:
            self._loop.at(self._started + RESTART_S, self._restart)
            return
        self.restarts += 1
        self._started = now
        try:
            child = self._spawn()
        except OSError as error:
            _log.error("loginward: no process for RADIUS over TLS: %s", error.strerror)
            self._loop.at(now + RESTART_S, self._restart)
            return
        self._adopt(child)
        self._configuring.append(None)
        self._backlog.append((frames.encode(self._files), None))
        self._flush()

    def _adopt(self, child: Child) -> None:
        child.link.setblocking(False)  # noqa: FBT003  its one argument
        self._child = child
        self._started = self._clock.monotonic()
        self._loop.watch(child.link, self._read)


class _Answer:
    """What came of a reload, for the thread that waits for it."""

    def __init__(self, files: Configure) -> None:
        self.files = files
        self.report = Configured()
        self.came = threading.Event()

    def give(self, report: Configured) -> None:
        """Let the other thread have it."""
        self.report = report
        self.came.set()


def _configure(link: socket.socket, files: Configure) -> None:
    """Configure a process that was just started, and wait for it.

    Raises:
        ConfigError: It cannot use the files, or does not answer.
    """
    link.settimeout(CONFIGURE_S)
    try:
        link.send(frames.encode(files))
        report = frames.decode_report(link.recv(frames.MAX_OCTETS))
    except (OSError, ProtocolError) as error:
        raise ConfigError(PATH, "its process does not answer") from error
    if not isinstance(report, Configured):
        raise ConfigError(PATH, "its process answers something else")
    _check(report)


def _check(report: Configured) -> None:
    if report.problem:
        raise ConfigError(f"{PATH}.{report.key}" if report.key else PATH, report.problem)
