"""Whose certificate a RADIUS client shows, once its chain has been verified.

Source: RFC 6614 section 2.3, RFC 5280 sections 4.2.1.6 and 4.2.1.12. A common name names nobody,
and neither does a wildcard.
"""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from loginward.doors.radius.radsec.frames import End

_UNREADABLE: Final = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def problem_of(certificate: x509.Certificate, name: str) -> End | None:
    """Return what is wrong with a client's certificate; None: it is that client's.

    Args:
        name: The client's, compared whole, without regard to the case of ASCII letters.
    """
    try:
        if not _is_for_clients(certificate):
            return End.NOT_FOR_CLIENTS
        names = _names(certificate)
    except _UNREADABLE:
        return End.NOT_FOR_CLIENTS
    return None if name.lower() in {found.lower() for found in names} else End.WRONG_NAME


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return found.get_values_for_type(x509.DNSName)
