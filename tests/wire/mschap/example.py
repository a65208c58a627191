"""The example of RFC 2759 section 9.2."""

from __future__ import annotations

from loginward.wire.mschap.v2 import Response

CHALLENGE = bytes.fromhex("5b5d7c7d7b3f2f3e3c2c602132262628")
PEER_CHALLENGE = bytes.fromhex("21402324255e262a28295f2b3a337c7e")
NT_HASH = bytes.fromhex("44ebba8d5312b8d611474411f56989ae")
NT_RESPONSE = bytes.fromhex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")
RESPONSE = Response(CHALLENGE, PEER_CHALLENGE, NT_RESPONSE, b"User")
