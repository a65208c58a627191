"""Threads that judge: each takes a whole frame, answers it, and gives the connection back."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.doors.login.connection import Connection
from loginward.doors.login.limits import ROOT
from loginward.doors.login.port import AskTurn, ResultTurn
from loginward.doors.login.translate import octets_of, request_of
from loginward.doors.login.turnstile import Turnstile
from loginward.errors import ProtocolError
from loginward.wire.login import Answer, Begin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loginward.core.clock import Clock
    from loginward.doors.login.counters import Counters
    from loginward.doors.login.limits import Limits, Source
    from loginward.doors.login.port import LoginService

_log = logging.getLogger(__name__)


class _NotTheClientError(Exception):
    """Judging failed with what elsewhere is a client's doing."""


class Workers:
    """The threads between the poller and the service.

    Args:
        peers: Returns by uid the services at which a user other than root may ask for others.
        give_back: Called from a worker with a connection whose next step is not a worker's.
    """

    def __init__(
        self,
        service: LoginService,
        peers: Callable[[], Mapping[int, tuple[str, ...]]],
        limits: Limits,
        clock: Clock,
        counters: Counters,
        give_back: Callable[[Connection], None],
    ) -> None:
        self._peers = peers
        self._service = service
        self._limits = limits
        self._clock = clock
        self._counters = counters
        self._give_back = give_back
        self._turnstile = Turnstile[tuple[Connection, Begin | Answer]](limits)
        lock = threading.Lock()
        self._offered = threading.Condition(lock)
        self._idle = threading.Condition(lock)
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"login-{n}", daemon=True)
            for n in range(limits.workers)
        ]

    @property
    def busy(self) -> tuple[int, int]:
        """Return how many frames are being judged and how many wait."""
        with self._offered:
            return self._turnstile.in_flight, self._turnstile.waiting

    @property
    def are_well(self) -> bool:
        """Whether none of the threads has ended by itself; before they start, none has."""
        return all(thread.is_alive() or thread.ident is None for thread in self._threads)

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def offer(self, connection: Connection, message: Begin | Answer) -> None:
        """Let a frame be judged when its source's turn has come."""
        with self._offered:
            self._turnstile.offer(connection.source, (connection, message))
            self._offered.notify()

    def drain(self, seconds: float) -> bool:
        """Wait until nothing is judged or waits; return whether that came within the time."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._is_busy, seconds)

    def stop(self) -> None:
        """Let every thread end after what it is doing; does not wait."""
        with self._offered:
            self._stopping = True
            self._offered.notify_all()

    @property
    def _is_busy(self) -> bool:
        return bool(self._turnstile.in_flight or self._turnstile.waiting)

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            source, (connection, message) = taken
            try:
                self._work_off(source, connection, message)
            except Exception:  # noqa: BLE001  the door's one place: a fault of ours lets nobody in
                _log.exception("a login could not be judged")
                self._counters.add("faults")

    def _work_off(self, source: Source, connection: Connection, message: Begin | Answer) -> None:
        """Serve a connection and give its place and itself back, whatever happens."""
        try:
            self._serve(connection, message)
        except BaseException:
            connection.end()
            raise
        finally:
            self._give_back(connection)
            with self._idle:  # what waited for this place is taken by this thread, next
                self._turnstile.done(source)
                if not self._is_busy:
                    self._idle.notify_all()

    def _next(self) -> tuple[Source, tuple[Connection, Begin | Answer]] | None:
        with self._offered:
            while not self._stopping:
                taken = self._turnstile.take()
                if taken is not None:
                    return taken
                self._offered.wait()
        return None

    def _serve(self, connection: Connection, message: Begin | Answer) -> None:
        """Answer frames for as long as the client has the next one ready."""
        try:
            owed: Begin | Answer | None = message
            while owed is not None:
                owed = self._answer(connection, owed)
        except ProtocolError:
            self._counters.add("garbage")
            connection.end()
        except (EOFError, OSError):
            self._counters.add("hung_up")
            connection.end()

    def _answer(self, connection: Connection, message: Begin | Answer) -> Answer | None:
        """Answer one frame; return the next one if it is there already.

        Raises:
            ProtocolError, EOFError, OSError: As `Connection.read`.
        """
        try:
            turn = self._judge(connection, message)
            octets = octets_of(turn)
        except (ProtocolError, EOFError, OSError) as error:
            raise _NotTheClientError from error
        connection.check_still_waiting()
        if isinstance(turn, AskTurn):
            connection.send(octets)
            answer = self._ready_answer(connection)
            if answer is None:
                connection.wait_for_typing(self._limits)
            return answer
        self._counters.add("results")
        if turn.delay_ms and connection.caller.uid != ROOT:
            until = self._clock.monotonic() + turn.delay_ms / 1000
            connection.hold(octets_of(replace(turn, delay_ms=0)), until)
        else:
            connection.send(octets)
            connection.end()
        return None

    def _ready_answer(self, connection: Connection) -> Answer | None:
        if self._turnstile.waiting:
            return None  # this thread is needed elsewhere
        return connection.next_answer(self._limits, self._clock.monotonic())

    def _judge(self, connection: Connection, message: Begin | Answer) -> AskTurn | ResultTurn:
        if isinstance(message, Answer):
            assert connection.conversation is not None  # an ANSWER is owed only in one
            return connection.conversation.answer(message.typed)
        self._counters.add("questions")
        services = self._peers().get(connection.caller.uid, ())
        request = request_of(message, connection.caller, services)
        turn, connection.conversation = self._service.begin(request)
        return turn
