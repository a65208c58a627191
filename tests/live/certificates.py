"""A certification authority for tests, and server certificates good and bad."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    cert_file: Path
    key_file: Path


class Authority:
    """Issues certificates below a folder; `ca_file` is what clients trust.

    Args:
        above: Who vouches for it; None: it does so itself.
    """

    def __init__(
        self, folder: Path, name: str = "test authority", above: Authority | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self._cert = (
            _builder(
                self._name,
                above._name if above else self._name,
                self._key,
                now - DAY,
                now + 30 * DAY,
            )
            .add_extension(
                x509.BasicConstraints(ca=True, path_length=0 if above else 1), critical=True
            )
            .add_extension(
                x509.KeyUsage(
                    digital_signature=False,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=True,
                    crl_sign=True,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .sign(above._key if above else self._key, hashes.SHA256())
        )
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self._cert.public_bytes(serialization.Encoding.PEM))

    def server(
        self,
        file: str,
        *,
        names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1"),
        lasts: timedelta = 30 * DAY,
    ) -> Pair:
        """Issue a server certificate; a negative `lasts` makes one that expired that long ago."""
        names_extension = x509.SubjectAlternativeName([_san(name) for name in names])
        return self.issue(
            file, names[0], names_extension, _usage(ExtendedKeyUsageOID.SERVER_AUTH), lasts=lasts
        )

    def client(
        self,
        file: str,
        common_name: str,
        *names: x509.GeneralName,
        lasts: timedelta = 30 * DAY,
    ) -> Pair:
        """Issue a certificate that proves a person."""
        alternative = [x509.SubjectAlternativeName(names)] if names else []
        usage = _usage(ExtendedKeyUsageOID.CLIENT_AUTH)
        return self.issue(file, common_name, *alternative, usage, lasts=lasts)

    def issue(
        self,
        file: str,
        common_name: str,
        *extensions: x509.ExtensionType,
        lasts: timedelta = 30 * DAY,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    ) -> Pair:
        """Issue a certificate of any use."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = _builder(subject, self._name, key, now + min(lasts, -DAY) - DAY, now + lasts)
        for extension in (
            *extensions,
            x509.BasicConstraints(ca=False, path_length=None),
            issuer_id,
        ):
            is_critical = isinstance(extension, x509.BasicConstraints)
            builder = builder.add_extension(extension, critical=is_critical)
        cert = builder.sign(self._key, hashes.SHA256())
        pair = Pair(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        pair.cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        pair.key_file.touch(mode=0o600)
        pair.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return pair

    def revoke(self, file: str, *revoked: Pair, lasts: timedelta = DAY) -> Path:
        """Write the list of revoked certificates; a negative `lasts` makes a stale one."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now + min(lasts, -DAY) - DAY)
            .next_update(now + lasts)
        )
        for pair in revoked:
            cert = x509.load_pem_x509_certificate(pair.cert_file.read_bytes())
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(cert.serial_number)
                .revocation_date(now - DAY)
                .build()
            )
        path = self._folder / file
        crl = builder.sign(self._key, hashes.SHA256())
        path.write_bytes(crl.public_bytes(serialization.Encoding.PEM))
        return path


def upn(name: str) -> x509.OtherName:
    """Return a user principal name, as Active Directory writes it into certificates."""
    octets = name.encode()
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
    return x509.OtherName(oid, bytes((0x0C, len(octets))) + octets)


def _usage(*purposes: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage(purposes)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
