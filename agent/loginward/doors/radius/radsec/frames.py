"""What crosses the socket between the daemon and the process that holds the key of RADIUS over TLS.

One packet of the socket is one frame. An accepted connection's descriptor travels beside its `Take`.
Source: unix(7) SOCK_SEQPACKET, SCM_RIGHTS.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from loginward.errors import ProtocolError

MAX_OCTETS: Final = 16_384  # of a frame; a packet has 4,096


class End(enum.Enum):
    """Why a connection was closed."""

    NO_HANDSHAKE = "tls-no-handshake"  # no certificate, another authority, no version in common
    WRONG_NAME = "tls-wrong-name"  # proven, but of another client
    NOT_FOR_CLIENTS = "tls-not-for-clients"  # a certificate without clientAuth
    SLOW_HANDSHAKE = "tls-slow-handshake"
    MALFORMED = "tls-malformed"
    SLOW_PACKET = "tls-slow-packet"  # it began one and did not go on
    SLOW_READER = "tls-slow-reader"  # it asks, and does not read the answers
    IDLE = "tls-idle"
    EXPIRED = "tls-expired"  # its certificate
    HUNG_UP = "tls-hung-up"
    NO_ROOM = "tls-no-room"  # no descriptor, or too much to hold


class Configure(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """Read these files; connections go on with what they began with."""

    cert_file: str
    key_file: str
    client_ca_file: str


class Take(msgspec.Struct, frozen=True, tag=2, array_like=True):
    """Take a connection over; its descriptor comes beside this.

    Attributes:
        number: Was never used before.
        name: What its certificate must hold.
    """

    number: int
    name: str


class Send(msgspec.Struct, frozen=True, tag=3, array_like=True):
    """Send a packet."""

    number: int
    packet: bytes


class Close(msgspec.Struct, frozen=True, tag=4, array_like=True):
    """Close a connection; nothing more is said of it."""

    number: int


class Configured(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """What came of `Configure`; with a problem the earlier files stay in use.

    Attributes:
        key: Of `doors.radius.tls`.
    """

    key: str = ""
    problem: str = ""


class Opened(msgspec.Struct, frozen=True, tag=2, array_like=True):
    """The peer has proven its name."""

    number: int


class Received(msgspec.Struct, frozen=True, tag=3, array_like=True):
    """A packet came, whole by its length."""

    number: int
    packet: bytes


class Closed(msgspec.Struct, frozen=True, tag=4, array_like=True):
    """A connection is closed.

    Attributes:
        detail: What the library said, in its own words, for the log.
    """

    number: int
    end: End
    detail: str = ""


Order = Configure | Take | Send | Close
Report = Configured | Opened | Received | Closed

_ENCODER: Final = msgspec.msgpack.Encoder()
_ORDERS: Final[msgspec.msgpack.Decoder[Order]] = msgspec.msgpack.Decoder(Order)
_REPORTS: Final[msgspec.msgpack.Decoder[Report]] = msgspec.msgpack.Decoder(Report)


def encode(frame: Order | Report) -> bytes:
    """Return a frame as octets."""
    return _ENCODER.encode(frame)


def decode_order(octets: bytes) -> Order:
    """Return the order that a frame holds.

    Raises:
        ProtocolError: It holds none.
    """
    try:
        return _ORDERS.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError("RADIUS over TLS: the daemon's frame is none") from error


def decode_report(octets: bytes) -> Report:
    """Return the report that a frame holds.

    Raises:
        ProtocolError: It holds none.
    """
    try:
        return _REPORTS.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError("RADIUS over TLS: the process's frame is none") from error
