"""Certificates of an authority of our own: for a RADIUS server, for people, for RadSec clients.

Source: RFC 5280 section 4.2 (extensions), RFC 5216 section 5.3 (EAP-TLS), RFC 6614 section 2.3
(RadSec). All keys are ECDSA on P-256, which every device knows and which costs a server a tenth of RSA.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MAX_COMMON_NAME: Final = 64  # characters, RFC 5280 appendix A.1: ub-common-name
AUTHORITY_DAYS: Final = 3650
_SKEW: Final = timedelta(hours=1)  # clocks of devices that are a little behind
_UPN: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")  # user principal name, Microsoft's
_UTF8_STRING: Final = 0x0C


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """Return the certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """Return the certificate as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        """Return the key as PEM (PKCS #8), not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def authority(name: str, now: datetime) -> Issued:
    """Return an authority that signs certificates of ends, and no other authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = (
        _builder(subject, subject, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return Issued(builder.sign(key, hashes.SHA256()), key)


def read_authority(certificate: bytes, key: bytes) -> Issued:
    """Return an authority that was made before.

    Raises:
        ValueError: The two are no authority of ours.
    """
    read = x509.load_pem_x509_certificate(certificate)
    private = serialization.load_pem_private_key(key, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is of another kind")  # noqa: TRY004  a file's content, no type of ours
    if private.public_key() != read.public_key():
        raise ValueError("the key belongs to another certificate")
    return Issued(read, private)


def server(issuer: Issued, names: Sequence[str], days: int, now: datetime) -> Issued:
    """Return a server's certificate.

    Args:
        names: DNS names; the first is also its common name.
    """
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return _issued(issuer, names[0], alternative, ExtendedKeyUsageOID.SERVER_AUTH, days, now)


def person(issuer: Issued, name: str, days: int, now: datetime) -> Issued:
    """Return a certificate that proves a person: each kind of name is there once at most.

    Args:
        name: The account's; with an @ it is also their address.
    """
    names: list[x509.GeneralName] = [x509.OtherName(_UPN, _utf8(name))]
    if "@" in name and name.isascii():
        names.append(x509.RFC822Name(name))
    alternative = x509.SubjectAlternativeName(names)
    return _issued(issuer, name, alternative, ExtendedKeyUsageOID.CLIENT_AUTH, days, now)


def radsec_client(issuer: Issued, name: str, days: int, now: datetime) -> Issued:
    """Return a certificate for a NAS that comes by TLS (`tls_name`)."""
    alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
    return _issued(issuer, name, alternative, ExtendedKeyUsageOID.CLIENT_AUTH, days, now)


def bundle(
    issued: Issued, name: str, trusted: Sequence[x509.Certificate], password: bytes
) -> bytes:
    """Return a certificate, its key and whom it shall trust as PKCS #12, encrypted."""
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        issued.key,
        issued.certificate,
        trusted,
        serialization.BestAvailableEncryption(password),
    )


def _issued(
    issuer: Issued,
    common_name: str,
    alternative: x509.SubjectAlternativeName,
    usage: x509.ObjectIdentifier,
    days: int,
    now: datetime,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    builder = (
        _builder(_name(common_name), issuer.certificate.subject, key, now, days)
        .add_extension(alternative, critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(authority_key, critical=False)
    )
    return Issued(builder.sign(issuer.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    begins = now - _SKEW
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _utf8(text: str) -> bytes:
    """Return a text as UTF8String in DER; a common name leaves it below 256 octets."""
    octets = text.encode()
    size = bytes((len(octets),)) if len(octets) < 0x80 else bytes((0x81, len(octets)))
    return bytes((_UTF8_STRING,)) + size + octets
