"""Whose certificate it is, and whether it is still good.

Source: RFC 5280 sections 4.2.1.6 (subjectAltName), 4.2.1.12 (extended key usage), 5.1.2.5
(nextUpdate); the user principal name is Microsoft's otherName 1.3.6.1.4.1.311.20.2.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from loginward.doors.radius.eap.talks import read_name
from loginward.errors import ProtocolError
from loginward.wire.ldap.ber import Reader

NameKind = Literal["san-upn", "san-email", "common-name"]

_UPN: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING: Final = 0x0C
_CRL: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)


class CertificateRefusedError(Exception):
    """It proves nobody; the text is for the log and holds nothing of the certificate."""


def name_of(certificate: x509.Certificate, kind: NameKind) -> str:
    """Return the one name of that kind in a certificate whose chain is proven.

    Raises:
        CertificateRefusedError: It is not for proving people, or has no such name, or several.
    """
    try:
        _check_usage(certificate)
        found = _names(certificate, kind)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateRefusedError("its extensions cannot be read") from error
    if len(found) != 1:
        raise CertificateRefusedError(f"it has {len(found) or 'no'} names of the kind {kind}")
    return found[0]


def read_crls(pem: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the lists of a file.

    Raises:
        ValueError: There is none, or one that cannot be read.
    """
    try:
        found = tuple(x509.load_pem_x509_crl(match) for match in _CRL.findall(pem))
    except ValueError:
        found = ()
    if not found:
        raise ValueError("holds no list of revoked certificates in PEM, or a broken one")
    return found


def ends_at(crls: Iterable[x509.CertificateRevocationList]) -> datetime | None:
    """Return when the first of the lists becomes stale, aware UTC; None: one never says."""
    ends = [crl.next_update_utc for crl in crls]
    return None if None in ends else min(end for end in ends if end is not None)


def _check_usage(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise CertificateRefusedError("it is not said to be for clients (clientAuth)") from None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise CertificateRefusedError("it is not for clients (clientAuth)")


def _names(certificate: x509.Certificate, kind: NameKind) -> list[str]:
    """Return all names of a kind; one that is no name makes the certificate unreadable."""
    try:
        if kind == "common-name":
            common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return [read_name(_octets(attribute.value)) for attribute in common]
        alternative = _alternative_names(certificate)
        if kind == "san-email":
            emails = alternative.get_values_for_type(x509.RFC822Name)
            return [read_name(email.encode()) for email in emails]
        others = alternative.get_values_for_type(x509.OtherName)
        return [_upn(other.value) for other in others if other.type_id == _UPN]
    except ProtocolError as error:
        raise ValueError(str(error)) from error


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _octets(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _upn(der: bytes) -> str:
    reader = Reader(der)
    octets = reader.take(_UTF8_STRING)
    reader.end()
    return read_name(octets)
