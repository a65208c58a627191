"""What a server's certificate says, and what a phone or laptop would not like about it.

Source: RFC 5280 section 4.2.1; Apple, "Requirements for trusted certificates in iOS 13 and macOS
10.15" (support.apple.com/103769); Android and Windows ask for a name to match as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST_DAYS: Final = 825
_LEAST_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Described:
    """What is shown of a certificate.

    Attributes:
        names: DNS names it is for.
        issuer: Who made it, by common name where there is one.
        key: Such as "ECDSA secp256r1" or "RSA 2048".
        ends_at: Aware UTC.
    """

    names: tuple[str, ...]
    issuer: str
    key: str
    ends_at: datetime


def described(certificate: x509.Certificate) -> Described:
    """Return what is shown of a certificate."""
    common = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    issuer = str(common[0].value) if common else certificate.issuer.rfc4514_string()
    return Described(
        _dns_names(certificate), issuer, _key(certificate), certificate.not_valid_after_utc
    )


def problems(certificate: x509.Certificate, now: datetime, name: str = "") -> tuple[str, ...]:
    """Return why a phone would not believe a server with this certificate; empty: it would.

    Whether it leads to an authority that the phone knows is for others to check.

    Args:
        now: Aware UTC.
        name: The domain that the phone is told to expect; empty: it is told none.
    """
    return (
        *_of_time(certificate, now),
        *_of_names(_dns_names(certificate), name),
        *_of_use(certificate),
        *_of_strength(certificate),
    )


def matches(names: Sequence[str], name: str) -> bool:
    """Return whether one of the names is that name, or a wildcard for it (RFC 6125 section 6.4)."""
    wanted = name.casefold()
    for one in names:
        known = one.casefold()
        if known == wanted or (known[:2] == "*." and wanted.partition(".")[2] == known[2:]):
            return True
    return False


def _of_time(certificate: x509.Certificate, now: datetime) -> list[str]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    found = []
    if now < begins:
        found.append(f"it is not valid before {begins:%Y-%m-%d}")
    if now > ends:
        found.append(f"it ended on {ends:%Y-%m-%d}")
    if ends - begins > timedelta(days=MOST_DAYS):
        found.append(
            f"it lasts {(ends - begins).days} days; Apple's devices take {MOST_DAYS} at most"
        )
    return found


def _of_names(names: tuple[str, ...], name: str) -> list[str]:
    if not names:
        return ["it has no DNS name among its alternative names; a common name is not looked at"]
    if name and not matches(names, name):
        return [f"it is for {', '.join(names)}, not for {name}"]
    return []


def _of_use(certificate: x509.Certificate) -> list[str]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ["its extended key usage does not say serverAuth"]
    said = ExtendedKeyUsageOID.SERVER_AUTH in usage
    return [] if said else ["its extended key usage does not say serverAuth"]


def _of_strength(certificate: x509.Certificate) -> list[str]:
    key, found = certificate.public_key(), []
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_RSA_BITS:
        found.append(f"its RSA key has {key.key_size} bits; {_LEAST_RSA_BITS} are the least")
    if isinstance(key, dsa.DSAPublicKey):
        found.append("its key is DSA")
    if isinstance(certificate.signature_hash_algorithm, hashes.MD5 | hashes.SHA1):
        found.append(f"it is signed with {certificate.signature_hash_algorithm.name.upper()}")
    return found


def _dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")
