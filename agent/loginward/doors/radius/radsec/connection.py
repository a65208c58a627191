"""One TLS connection of a RADIUS client, from its handshake to its end; nothing here waits.

Source: RFC 6614 section 2, RFC 6613 section 2.6.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Final

from cryptography import x509

from loginward.doors.radius.radsec import certificate
from loginward.doors.radius.radsec.frames import End
from loginward.errors import ProtocolError
from loginward.wire.radius.stream import PacketStream

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from datetime import datetime

MAX_UNSENT: Final = 64 * 1024  # octets that the peer does not read
_RECORD: Final = 16_384  # the most that one record holds, so that none is left in the library


class EndedError(Exception):
    """The connection is over.

    Attributes:
        detail: What the library said.
    """

    def __init__(self, end: End, detail: str = "") -> None:
        super().__init__(end.value)
        self.end = end
        self.detail = detail


class Connection:
    """A connection; its methods are called when its socket is ready.

    Args:
        sock: A connected socket, which is the connection's from now on.
        name: What the peer's certificate must hold.

    Raises:
        EndedError: It was over before it began.

    Attributes:
        until: When the peer's certificate ends, aware UTC; None: it is not proven yet.
        wants_write: Whether it waits until its socket can be written, instead of read.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        try:
            sock.setblocking(False)  # noqa: FBT003  its one argument
            sock.getpeername()  # a reset one would be lost, open, inside the next line
            self._tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except (OSError, ValueError) as error:
            sock.close()
            raise EndedError(End.HUNG_UP) from error
        self._name = name
        self._packets = PacketStream()
        self._unsent = bytearray()
        self.until: datetime | None = None
        self.wants_write = False

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._tls.fileno()

    @property
    def unsent_octets(self) -> int:
        """Return how much the peer has yet to read."""
        return len(self._unsent)

    @property
    def has_begun_a_packet(self) -> bool:
        """Return whether a packet has come in part."""
        return bool(self._packets.held_octets)

    def shake_hands(self) -> None:
        """Go on with the handshake; `until` says that it is done.

        Raises:
            EndedError: The peer has not proven its name.
        """
        self.wants_write = False
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLWantWriteError:
            self.wants_write = True
            return
        except ssl.SSLError as error:
            raise EndedError(End.NO_HANDSHAKE, _said(error)) from error
        except OSError as error:
            raise EndedError(End.HUNG_UP) from error
        shown = self._tls.getpeercert(binary_form=True)
        if shown is None:
            raise EndedError(End.NO_HANDSHAKE)
        try:
            proven = x509.load_der_x509_certificate(shown)
        except ValueError as error:
            raise EndedError(End.NOT_FOR_CLIENTS) from error
        problem = certificate.problem_of(proven, self._name)
        if problem is not None:
            raise EndedError(problem)
        self.until = proven.not_valid_after_utc

    def receive(self) -> Iterator[bytes]:
        """Yield the packets that have come, of one record.

        Raises:
            EndedError: The connection is over.
        """
        try:
            octets = self._tls.recv(_RECORD)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise EndedError(End.HUNG_UP) from error
        if not octets:
            raise EndedError(End.HUNG_UP)
        try:
            yield from self._packets.feed(octets)
        except ProtocolError as error:
            raise EndedError(End.MALFORMED) from error

    def send(self, packet: bytes) -> None:
        """Send a packet, as soon as the peer reads.

        Raises:
            EndedError: The peer has not read what was sent before, or the connection is over.
        """
        if len(self._unsent) + len(packet) > MAX_UNSENT:
            raise EndedError(End.SLOW_READER)
        self._unsent += packet
        self.flush()

    def flush(self) -> None:
        """Send what waits.

        Raises:
            EndedError: The connection is over.
        """
        self.wants_write = False
        try:
            while self._unsent:
                del self._unsent[: self._tls.send(self._unsent)]
        except ssl.SSLWantWriteError:
            self.wants_write = True
        except ssl.SSLWantReadError:
            return
        except OSError as error:
            raise EndedError(End.HUNG_UP) from error

    def close(self) -> None:
        """Say goodbye, if that takes no waiting, and close."""
        if self.until is not None:
            with contextlib.suppress(OSError, ValueError):
                self._tls.unwrap()
        self._tls.close()


def _said(error: ssl.SSLError) -> str:
    """Return why a handshake failed, in the library's words."""
    verified: str = getattr(error, "verify_message", "")
    return verified or (error.reason or "").lower().replace("_", " ")
