"""Requests and rows to lines and back: newline-delimited JSON (RFC 8259), strict and bounded."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from loginward.core.secret import Secret
from loginward.errors import ProtocolError
from loginward.wire.admin.requests import AnyRequest
from loginward.wire.admin.rows import AnyRow, PieceRow

if TYPE_CHECKING:
    from collections.abc import Iterator

Line = TypeVar("Line")
MAX_LINE: Final = 1024 * 1024  # octets, without the newline
PIECE_OCTETS: Final = 64 * 1024  # of a file, in one PieceRow


def encode_line(value: AnyRequest | AnyRow) -> bytes:
    """Return a request or row as one line with its newline.

    Raises:
        ProtocolError: It does not fit into a line.
    """
    line = _ENCODER.encode(value)
    if len(line) > MAX_LINE:
        raise ProtocolError("a line of the admin socket is too long")
    return line + b"\n"


def decode_request(line: bytes) -> AnyRequest:
    """Return the request of a line.

    Raises:
        ProtocolError: It is none; the text holds nothing of the line.
    """
    return _decoded(_REQUESTS, line, "a request")


def decode_row(line: bytes) -> AnyRow:
    """Return the row of a line.

    Raises:
        ProtocolError: It is none; the text holds nothing of the line.
    """
    return _decoded(_ROWS, line, "an answer")


def _decoded(decoder: msgspec.json.Decoder[Line], line: bytes, kind: str) -> Line:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ProtocolError(f"not {kind} of the admin socket") from None


def decode_piece(line: bytes) -> PieceRow:
    """Return the piece of a file that a line carries.

    Raises:
        ProtocolError: It is none; the text holds nothing of the line.
    """
    row = decode_row(line)
    if not isinstance(row, PieceRow):
        raise ProtocolError("not a piece of a file")
    return row


def pieces(octets: bytes) -> Iterator[PieceRow]:
    """Return a file cut into rows."""
    for at in range(0, len(octets), PIECE_OCTETS):
        yield PieceRow(octets=Secret(octets[at : at + PIECE_OCTETS]))


class Lines:
    """Cuts a stream into lines, and refuses one that has no end."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0

    def feed(self, octets: bytes) -> None:
        """Take what was received."""
        self._held += octets

    def take(self) -> bytes | None:
        """Return the next whole line without its newline; None: more is needed.

        Raises:
            ProtocolError: The line is longer than a line may be.
        """
        end = self._held.find(b"\n", self._searched)
        if max(end, len(self._held) if end < 0 else 0) > MAX_LINE:
            raise ProtocolError("a line of the admin socket is too long")
        if end < 0:
            self._searched = len(self._held)
            return None
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        self._searched = 0
        return line


def _to_json(value: object) -> str:
    """Carry a secret's octets, which need not be text, as base64."""
    if isinstance(value, Secret):
        return base64.b64encode(value.reveal()).decode("ascii")
    raise NotImplementedError(type(value).__name__)


def _from_json(kind: type, value: object) -> Secret:
    if kind is not Secret or not isinstance(value, str):
        raise ValueError("not a secret")
    try:
        return Secret(base64.b64decode(value.encode("ascii"), validate=True))
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError("not base64") from None


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_to_json)
_REQUESTS: Final[msgspec.json.Decoder[AnyRequest]] = msgspec.json.Decoder(
    AnyRequest, dec_hook=_from_json
)
_ROWS: Final[msgspec.json.Decoder[AnyRow]] = msgspec.json.Decoder(AnyRow, dec_hook=_from_json)
