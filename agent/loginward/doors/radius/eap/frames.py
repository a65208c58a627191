"""What crosses the socket between the daemon and the process that holds the tunnels.

One packet of the socket is one frame, and every order is answered by one report. Source: unix(7)
SOCK_SEQPACKET.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from loginward.core.secret import Secret
from loginward.doors.radius.eap.turns import EapMethod, Turn, Verdict
from loginward.errors import ProtocolError
from loginward.settings.radius import Eap

MAX_OCTETS: Final = 65_536  # of a frame
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Configure(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """Read these files; sessions under way go on with what they began with."""

    settings: Eap


class Start(msgspec.Struct, frozen=True, tag=2, array_like=True):
    """Open a session with its first packet.

    Attributes:
        session: A number that was never used before.
        client: By whose share of the sessions it goes.
        most_octets: Of an EAP packet.
        packet: Empty: an EAP-Start.
    """

    session: int
    client: str
    methods: tuple[EapMethod, ...]
    most_octets: int
    packet: bytes


class Receive(msgspec.Struct, frozen=True, tag=3, array_like=True):
    """Go on with a peer's packet."""

    session: int
    packet: bytes


class Resume(msgspec.Struct, frozen=True, tag=4, array_like=True):
    """Go on with the law's verdict.

    Attributes:
        answered: Identifier of the packet that waits for it.
    """

    session: int
    verdict: Verdict
    answered: int


Order = Configure | Start | Receive | Resume


class Turned(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """A session's turn."""

    session: int
    turn: Turn


class Configured(msgspec.Struct, frozen=True, tag=2, array_like=True):
    """What came of `Configure`; with a problem the earlier files stay in use."""

    path: str = ""
    problem: str = ""


Report = Turned | Configured


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
    except _UNREADABLE as error:
        raise ProtocolError("EAP: the daemon's frame is none") from error


def decode_report(octets: bytes) -> Report:
    """Return the report that a frame holds.

    Raises:
        ProtocolError: It holds none.
    """
    try:
        return _REPORTS.decode(octets)
    except _UNREADABLE as error:
        raise ProtocolError("EAP: the process's frame is none") from error


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__} does not cross the socket")


def _rich(wanted: type, value: object) -> object:
    if wanted is Secret and isinstance(value, bytes):
        return Secret(value)
    if wanted is Path and isinstance(value, str):
        return Path(value)
    raise ValueError("not what belongs here")


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_plain)
_ORDERS: Final[msgspec.msgpack.Decoder[Order]] = msgspec.msgpack.Decoder(Order, dec_hook=_rich)
_REPORTS: Final[msgspec.msgpack.Decoder[Report]] = msgspec.msgpack.Decoder(Report, dec_hook=_rich)
