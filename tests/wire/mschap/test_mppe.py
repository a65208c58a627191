"""The keys of a bare MS-CHAPv2 session."""

from __future__ import annotations

from loginward.wire.mschap.md4 import md4
from loginward.wire.mschap.mppe import start_keys
from tests.wire.mschap.example import NT_HASH, NT_RESPONSE


def test_rfc_3079_section_3_5_3() -> None:
    """The example's send key at the server; its receive key by the same two lines of section 3.4."""
    keys = start_keys(md4(NT_HASH), NT_RESPONSE)
    assert keys.send.hex() == "8b7cdc149b993a1ba118cb153f56dccb"
    assert keys.receive.hex() == "d5f0e9521e3ea9589645e86051c82226"
    assert repr(keys) == "StartKeys()"
