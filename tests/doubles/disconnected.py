"""A NAS that is asked to end sessions: keeps what came, and answers as it was told to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

from loginward.wire.radius.attributes import Attribute, integer
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.signing import SharedSecret, check_request, sign_reply
from tests.doubles.nas import SECRET

Answer = Callable[[Packet, SharedSecret], bytes | None]


def ack(request: Packet, secret: SharedSecret) -> bytes:
    """Say that the session has been ended."""
    return sign_reply(Code.DISCONNECT_ACK, request, b"", secret)


def nak(cause: int | None) -> Answer:
    """Return an answer that refuses, and says why by its Error-Cause."""
    attributes = b"" if cause is None else integer(Attribute.ERROR_CAUSE, cause)
    return lambda request, secret: sign_reply(Code.DISCONNECT_NAK, request, attributes, secret)


def silent(request: Packet, secret: SharedSecret) -> None:
    """Say nothing."""


def foreign(request: Packet, secret: SharedSecret) -> bytes:
    """Say that it is done, signed by another secret."""
    return ack(request, SharedSecret(b"another secret than the one shared"))


class DisconnectedNas:
    """Listens for Disconnect-Requests on a port of its own until the end of the block.

    Attributes:
        answer: What it says; may be changed at any time.
        heard: What came, oldest first, with the moment of `time.monotonic`.
    """

    def __init__(
        self, answer: Answer = ack, secret: bytes = SECRET, host: str = "127.0.0.1"
    ) -> None:
        self.answer = answer
        self.heard: list[tuple[bytes, float]] = []
        self._secret = SharedSecret(secret)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.bind((host, 0))
        self.port = int(self._sock.getsockname()[1])
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._sock.sendto(b"", self._sock.getsockname())
        self._thread.join(5)
        self._sock.close()

    @property
    def requests(self) -> list[Packet]:
        """Return what was asked, once each however often it came; each must be signed."""
        packets = [decode(octets) for octets in dict.fromkeys(octets for octets, _ in self.heard)]
        for packet in packets:
            assert packet.code is Code.DISCONNECT_REQUEST
            check_request(packet, self._secret)
        return packets

    @property
    def sessions(self) -> list[bytes]:
        """Return the Acct-Session-Ids that it was asked to end."""
        return [packet.first(Attribute.ACCT_SESSION_ID) or b"" for packet in self.requests]

    def _run(self) -> None:
        while True:
            octets, sender = self._sock.recvfrom(4096)
            if self._closing.is_set():
                return
            self.heard.append((octets, time.monotonic()))
            reply = self.answer(decode(octets), self._secret)
            if reply is not None:
                self._sock.sendto(reply, sender)
