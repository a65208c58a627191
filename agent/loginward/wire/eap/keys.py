"""Which keys a finished tunnel gives, by method and version of TLS.

Source: RFC 5216 section 2.3 and RFC 9190 section 2.3 (EAP-TLS), RFC 5281 section 8 (EAP-TTLS),
draft-kamath-pppext-peapv0-00 section 2.6 (PEAP), RFC 9427 section 2.1 (EAP-TTLS and PEAP over TLS
1.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from loginward.wire.eap.packet import Type

EXPORT_OCTETS: Final = 128  # MSK and EMSK; TLS 1.3 derives another key for another length
MSK_OCTETS: Final = 64
_TLS13_LABEL: Final = b"EXPORTER_EAP_TLS_Key_Material"
_TLS12_LABELS: Final = {
    Type.TLS: b"client EAP encryption",
    Type.PEAP: b"client EAP encryption",
    Type.TTLS: b"ttls keying material",
}


@dataclass(frozen=True, slots=True)
class Export:
    """What to ask of the exporter of TLS (RFC 5705) for `EXPORT_OCTETS` octets.

    Attributes:
        context: None: without one, which TLS 1.2 tells from an empty one.
    """

    label: bytes
    context: bytes | None


def export_of(type_: Type, *, tls13: bool) -> Export:
    """Return what gives the keys of a method; the MSK is the first half of it."""
    if tls13:
        return Export(_TLS13_LABEL, bytes((type_,)))
    return Export(_TLS12_LABELS[type_], None)
