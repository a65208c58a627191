"""One request and its reply, over UDP sent again until it is answered.

Source: RFC 2865 section 2.5, RFC 5080 section 2.2.1: what is sent again is the same octets.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.doors.radius.trial.tls import TlsLink
from loginward.errors import ProtocolError
from loginward.wire.radius.packet import MAX_OCTETS, Packet, decode
from loginward.wire.radius.signing import check_reply, sign_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from loginward.core.clock import Clock
    from loginward.wire.radius.packet import Code
    from loginward.wire.radius.signing import SharedSecret

AGAIN_S: Final = 2.0
_AUTHENTICATOR_OCTETS: Final = 16


class NoAnswerError(Exception):
    """Nothing came back that can be believed; the text says what is known of it."""


class Exchanges:
    """Asks one server.

    Args:
        sock: Connected to the server; gives and takes whole packets.
        patience_s: For one reply.
    """

    def __init__(
        self, sock: socket.socket | TlsLink, secret: SharedSecret, clock: Clock, patience_s: float
    ) -> None:
        self.secret = secret
        self._again_s = patience_s if isinstance(sock, TlsLink) else AGAIN_S
        self._sock = sock
        self._clock = clock
        self._patience_s = patience_s
        self._identifiers = itertools.count(os.urandom(1)[0])

    def ask(self, code: Code, attributes: Callable[[bytes], bytes]) -> tuple[Packet, Packet]:
        """Send a request, signed; return it and its reply.

        Args:
            attributes: Returns them encoded, given the Request Authenticator that hides values.

        Raises:
            NoAnswerError: There is none.
        """
        authenticator = os.urandom(_AUTHENTICATOR_OCTETS)
        identifier = next(self._identifiers) % 256
        octets = sign_request(
            code, identifier, authenticator, attributes(authenticator), self.secret
        )
        return decode(octets), self._replied(octets)

    def _replied(self, octets: bytes) -> Packet:
        request = decode(octets)
        deadline, foreign = Deadline.after(self._patience_s, self._clock), 0
        while not deadline.passed:
            again = deadline.sooner(self._again_s)
            try:
                self._sock.send(octets)
                while not again.passed:
                    self._sock.settimeout(again.left or self._again_s)
                    reply = self._believed(self._sock.recv(MAX_OCTETS), request)
                    if reply is not None:
                        return reply
                    foreign += 1
            except TimeoutError:
                continue
            except OSError as error:
                raise NoAnswerError(_broken(error)) from error
        raise NoAnswerError(
            "what came back is not signed by this secret" if foreign else "nothing came back"
        )

    def _believed(self, datagram: bytes, request: Packet) -> Packet | None:
        try:
            reply = decode(datagram)
            check_reply(reply, request, self.secret)
        except ProtocolError:
            return None
        return reply


def _broken(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens there ({error.strerror})"
    return error.strerror or str(error)
