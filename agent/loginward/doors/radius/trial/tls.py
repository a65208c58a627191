"""RADIUS over TLS from the client's side: one packet at a time, as a datagram socket gives them.

Source: RFC 6614 sections 2.3 and 2.4, RFC 6613 section 2.6.1 (nothing is sent again).
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509

from loginward.errors import ConfigError
from loginward.wire.radius.stream import PacketStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET: Final = b"radsec"  # RFC 6614 section 2.3
_READ_OCTETS: Final = 65536


@dataclass(frozen=True, slots=True)
class Papers:
    """What a client shows, and whom it believes.

    Attributes:
        name: The server's, in its certificate.
    """

    ca_file: Path
    cert_file: Path
    key_file: Path
    name: str

    def context(self) -> ssl.SSLContext:
        """Return the context that they make.

        Raises:
            ConfigError: A file cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError("--ca", f"{self.ca_file}: {_said(error)}") from error
        try:
            context.load_cert_chain(self.cert_file, self.key_file, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                "--cert, --key", f"{self.cert_file}, {self.key_file}: {_said(error)}"
            ) from error
        return context


class TlsLink:
    """One connection.

    Attributes:
        certificate: The server's.
        version: Of TLS.
    """

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._stream = PacketStream()
        self._came: deque[bytes] = deque()
        der = sock.getpeercert(binary_form=True)
        self.certificate = None if der is None else x509.load_der_x509_certificate(der)
        self.version = sock.version() or ""

    def settimeout(self, seconds: float) -> None:
        """Wait so long for what comes next."""
        self._sock.settimeout(seconds)

    def send(self, packet: bytes) -> None:
        """Send a packet."""
        self._sock.sendall(packet)

    def recv(self, _: int) -> bytes:
        """Return the next packet.

        Raises:
            OSError: The server ended the connection, or it is too late.
            ProtocolError: It sends no packets.
        """
        while not self._came:
            try:
                octets = self._sock.recv(_READ_OCTETS)
            except ssl.SSLError as error:
                raise ConnectionAbortedError(0, _said(error)) from error
            if not octets:
                raise ConnectionAbortedError(0, "it ended the connection")
            self._came.extend(self._stream.feed(octets))
        return self._came.popleft()


@contextmanager
def connected(host: str, port: int, papers: Papers, patience_s: float) -> Iterator[TlsLink]:
    """Give a connection until the end of the block.

    Raises:
        ConfigError: A file cannot be used.
        OSError: There is none; the text says why.
    """
    context = papers.context()
    with closing(socket.create_connection((host, port), patience_s)) as bare:
        try:
            sock = context.wrap_socket(bare, server_hostname=papers.name)
        except ssl.SSLError as error:
            raise ConnectionRefusedError(0, _said(error)) from error
        with closing(sock):
            yield TlsLink(sock)


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return error.strerror or str(error)
