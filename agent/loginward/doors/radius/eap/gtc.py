"""A name, then a password that is asked for: EAP-GTC as it is spoken inside a tunnel.

Source: RFC 3748 sections 5.1, 5.3 and 5.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from loginward.core.secret import Secret
from loginward.doors.radius.eap.talks import Broken, read_name
from loginward.doors.radius.eap.turns import EapMethod, NeedsPassword, Why
from loginward.errors import ProtocolError
from loginward.wire.eap.packet import Type

PROMPT: Final = "Password: "
MAX_PROMPT_OCTETS: Final = 1024


@dataclass(frozen=True, slots=True)
class Request:
    """An inner request, which EAP-TTLS and PEAP wrap differently."""

    type: Type
    body: bytes = field(default=b"", repr=False)


class Gtc:
    """The server's side; every `Request` is answered before the next."""

    def __init__(self, method: EapMethod) -> None:
        self._method = method
        self.name: str | None = None

    def hear(self, type_: int, body: bytes) -> Request | NeedsPassword | Broken:
        """Go on with the type and body of an answer.

        Raises:
            ProtocolError: It answers something else.
        """
        if type_ == Type.IDENTITY:
            return self._named(read_name(body))
        if self.name is None:
            raise ProtocolError("EAP: no name came first")
        if type_ in {Type.NAK, Type.EXPANDED}:
            return Broken(Why.NO_METHOD)
        if type_ != Type.GTC:
            raise ProtocolError("EAP: an answer of another type")
        return NeedsPassword(self._method, self.name, Secret(body), can_ask=True)

    def ask(self, prompt: str) -> Request:
        """Return the request for something more that is to be typed."""
        octets = prompt.encode("utf-8", "replace")[:MAX_PROMPT_OCTETS]
        return Request(Type.GTC, octets.decode("utf-8", "ignore").encode())  # no half character

    def _named(self, name: str) -> Request | Broken:
        if self.name is None:
            self.name = name
            return self.ask(PROMPT)
        if self.name != name:
            return Broken(Why.NAME_CHANGED)
        raise ProtocolError("EAP: a name where a password was asked for")
