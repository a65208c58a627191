"""An access point that carries a device's EAP in Access-Requests, one packet at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

from loginward.wire.radius.attributes import Attribute, eap_message
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.password import MICROSOFT, mppe_key_of
from loginward.wire.radius.signing import check_reply
from tests.doubles.eap_peer import Peer
from tests.doubles.nas import STATION, Nas

OUTER = b"nobody@elsewhere.example"
START = bytes((2, 0)) + (5 + len(OUTER)).to_bytes(2, "big") + b"\x01" + OUTER


class Typist(Peer):
    """A peer that gives each question its own answer, the first the password."""

    def __init__(self, *how: object, typed: tuple[bytes, ...] = (), **more: object) -> None:
        super().__init__(*how, **more)  # type: ignore[arg-type]
        self.typed = list(typed)

    def _answer_inner(self, eap: bytes) -> None:
        self._turn_page()
        super()._answer_inner(eap)

    def _answer_peap(self, said: bytes) -> None:
        if said[0] == 6:
            self._turn_page()
        super()._answer_peap(said)

    def _turn_page(self) -> None:
        if self.typed:
            self.password = self.typed.pop(0)


@dataclass
class Session:
    """One login under way.

    Attributes:
        request: The newest Access-Request, to be sent again as it is.
        reply: The newest reply; None: none came so far.
    """

    nas: Nas
    peer: Peer
    station: bytes = STATION
    request: bytes = b""
    reply: Packet | None = None
    rounds: int = 0
    next: bytes | None = field(default=START)

    def step(self) -> Packet:
        """Carry one packet there and its answer back; TimeoutError: there is none."""
        self.send()
        return self.take(self.nas.sock.recv(4096))

    def send(self) -> bytes:
        """Send the device's next packet; return the request."""
        assert self.next is not None, "it is over"
        state = b"" if self.reply is None else self.reply.first(Attribute.STATE) or b""
        self.request = self.nas.request(
            OUTER, None, eap_message(self.next), state=state, station=self.station
        )
        self.nas.sock.send(self.request)
        return self.request

    def take(self, octets: bytes) -> Packet:
        """Take the answer, which must be signed."""
        reply = decode(octets)
        check_reply(reply, decode(self.request), self.nas.shared)
        self.reply = reply
        self.rounds += 1
        self.next = self.peer.answer(b"".join(reply.all(Attribute.EAP_MESSAGE)))
        return reply

    def finish(self) -> Code:
        """Go on to the end; return what it is. An Accept has the device's own keys."""
        while self.step().code is Code.ACCESS_CHALLENGE:
            pass
        assert self.reply is not None
        if self.reply.code is Code.ACCESS_ACCEPT:
            assert self.peer.result == "success"
            assert self.keys() == {17: self.peer.msk[:32], 16: self.peer.msk[32:]}
        return self.reply.code

    def keys(self) -> dict[int, bytes | None]:
        """Return MS-MPPE-Recv-Key (17) and MS-MPPE-Send-Key (16) of the reply."""
        assert self.reply is not None
        vendor = MICROSOFT.to_bytes(4, "big")
        asked = decode(self.request)
        return {
            value[4]: mppe_key_of(value[6:], asked.authenticator, self.nas.shared)
            for value in self.reply.all(Attribute.VENDOR_SPECIFIC)
            if value.startswith(vendor)
        }
