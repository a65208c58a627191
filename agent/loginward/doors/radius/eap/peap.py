"""Inside PEAPv0: a name, EAP-GTC, then the result, which the peer confirms.

Source: draft-kamath-pppext-peapv0-00 sections 1.1, 2.2 and 2.3.
"""

from __future__ import annotations

import enum
from typing import assert_never

from loginward.doors.radius.eap.gtc import Gtc, Request
from loginward.doors.radius.eap.talks import Broken, End, Say, Step
from loginward.doors.radius.eap.turns import Accept, Ask, EapMethod, Reject, Verdict, Why
from loginward.errors import ProtocolError
from loginward.wire.eap import peap
from loginward.wire.eap.packet import Type


class _Waits(enum.Enum):
    """What is heard next."""

    NOTHING = enum.auto()  # the server asks first
    ANSWER = enum.auto()
    AGREEMENT = enum.auto()
    END = enum.auto()  # of one who was refused


class PeapTalk:
    """A conversation inside PEAPv0."""

    def __init__(self) -> None:
        self._gtc = Gtc(EapMethod.PEAP_GTC)
        self._waits = _Waits.NOTHING

    def hear(self, octets: bytes, identifier: int) -> Step:  # noqa: ARG002  as every talk
        match self._waits:
            case _Waits.NOTHING:
                if octets:
                    raise ProtocolError("PEAP: a peer that begins")
                self._waits = _Waits.ANSWER
                return Say(peap.compress(Type.IDENTITY))
            case _Waits.ANSWER:
                step = self._gtc.hear(*peap.expand(octets))
                return self._say(step) if isinstance(step, Request) else step
            case _Waits.AGREEMENT:
                return self._agreed(octets)
            case _Waits.END:
                return End(accepted=False)  # whatever it says
        assert_never(self._waits)

    def resume(self, verdict: Verdict, identifier: int) -> Step:
        match verdict:
            case Ask(prompt):
                return self._say(self._gtc.ask(prompt))
            case Accept():
                self._waits = _Waits.AGREEMENT
            case Reject():
                self._waits = _Waits.END
            case _:
                assert_never(verdict)
        return Say(peap.result_request(identifier, accepted=self._waits is _Waits.AGREEMENT))

    def _agreed(self, octets: bytes) -> Step:
        type_, body = peap.expand(octets)
        if type_ != Type.TLV:
            raise ProtocolError("PEAP: no result")
        return End(accepted=True) if peap.read_result(body) else Broken(Why.PEER_REFUSED)

    def _say(self, asked: Request) -> Say:
        return Say(peap.compress(asked.type, asked.body))
