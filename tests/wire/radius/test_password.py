"""What the shared secret hides comes out exactly as it went in, or as nothing that can be right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.secret import Secret
from loginward.wire.radius.attributes import vendor_values
from loginward.wire.radius.packet import decode
from loginward.wire.radius.password import (
    MICROSOFT,
    handed_keys,
    hide,
    mppe_key_of,
    mppe_keys,
    unhide,
)
from loginward.wire.radius.signing import SharedSecret
from tests.wire.radius.stage import AUTHENTICATOR, OCTETS, SECRET, hidden, unsigned

MSK = bytes(range(64))


def test_rfc_2865_section_7_1() -> None:
    secret = SharedSecret(b"xyzzy5461")
    authenticator = bytes.fromhex("0f403f9473978057bd83d5cb98f4227a")
    value = bytes.fromhex("0dbe708d93d413ce3196e43f782a0aee")

    assert unhide(value, authenticator, secret).reveal() == b"arctangent"
    assert hide(Secret(b"arctangent"), authenticator, secret) == value


@given(
    st.binary(min_size=1, max_size=128).filter(lambda octets: octets[-1]),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=1, max_size=100),
)
def test_what_is_hidden_comes_out_octet_by_octet(
    password: bytes, authenticator: bytes, key: bytes
) -> None:
    """It is never decoded, folded or stripped but for the padding."""
    secret = SharedSecret(key)
    value = hide(Secret(password), authenticator, secret)

    assert len(value) % 16 == 0
    assert unhide(value, authenticator, secret).reveal() == password


@pytest.mark.parametrize("size", [*range(16), 17, 31, 33, 127, 129, 143, 144, 160, 253])
def test_a_value_of_another_size_is_malformed_and_no_exception(size: int) -> None:
    """RFC 2865 section 5.2: 16 to 128 octets, a multiple of 16."""
    assert not unhide(bytes(size), AUTHENTICATOR, SECRET).well_formed


@pytest.mark.parametrize(
    "password",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(32), id="padding-alone"),
        pytest.param(b"correct\0horse", id="nul-inside"),
        pytest.param(b"\0horse", id="nul-before"),
        pytest.param(b"a" * 20 + b"\0" * 5 + b"b", id="nul-in-the-second-block"),
    ],
)
def test_what_cannot_be_a_password_is_malformed(password: bytes) -> None:
    """Security point 25: empty after unpadding, or with NUL."""
    value = decode(unsigned(hidden(password))).first(2)

    assert value is not None
    assert not unhide(value, AUTHENTICATOR, SECRET).well_formed


@pytest.mark.parametrize(
    "password", [b"caf\xc3\xa9", b"caf\xe9", b"\xff\xfe", b" ends in a space "]
)
def test_no_octet_is_lost(password: bytes) -> None:
    value = decode(unsigned(hidden(password))).first(2)

    assert value is not None
    assert unhide(value, AUTHENTICATOR, SECRET) == Secret(password)


@pytest.mark.parametrize("size", [0, 129])
def test_a_client_hides_what_fits(size: int) -> None:
    with pytest.raises(ValueError, match="128"):
        hide(Secret(b"a" * size), AUTHENTICATOR, SECRET)


def keys(noise: bytes = b"\0\0\0\0", msk: bytes = MSK) -> list[tuple[int, bytes]]:
    packet = decode(unsigned(mppe_keys(msk, AUTHENTICATOR, SECRET, noise)))
    return vendor_values(packet.all(26), MICROSOFT)


def revealed(value: bytes) -> bytes:
    """Undo RFC 2548 section 2.4.2, written out of the RFC a second time."""
    plain, last = b"", AUTHENTICATOR + value[:2]
    for at in range(2, len(value), 16):
        block = value[at : at + 16]
        plain += bytes(a ^ b for a, b in zip(block, SECRET.digest_before(last), strict=True))
        last = block
    assert not any(plain[1 + plain[0] :]), "padding is zeros"
    return plain[1 : 1 + plain[0]]


def test_both_halves_of_the_msk_are_handed_on() -> None:
    """Recv-Key = MSK[0:32], Send-Key = MSK[32:64]: eapol_test does not look at the second."""
    (recv_type, recv), (send_type, send) = keys(b"\x12\x34\x56\x78", MSK + bytes(64))

    assert (recv_type, revealed(recv)) == (17, MSK[:32])
    assert (send_type, revealed(send)) == (16, MSK[32:])
    assert len(recv) == len(send) == 50


def test_the_shorter_keys_of_bare_ms_chap_are_handed_on_too() -> None:
    octets = handed_keys(b"r" * 16, b"s" * 16, AUTHENTICATOR, SECRET, b"\x12\x34\x56\x78")
    values = vendor_values(decode(unsigned(octets)).all(26), MICROSOFT)

    assert [(type_, revealed(value)) for type_, value in values] == [
        (17, b"r" * 16),
        (16, b"s" * 16),
    ]


@given(st.binary(min_size=4, max_size=4))
def test_salts_have_their_highest_bit_set_and_differ(noise: bytes) -> None:
    """RFC 2548 section 2.4.2, whatever the randomness was."""
    salts = [value[:2] for _, value in keys(noise)]

    assert all(salt[0] & 0x80 for salt in salts)
    assert salts[0] != salts[1]


def test_a_client_reads_both_halves() -> None:
    read = [mppe_key_of(value, AUTHENTICATOR, SECRET) for _, value in keys()]
    assert read == [MSK[:32], MSK[32:]]


@given(st.binary(max_size=80))
def test_whatever_a_server_sends_as_a_key_is_one_or_none(value: bytes) -> None:
    key = mppe_key_of(value, AUTHENTICATOR, SECRET)
    assert key is None or len(key) < len(value)


def test_an_msk_that_is_too_short_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="64"):
        keys(msk=MSK[:63])


def test_nothing_shows_a_password() -> None:
    assert "arctangent" not in repr(Secret(b"arctangent"))
    assert OCTETS.decode() not in repr(SECRET)
