"""Inside EAP-TLS nothing is said: the certificate is the proof.

Source: RFC 5216 section 2.1, RFC 9190 sections 2.1.1 and 2.5 (protected success indication).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, assert_never

from loginward.doors.radius.eap.certificate import CertificateRefusedError
from loginward.doors.radius.eap.talks import Broken, End, Say, Step
from loginward.doors.radius.eap.turns import (
    Accept,
    Ask,
    EapMethod,
    NeedsAccount,
    Reject,
    Verdict,
    Why,
)
from loginward.errors import ProtocolError

SUCCESS_INDICATION: Final = b"\0"  # RFC 9190 section 2.5: one octet of application data


class _Waits(enum.Enum):
    """What the peer's empty message means."""

    PROOF = enum.auto()
    SUCCESS = enum.auto()


class CertifiedTalk:
    """A conversation inside EAP-TLS.

    Args:
        name: Returns the name in the proven certificate.
        indicates: Returns whether success is told inside the tunnel: since TLS 1.3.
    """

    def __init__(self, name: Callable[[], str], indicates: Callable[[], bool]) -> None:
        self._name = name
        self._indicates = indicates
        self._waits = _Waits.PROOF

    def hear(self, octets: bytes, identifier: int) -> Step:  # noqa: ARG002  as every talk
        if octets:
            raise ProtocolError("EAP-TLS: a peer that speaks inside")
        match self._waits:
            case _Waits.PROOF:
                try:
                    return NeedsAccount(EapMethod.TLS, self._name())
                except CertificateRefusedError as error:
                    return Broken(Why.CERTIFICATE, str(error))
            case _Waits.SUCCESS:
                return End(accepted=True)
        assert_never(self._waits)

    def resume(self, verdict: Verdict, identifier: int) -> Step:  # noqa: ARG002  as every talk
        match verdict:
            case Accept() if self._indicates():
                self._waits = _Waits.SUCCESS
                return Say(SUCCESS_INDICATION)
            case Accept():
                return End(accepted=True)
            case Reject():
                return End(accepted=False)
            case Ask():
                return Broken(Why.CANNOT_ASK)
        assert_never(verdict)
