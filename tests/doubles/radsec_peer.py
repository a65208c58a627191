"""A RADIUS client over TLS: shows a certificate or none, and believes only what `radsec` signed."""

from __future__ import annotations

import itertools
import os
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from loginward.core.secret import Secret
from loginward.wire.radius.attributes import Attribute, attribute, integer
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.password import hide
from loginward.wire.radius.signing import SharedSecret, check_reply, seal_request, sign_request
from loginward.wire.radius.stream import PacketStream
from tests.live.certificates import Pair

RADSEC = SharedSecret(b"radsec")


def client_context(
    ca_file: Path, shows: Pair | None = None, *, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """Return what a client connects with."""
    context = ssl.create_default_context(cafile=os.fspath(ca_file))
    if shows is not None:
        context.load_cert_chain(shows.cert_file, shows.key_file)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


@dataclass
class RadsecPeer:
    """One connection of a client.

    Attributes:
        source: Address that it comes from.
    """

    port: int
    context: ssl.SSLContext
    source: str = "127.0.0.1"
    patience_s: float = 10.0
    _identifiers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        bare = socket.create_connection(
            ("127.0.0.1", self.port), self.patience_s, source_address=(self.source, 0)
        )
        try:
            self.sock = self.context.wrap_socket(bare, server_hostname="localhost")
        except OSError:
            bare.close()
            raise
        self._packets = PacketStream()
        self._came: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def login(self, name: str, password: bytes) -> bytes:
        """Return an Access-Request, signed."""
        random = os.urandom(16)
        attributes = attribute(Attribute.USER_NAME, name.encode())
        attributes += attribute(
            Attribute.USER_PASSWORD, hide(Secret(password), random, RADSEC)
        )  # fmt: skip
        return sign_request(Code.ACCESS_REQUEST, self._next(), random, attributes, RADSEC)

    def status(self) -> bytes:
        """Return a Status-Server."""
        return sign_request(Code.STATUS_SERVER, self._next(), os.urandom(16), b"", RADSEC)

    def accounting(self, status: int, session: bytes, *more: bytes) -> bytes:
        """Return an Accounting-Request."""
        octets = integer(Attribute.ACCT_STATUS_TYPE, status)
        octets += attribute(Attribute.ACCT_SESSION_ID, session) + b"".join(more)
        return seal_request(Code.ACCOUNTING_REQUEST, self._next(), octets, RADSEC, sign=False)

    def receive(self) -> Packet | None:
        """Return the next packet; None: the other end closed."""
        while not self._came:
            try:
                octets = self.sock.recv(16384)
            except (ssl.SSLError, ConnectionError):
                return None
            if not octets:
                return None
            self._came.extend(self._packets.feed(octets))
        return decode(self._came.pop(0))

    def exchange(self, request: bytes) -> Packet:
        """Send a request and return its reply, which must be signed."""
        self.sock.sendall(request)
        reply = self.receive()
        assert reply is not None, "it closed the connection"
        check_reply(reply, decode(request), RADSEC)
        return reply

    def _next(self) -> int:
        return next(self._identifiers) % 256


def unsigned_login(name: str, password: bytes) -> bytes:
    """Return an Access-Request without a Message-Authenticator."""
    random = os.urandom(16)
    attributes = attribute(Attribute.USER_NAME, name.encode())
    attributes += attribute(Attribute.USER_PASSWORD, hide(Secret(password), random, RADSEC))
    length = 20 + len(attributes)
    return bytes((Code.ACCESS_REQUEST, 250, length >> 8, length & 0xFF)) + random + attributes
