"""MS-CHAPv2 by the standard's own example, and with every octet of it wrong."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.wire.mschap import v2
from loginward.wire.mschap.md4 import md4
from tests.wire.mschap.example import CHALLENGE, NT_HASH, PEER_CHALLENGE, RESPONSE

challenges = st.binary(min_size=16, max_size=16)


def test_rfc_2759_section_9_2() -> None:
    assert v2.nt_password_hash("clientPass") == NT_HASH
    assert md4(NT_HASH).hex() == "41c00c584bd2d91c4017a2a12fa59f3f"
    answered = v2.nt_response(CHALLENGE, PEER_CHALLENGE, b"User", NT_HASH)
    assert answered.hex() == "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df"
    assert v2.is_proven(RESPONSE, NT_HASH)
    proof = v2.authenticator_response(RESPONSE, md4(NT_HASH))
    assert proof == "S=407A5589115FD0D6209F510FE9C04566932CDA56"


@pytest.mark.parametrize("part", ["challenge", "peer_challenge", "nt_response", "user"])
def test_a_response_with_any_octet_of_it_wrong_proves_nothing(part: str) -> None:
    octets = getattr(RESPONSE, part)
    for at in range(len(octets)):
        wrong = bytearray(octets)
        wrong[at] ^= 0x20
        assert not v2.is_proven(dataclasses.replace(RESPONSE, **{part: bytes(wrong)}), NT_HASH)


def test_a_hash_with_any_octet_of_it_wrong_is_not_the_one() -> None:
    for at in range(16):
        wrong = bytearray(NT_HASH)
        wrong[at] ^= 1
        assert not v2.is_proven(RESPONSE, bytes(wrong))


@given(st.text(max_size=40), st.text(max_size=40), challenges, challenges, st.binary(max_size=30))
def test_one_password_proves_itself_and_no_other(
    password: str, other: str, challenge: bytes, peer: bytes, user: bytes
) -> None:
    nt_hash = v2.nt_password_hash(password)
    answered = v2.nt_response(challenge, peer, user, nt_hash)
    response = v2.Response(challenge, peer, answered, user)
    assert v2.is_proven(response, nt_hash)
    assert v2.is_proven(response, v2.nt_password_hash(other)) == (other == password)


def test_the_domain_is_no_part_of_the_name() -> None:
    r"""RFC 2759 section 4: BIGCO\johndoe responds as johndoe, with a realm behind it all of it."""
    assert v2.bare_user(rb"BIGCO\johndoe") == b"johndoe"
    assert v2.bare_user(b"johndoe@corp.example") == b"johndoe@corp.example"
    assert v2.is_proven(dataclasses.replace(RESPONSE, user=rb"BIGCO\User"), NT_HASH)


@pytest.mark.parametrize("sizes", [(15, 16, 24), (16, 17, 24), (16, 16, 23), (0, 0, 0)])
def test_what_has_another_size_is_no_response(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="24"):
        v2.Response(*map(bytes, sizes), b"ann")


def test_no_repr_shows_a_response() -> None:
    assert RESPONSE.nt_response.hex() not in repr(RESPONSE)
    assert repr(RESPONSE.nt_response) not in repr(RESPONSE)
