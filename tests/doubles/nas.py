"""A NAS: sends requests as one does, and believes only replies that the server has signed."""

from __future__ import annotations

import itertools
import os
import socket
from dataclasses import dataclass, field
from typing import Self

from loginward.core.secret import Secret
from loginward.wire.radius.attributes import Attribute, attribute, integer
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.password import hide
from loginward.wire.radius.signing import (
    SharedSecret,
    check_reply,
    seal_request,
    sign_request,
)

SECRET = b"a secret of the tests, long enough"
STATION = b"00-11-22-33-44-55"


def free_port(host: str = "127.0.0.1") -> int:
    """Return a UDP port that nobody has now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


@dataclass
class Nas:
    """A client of the RADIUS door, at one socket of its own.

    Attributes:
        patience_s: How long it waits for a reply.
        source: Address that it asks from; empty: any.
    """

    port: int
    secret: bytes = SECRET
    host: str = "127.0.0.1"
    patience_s: float = 5.0
    source: str = ""
    _identifiers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.shared = SharedSecret(self.secret)
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.settimeout(self.patience_s)
        if self.source:
            self.sock.bind((self.source, 0))
        self.sock.connect((self.host, self.port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def request(
        self,
        name: str | bytes,
        password: bytes | None,
        *more: bytes,
        state: bytes = b"",
        station: bytes = STATION,
    ) -> bytes:
        """Return an Access-Request, signed."""
        authenticator = os.urandom(16)
        user = name.encode() if isinstance(name, str) else name
        attributes = [attribute(Attribute.USER_NAME, user)]
        if password is not None:
            hidden = hide(Secret(password), authenticator, self.shared)
            attributes.append(attribute(Attribute.USER_PASSWORD, hidden))
        attributes.append(attribute(Attribute.CALLING_STATION_ID, station))
        if state:
            attributes.append(attribute(Attribute.STATE, state))
        octets = b"".join((*attributes, *more))
        return sign_request(
            Code.ACCESS_REQUEST, next(self._identifiers) % 256, authenticator, octets, self.shared
        )

    def status(self, *more: bytes) -> bytes:
        """Return a Status-Server."""
        return sign_request(
            Code.STATUS_SERVER, next(self._identifiers) % 256, os.urandom(16), b"".join(more),
            self.shared,
        )  # fmt: skip

    def accounting(self, status: int, session: bytes, *more: bytes) -> bytes:
        """Return an Accounting-Request."""
        octets = b"".join(
            (
                integer(Attribute.ACCT_STATUS_TYPE, status),
                attribute(Attribute.ACCT_SESSION_ID, session),
                *more,
            )
        )
        return seal_request(
            Code.ACCOUNTING_REQUEST, next(self._identifiers) % 256, octets, self.shared, sign=False
        )

    def exchange(self, request: bytes) -> Packet:
        """Send a request and return its reply, which must be signed; TimeoutError: there is none."""
        self.sock.send(request)
        reply = decode(self.sock.recv(4096))
        check_reply(reply, decode(request), self.shared)
        return reply

    def login(self, name: str, password: bytes, *more: bytes, state: bytes = b"") -> Packet:
        """Return what one password is answered with."""
        return self.exchange(self.request(name, password, *more, state=state))


def said(reply: Packet) -> str:
    """Return what a person reads."""
    return b"".join(reply.all(Attribute.REPLY_MESSAGE)).decode()
