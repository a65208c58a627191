"""Values hidden by the shared secret: User-Password and the keys for the access point.

Source: RFC 2865 section 5.2; RFC 2548 sections 2.4.2 and 2.4.3.
"""

from __future__ import annotations

from typing import Final

from loginward.core.secret import Secret
from loginward.wire.radius.attributes import vendor_attribute
from loginward.wire.radius.signing import SharedSecret

BLOCK: Final = 16
MAX_HIDDEN: Final = 128  # octets, RFC 2865 section 5.2
MICROSOFT: Final = 311
MS_MPPE_SEND_KEY: Final = 16
MS_MPPE_RECV_KEY: Final = 17
KEY_OCTETS: Final = 32  # each half of the MSK that is handed on (RFC 5216 section 2.3)
_SALT_BIT: Final = 0x80  # RFC 2548 section 2.4.2: the salt's highest bit is set


def unhide(hidden: bytes, authenticator: bytes, secret: SharedSecret) -> Secret:
    """Return the password that a User-Password hides, exactly as it was typed.

    Zeros at its end are padding. What cannot be a password comes back as a Secret that is not
    `well_formed`, so that the law answers it (malformed) as at every door; a value of another size
    than 16, 32 ... 128 octets hides nothing and comes back empty.
    """
    size = len(hidden)
    if size == BLOCK:  # nearly always
        pad = secret.digest_before(authenticator)
    elif size % BLOCK or not 0 < size <= MAX_HIDDEN:
        return Secret(b"")
    else:
        blocks = [authenticator, *_blocks(hidden[:-BLOCK])]
        pad = b"".join(map(secret.digest_before, blocks))
    return Secret(_xor(hidden, pad).rstrip(b"\0"))


def hide(password: Secret, authenticator: bytes, secret: SharedSecret) -> bytes:
    """Return the value of a User-Password, for a client.

    Raises:
        ValueError: It is empty or longer than 128 octets.
    """
    octets = password.reveal()
    if not 0 < len(octets) <= MAX_HIDDEN:
        raise ValueError("RADIUS carries passwords of 1 to 128 octets")
    return _chained(octets, authenticator, secret)


def mppe_keys(msk: bytes, authenticator: bytes, secret: SharedSecret, noise: bytes) -> bytes:
    """Return MS-MPPE-Recv-Key and MS-MPPE-Send-Key, the key of an EAP method for the NAS.

    Args:
        msk: What the EAP method derived, 64 octets or more.
        authenticator: Of the Access-Request that is answered.
        noise: Four random octets, of which the two salts are made: never the same in one packet.
    """
    if len(msk) < 2 * KEY_OCTETS:
        raise ValueError("an MSK has at least 64 octets")
    receive, send = msk[:KEY_OCTETS], msk[KEY_OCTETS : 2 * KEY_OCTETS]
    return handed_keys(receive, send, authenticator, secret, noise)


def handed_keys(
    receive: bytes, send: bytes, authenticator: bytes, secret: SharedSecret, noise: bytes
) -> bytes:
    """Return MS-MPPE-Recv-Key and MS-MPPE-Send-Key of two keys; the rest is as of `mppe_keys`."""
    salts = _salt(noise[:2], 0), _salt(noise[2:4], 1)
    return _mppe_key(MS_MPPE_RECV_KEY, receive, salts[0], authenticator, secret) + _mppe_key(
        MS_MPPE_SEND_KEY, send, salts[1], authenticator, secret
    )


def mppe_key_of(value: bytes, authenticator: bytes, secret: SharedSecret) -> bytes | None:
    """Return the key that a MS-MPPE-Recv-Key or -Send-Key hides, for a client; None: it hides none.

    Args:
        value: The vendor's value: salt and hidden octets.
        authenticator: Of the Access-Request that was answered.
    """
    salt, hidden = value[:2], value[2:]
    if not hidden or len(hidden) % BLOCK:
        return None
    starts = [authenticator + salt, *_blocks(hidden[:-BLOCK])]
    plain = _xor(hidden, b"".join(map(secret.digest_before, starts)))
    size = plain[0]
    return plain[1 : size + 1] if size < len(plain) else None


def _mppe_key(
    type_: int, key: bytes, salt: bytes, authenticator: bytes, secret: SharedSecret
) -> bytes:
    hidden = _chained(bytes((len(key),)) + key, authenticator + salt, secret)
    return vendor_attribute(MICROSOFT, type_, salt + hidden)


def _salt(noise: bytes, low_bit: int) -> bytes:
    return bytes((noise[0] | _SALT_BIT, noise[1] & 0xFE | low_bit))


def _chained(plain: bytes, start: bytes, secret: SharedSecret) -> bytes:
    """Each block is hidden by the digest of the secret and the hidden block before it."""
    hidden = []
    last = start
    for block in _blocks(plain.ljust(-(-len(plain) // BLOCK) * BLOCK, b"\0")):
        last = _xor(block, secret.digest_before(last))
        hidden.append(last)
    return b"".join(hidden)


def _blocks(octets: bytes) -> list[bytes]:
    return [octets[at : at + BLOCK] for at in range(0, len(octets), BLOCK)]


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
