"""One connection of the login socket: whose turn it is, and until when."""

from __future__ import annotations

import enum
import select
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.doors.login.limits import Limits, Source
from loginward.errors import ProtocolError
from loginward.wire.login import Answer, Begin, Decoder

if TYPE_CHECKING:
    from loginward.core.requests import Peer
    from loginward.doors.login.port import Conversation

READ_OCTETS = 16384  # more than any frame


class Turn(enum.Enum):
    """Who owes the next frame."""

    CLIENT_BEGINS = "client-begins"
    DAEMON = "daemon"
    NOBODY = "nobody"  # a refusal is held until its time
    OVER = "over"
    CLIENT_TYPES = "client-types"


CLIENTS_TURN = frozenset({Turn.CLIENT_BEGINS, Turn.CLIENT_TYPES})


@dataclass(slots=True, eq=False)
class Connection:
    """A connection, owned by the poller, or by one worker while the daemon owes the next frame.

    Attributes:
        since: When it was accepted, seconds of CLOCK_MONOTONIC.
        until: When it is closed if the client has not done its part, or `held` is sent.
        held: The frames of a refusal that waits for its time.
    """

    sock: socket.socket
    caller: Peer
    since: float
    until: float
    source: Source
    turn: Turn = Turn.CLIENT_BEGINS
    held: bytes = b""
    conversation: Conversation | None = None
    decoder: Decoder = field(default_factory=Decoder)

    def read(self, limits: Limits, now: float) -> Begin | Answer | None:
        """Take what has arrived; return the frame that was owed once it is whole.

        Raises:
            ProtocolError: It is none, another one, or more than one.
            EOFError: The client hung up.
            OSError: The connection is broken.
        """
        octets = self.sock.recv(READ_OCTETS)
        if not octets:
            raise EOFError
        self.decoder.feed(octets)
        message = self.decoder.next_message()
        if message is None:
            self.until = min(self.until, now + limits.frame_s)
            return None
        owed = Begin if self.turn is Turn.CLIENT_BEGINS else Answer
        if not isinstance(message, Begin | Answer) or not isinstance(message, owed):
            raise ProtocolError("a frame that was not owed")
        self._check_nothing_follows()
        return message

    def check_still_waiting(self) -> None:
        """Check that the client has waited in silence for what the daemon owes.

        Raises:
            ProtocolError: It spoke out of turn.
            EOFError: It hung up.
            OSError: The connection is broken.
        """
        try:
            octets = self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not octets:
            raise EOFError
        raise ProtocolError("a frame out of turn")

    def next_answer(self, limits: Limits, now: float) -> Answer | None:
        """Return the ANSWER of a client that had it ready, None if the client has not.

        A module has the password before it connects; waiting for it here, for a moment, spares
        the way over the poller. Raises as `read` does.
        """
        ready = select.poll()
        ready.register(self.sock, select.POLLIN)
        if not ready.poll(limits.linger_s * 1000):
            return None
        message = self.read(limits, now)
        assert not isinstance(message, Begin)  # `read` has checked that an ANSWER was owed
        return message

    def end(self) -> None:
        """Close it; the conversation forgets what was typed. Idempotent."""
        self.turn = Turn.OVER
        self.sock.close()
        if self.conversation is not None:
            self.conversation.hang_up()
            self.conversation = None

    def send(self, octets: bytes) -> None:
        """Send frames at once; a client that does not read them is given up.

        Raises:
            OSError: They could not be sent.
        """
        if self.sock.send(octets) != len(octets):
            raise BlockingIOError("the client does not read")

    def wait_for_typing(self, limits: Limits) -> None:
        """Let the client owe the next frame, until the conversation is too old."""
        if not self.decoder.waiting_octets:  # else `read` has set how long the rest may take
            self.until = self.since + limits.conversation_s
        self.turn = Turn.CLIENT_TYPES  # last: the poller's sweep may look on

    def hold(self, octets: bytes, until: float) -> None:
        """Keep the last frames until their time, so that no client can hurry a refusal."""
        self.held, self.until = octets, until
        self.turn = Turn.NOBODY

    def _check_nothing_follows(self) -> None:
        if self.decoder.waiting_octets:
            raise ProtocolError("octets after the frame that was owed")
