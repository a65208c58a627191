"""The daemon's end of the process that holds the tunnels; all of it runs on the loop's thread.

A process that ends, or does not answer, costs the sessions whose packet it had; another is started,
and the peers begin anew.
"""

from __future__ import annotations

import itertools
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from loginward.doors.radius.eap import frames
from loginward.doors.radius.eap.frames import (
    Configure,
    Configured,
    Order,
    Receive,
    Report,
    Resume,
    Start,
)
from loginward.doors.radius.eap.turns import (
    EapMethod,
    Failed,
    NeedsAccount,
    NeedsPassword,
    Turn,
    Verdict,
    Why,
)
from loginward.errors import ConfigError, ProtocolError
from loginward.wire.eap import packet as eap_packet
from loginward.wire.eap.fragments import packet_octets

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.doors.radius.loop import Loop
    from loginward.settings.radius import Eap

_log = logging.getLogger(__name__)

CONFIGURE_S: Final = 10.0
SILENCE_S: Final = 10.0  # with an order unanswered; a handshake takes a millisecond
RESTART_S: Final = 1.0  # between two starts
MOST_NEW: Final = 256  # orders unanswered: a tenth of a second; then only sessions under way go on
MOST_WAITING: Final = 4096  # orders that the socket has no room for
_A_TURN: Final = 64  # reports before other sockets are looked at
_PATH: Final = "doors.radius.eap"


class Child(Protocol):
    """A process that was started."""

    link: socket.socket

    def end(self) -> None:
        """End it at once, and close the link; idempotent."""


