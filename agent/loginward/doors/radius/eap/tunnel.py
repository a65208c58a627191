"""The server's end of one TLS connection whose octets travel in EAP.

Source: RFC 5705 (exporter). The interpreter's own ssl has no exporter, so pyOpenSSL is needed.
"""

from __future__ import annotations

import contextlib
from typing import Final

from cryptography import x509
from OpenSSL import SSL

_PIECE_OCTETS: Final = 16_384  # RFC 8446 section 5.1: the plaintext of one record
_DETAIL_CHARS: Final = 200


class TunnelError(Exception):
    """TLS cannot go on; the text is the library's and holds nothing of the peer's."""


class Tunnel:
    """One connection over memory.

    Every method but `take` and `export` may raise TunnelError; then `take` has the alert.
    """

    def __init__(self, context: SSL.Context) -> None:
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()

    @property
    def is_tls13(self) -> bool:
        """Whether TLS 1.3 was agreed on."""
        return self._tls.get_protocol_version() >= SSL.TLS1_3_VERSION

    def feed(self, octets: bytes) -> None:
        """Take octets of the peer's."""
        if octets:
            self._tls.bio_write(octets)

    def handshake(self) -> bool:
        """Go on with the handshake; return whether it is done."""
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise TunnelError(detail_of(error)) from None
        return True

    def read(self) -> bytes:
        """Return all that the peer has said inside."""
        pieces: list[bytes] = []
        try:
            while True:  # no more than was fed, which has its bound
                pieces.append(self._tls.recv(_PIECE_OCTETS))
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return b"".join(pieces)
        except SSL.Error as error:
            raise TunnelError(detail_of(error)) from None

    def write(self, octets: bytes) -> None:
        """Say something inside."""
        try:
            self._tls.sendall(octets)
        except SSL.Error as error:
            raise TunnelError(detail_of(error)) from None

    def take(self) -> bytes:
        """Return the octets that are to reach the peer."""
        pieces: list[bytes] = []
        with contextlib.suppress(SSL.WantReadError):  # no more
            while True:
                pieces.append(self._tls.bio_read(_PIECE_OCTETS))
        return b"".join(pieces)

    def export(self, label: bytes, octets: int, context: bytes | None) -> bytes:
        """Return keying material of a finished handshake."""
        return self._tls.export_keying_material(label, octets, context)

    def certificate(self) -> x509.Certificate:
        """Return the peer's proven certificate."""
        found = self._tls.get_peer_certificate(as_cryptography=True)
        if found is None:
            raise TunnelError("the peer has no certificate")
        return found


def detail_of(error: SSL.Error) -> str:
    """Return what the library says; its texts are constants."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    texts = [str(entry[-1]) for entry in queue] or [type(error).__name__]
    return ", ".join(texts)[:_DETAIL_CHARS]
