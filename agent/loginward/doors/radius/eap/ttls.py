"""Inside EAP-TTLS: PAP, or EAP-GTC in attributes.

Source: RFC 5281 sections 11.2.1 and 11.2.5: the peer begins, and a name stands beside the password.
"""

from __future__ import annotations

from typing import assert_never

from loginward.doors.radius.eap.gtc import Gtc, Request
from loginward.doors.radius.eap.talks import Broken, End, Say, Step, read_name
from loginward.doors.radius.eap.turns import (
    Accept,
    Ask,
    EapMethod,
    NeedsPassword,
    Reject,
    Verdict,
    Why,
)
from loginward.errors import ProtocolError
from loginward.wire.eap import packet, ttls
from loginward.wire.eap.packet import Code


class TtlsTalk:
    """A conversation inside EAP-TTLS.

    Args:
        methods: What the client may use.
    """

    def __init__(self, methods: frozenset[EapMethod]) -> None:
        self._methods = methods
        self._gtc: Gtc | None = None  # from the first inner EAP packet on
        self._asked = -1  # identifier of the inner request that is to be answered

    def hear(self, octets: bytes, identifier: int) -> Step:
        if not octets and self._gtc is None:
            return Say()  # TLS 1.3: its Finished came alone, and the peer waits for an answer
        said = ttls.read(octets)
        if isinstance(said, ttls.InnerEap):
            return self._hear_eap(said, identifier)
        if self._gtc is not None:
            raise ProtocolError("EAP-TTLS: a password beside EAP")
        if not isinstance(said, ttls.Pap) or EapMethod.TTLS_PAP not in self._methods:
            return Broken(Why.NO_METHOD)
        return NeedsPassword(EapMethod.TTLS_PAP, read_name(said.user), said.password, can_ask=False)

    def resume(self, verdict: Verdict, identifier: int) -> Step:
        match verdict:
            case Accept():
                return End(accepted=True)
            case Reject():
                return End(accepted=False)
            case Ask(prompt):
                if self._gtc is None:
                    return Broken(Why.CANNOT_ASK)
                return self._say(self._gtc.ask(prompt), identifier)
        assert_never(verdict)

    def _hear_eap(self, said: ttls.InnerEap, identifier: int) -> Step:
        if EapMethod.TTLS_GTC not in self._methods:
            return Broken(Why.NO_METHOD)
        answer = packet.decode(said.packet)
        if answer.code is not Code.RESPONSE:
            raise ProtocolError("EAP-TTLS: a peer that asks")
        if self._gtc is None:
            self._gtc = Gtc(EapMethod.TTLS_GTC)  # its identity comes unasked, with any identifier
        elif answer.identifier != self._asked:
            raise ProtocolError("EAP-TTLS: an answer to another request")
        step = self._gtc.hear(answer.type, answer.body)
        if said.user is not None and read_name(said.user) != self._gtc.name:
            return Broken(Why.NAME_CHANGED)
        return self._say(step, identifier) if isinstance(step, Request) else step

    def _say(self, asked: Request, identifier: int) -> Say:
        self._asked = identifier
        return Say(ttls.eap_message(packet.request(identifier, asked.type, asked.body)))