class EapProcess:
    """Sessions that live in the process.

    Args:
        spawn: Starts the process; raises OSError where that cannot be.
        on_turn: Told of each turn of a session, on the loop's thread; exactly one for each
            `begin`, `go_on` and `resume`.
    """

    def __init__(
        self,
        spawn: Callable[[], Child],
        loop: Loop,
        clock: Clock,
        on_turn: Callable[[int, Turn], None],
    ) -> None:
        self._spawn = spawn
        self._loop = loop
        self._clock = clock
        self._on_turn = on_turn
        self._settings: Eap | None = None
        self._child: Child | None = None
        self._numbers = itertools.count(1)
        self._pending: dict[int, int] = {}  # session -> identifier of the packet with the process
        self._identifiers: dict[int, int] = {}  # of sessions that the law judges
        self._configuring: deque[_Answer | None] = deque()  # None: after a restart
        self._backlog: deque[bytes] = deque()  # orders, while the socket has no room
        self._heard = 0.0
        self._started = float("-inf")
        self._closed = False
        self.restarts = 0

    @property
    def is_well(self) -> bool:
        """Whether there is a process."""
        return self._child is not None

    def open(self, settings: Eap) -> None:
        """Start the process and wait until it can be used; before the loop runs.

        Raises:
            ConfigError: A file cannot be used, or no process can be had.
        """
        try:
            child = self._spawn()
        except OSError as error:
            raise ConfigError(_PATH, f"no process can be had: {error.strerror}") from error
        try:
            _configure(child.link, settings)
        except ConfigError:
            child.end()
            raise
        self._settings = settings
        self._adopt(child)
        self._watch_over()

    def reconfigure(self, settings: Eap) -> None:
        """Have other files used from now on; from any thread but the loop's.

        Raises:
            ConfigError: A file cannot be used, or there is no answer; all stays as it was.
        """
        answer = _Answer(settings)
        self._loop.post(lambda: self._reconfigure(answer))
        if not answer.came.wait(CONFIGURE_S):
            raise ConfigError(_PATH, "its process does not answer")
        if answer.report.problem:
            raise ConfigError(answer.report.path, answer.report.problem)

    def begin(
        self,
        client: str,
        methods: Sequence[EapMethod],
        framed_mtu: int | None,
        packet: bytes,
    ) -> int:
        """Open a session and return its number.

        Args:
            methods: What the client may use, in order; not empty.
            framed_mtu: What the client says of its links.
            packet: The first; empty for an EAP-Start.
        """
        number = next(self._numbers)
        order = Start(number, client, tuple(methods), packet_octets(framed_mtu), packet)
        self._order(number, order, _identifier(packet))
        return number

    def go_on(self, session: int, packet: bytes) -> None:
        """Give a session its peer's packet."""
        self._order(session, Receive(session, packet), _identifier(packet))

    def resume(self, session: int, verdict: Verdict) -> None:
        """Give a session the law's verdict."""
        identifier = self._identifiers.pop(session, 0)
        self._order(session, Resume(session, verdict, identifier), identifier)

    def close(self) -> None:
        """End the process."""
        self._closed = True
        if self._child is not None:
            self._loop.unwatch(self._child.link)
            self._child.end()
            self._child = None

    def _order(self, session: int, order: Order, identifier: int) -> None:
        if not self._pending:
            self._heard = self._clock.monotonic()
        is_new = isinstance(order, Start)
        if self._child is None:
            self._fail(session, Why.GONE, identifier)
        elif len(self._pending) >= (MOST_NEW if is_new else MOST_WAITING):
            self._fail(session, Why.BUSY, identifier)
        else:
            self._pending[session] = identifier  # before it is sent: that may find the process gone
            self._send(order)

    def _send(self, order: Order) -> None:
        """Send an order, now or when there is room."""
        self._backlog.append(frames.encode(order))
        self._flush()

    def _flush(self) -> None:
        """Send what waits, as far as there is room; the next report is a sign of more."""
        child = self._child
        try:
            while child is not None and self._backlog:
                child.link.send(self._backlog[0])
                self._backlog.popleft()
        except BlockingIOError:
            return
        except OSError:
            self._lose("it ended")

    def _read(self) -> None:
        """Take the reports that are there."""
        child = self._child
        for _ in range(_A_TURN):
            if child is None or self._child is not child:
                return  # given up meanwhile
            report = self._next_report(child)
            if report is None:
                return
            self._take(report)
            self._flush()

    def _next_report(self, child: Child) -> Report | None:
        """Return the next report; None: there is none now, or the process was given up."""
        try:
            octets = child.link.recv(frames.MAX_OCTETS)
            if octets:
                return frames.decode_report(octets)
            self._lose("it ended")
        except BlockingIOError:
            return None
        except OSError as error:
            self._lose(error.strerror or "its socket broke")
        except ProtocolError:
            self._lose("it said what is no report")
        return None

    def _take(self, report: Report) -> None:
        self._heard = self._clock.monotonic()
        if isinstance(report, Configured):
            self._configured(report)
            return
        session, turn = report.session, report.turn
        identifier = self._pending.pop(session, None)
        if identifier is None:
            self._lose("it took a turn that nobody waits for")
            return
        if isinstance(turn, NeedsPassword | NeedsAccount):
            self._identifiers[session] = identifier
        self._on_turn(session, turn)

    def _configured(self, report: Configured) -> None:
        answer = self._configuring.popleft() if self._configuring else None
        if answer is not None:
            if not report.problem:
                self._settings = answer.settings
            answer.give(report)
        elif report.problem:
            _log.error("EAP cannot be used: %s: %s", report.path, report.problem)

    def _reconfigure(self, answer: _Answer) -> None:
        if self._child is None:
            answer.give(Configured(_PATH, "its process cannot be reached"))
            return
        self._configuring.append(answer)
        self._send(Configure(answer.settings))

    def _lose(self, reason: str) -> None:
        """Give the process up: its sessions fail, and another is started."""
        child, self._child = self._child, None
        if child is None:
            return
        _log.warning("the process of EAP is given up: %s", reason)
        self._loop.unwatch(child.link)
        child.end()
        self._backlog.clear()
        for session, identifier in self._pending.items():
            self._fail(session, Why.GONE, identifier)
        self._pending = {}
        for answer in self._configuring:
            if answer is not None:
                answer.give(Configured(_PATH, f"its process was given up: {reason}"))
        self._configuring.clear()
        self._restart()

    def _restart(self) -> None:
        if self._closed or self._child is not None or self._settings is None:
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
            _log.error("no process for EAP can be had: %s", error.strerror)
            self._loop.at(now + RESTART_S, self._restart)
            return
        self._adopt(child)
        self._configuring.append(None)
        self._send(Configure(self._settings))

    def _adopt(self, child: Child) -> None:
        child.link.setblocking(False)  # noqa: FBT003  its one argument
        self._child = child
        self._started = self._heard = self._clock.monotonic()
        self._loop.watch(child.link, self._read)

    def _watch_over(self) -> None:
        """Look each second whether the process still answers."""
        if self._closed:
            return
        now = self._clock.monotonic()
        if self._pending and now - self._heard > SILENCE_S:
            self._lose("it does not answer")
        self._loop.at(now + 1.0, self._watch_over)

    def _fail(self, session: int, why: Why, identifier: int) -> None:
        failed = Failed(why, eap_packet.failure(identifier))
        self._loop.post(lambda: self._on_turn(session, failed))


class _Answer:
    """What came of a reload, for the thread that waits for it."""

    def __init__(self, settings: Eap) -> None:
        self.settings = settings
        self.report = Configured()
        self.came = threading.Event()

    def give(self, report: Configured) -> None:
        """Let the other thread have it."""
        self.report = report
        self.came.set()


def _configure(link: socket.socket, settings: Eap) -> None:
    """Configure a process that was just started, and wait for it.

    Raises:
        ConfigError: It cannot use the files, or does not answer.
    """
    link.settimeout(CONFIGURE_S)
    try:
        link.send(frames.encode(Configure(settings)))
        report = frames.decode_report(link.recv(frames.MAX_OCTETS))
    except (OSError, ProtocolError) as error:
        raise ConfigError(_PATH, "its process does not answer") from error
    if not isinstance(report, Configured):
        raise ConfigError(_PATH, "its process answers something else")
    if report.problem:
        raise ConfigError(report.path, report.problem)


def _identifier(packet: bytes) -> int:
    return packet[1] if len(packet) > 1 else 0
