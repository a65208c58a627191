"""Labels of the exporter."""

from __future__ import annotations

import pytest

from loginward.wire.eap import keys
from loginward.wire.eap.keys import Export
from loginward.wire.eap.packet import Type


@pytest.mark.parametrize(
    ("type_", "tls12", "context"),
    [
        (Type.TLS, b"client EAP encryption", b"\x0d"),
        (Type.TTLS, b"ttls keying material", b"\x15"),
        (Type.PEAP, b"client EAP encryption", b"\x19"),
    ],
)
def test_labels_are_those_of_the_rfcs(type_: Type, tls12: bytes, context: bytes) -> None:
    """RFC 5216 2.3, RFC 5281 8; RFC 9190 2.3 and RFC 9427 2.1 for TLS 1.3."""
    assert keys.export_of(type_, tls13=False) == Export(tls12, None)
    assert keys.export_of(type_, tls13=True) == Export(b"EXPORTER_EAP_TLS_Key_Material", context)
