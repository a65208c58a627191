"""What a connection is shaken hands with: our certificate, and whose certificates clients have.

Source: RFC 6614 section 2.3, RFC 9325. A resumed session of TLS 1.2 skips nothing here: the name, the
use and the end of its certificate are looked at for each connection.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from loginward.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from loginward.doors.radius.radsec.frames import Configure

PATH: Final = "doors.radius.tls"
# Of TLS 1.2 only what keeps the past secret and is authenticated; 1.3 has nothing else.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_MAX_OCTETS: Final = 1024 * 1024  # of a file
_DER: Final = Encoding.DER


def server_context(files: Configure) -> ssl.SSLContext:
    """Return the context that files make.

    Raises:
        PermissionError: A file may not be read by this process any more.
        ConfigError: A file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= (
        ssl.OP_NO_TICKET
        | ssl.OP_NO_COMPRESSION
        | ssl.OP_NO_RENEGOTIATION
        | ssl.OP_CIPHER_SERVER_PREFERENCE
    )
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    _trust(context, files.client_ca_file)
    _show(context, files)
    return context


def _trust(context: ssl.SSLContext, ca_file: str) -> None:
    """Believe the authorities of a file, and none of the system's."""
    authorities = _certificates(ca_file, "client_ca_file")
    try:
        context.load_verify_locations(
            cadata=b"".join(one.public_bytes(_DER) for one in authorities)
        )
    except ssl.SSLError as error:
        raise _refused("client_ca_file", ca_file, error) from error


def _show(context: ssl.SSLContext, files: Configure) -> None:
    """Use our certificate and key."""
    certificate = _certificates(files.cert_file, "cert_file")[0]
    if _public_key(files.key_file) != _spelled(certificate.public_key()):
        raise ConfigError(
            f"{PATH}.key_file", "is not the key of the first certificate in cert_file"
        )
    try:
        context.load_cert_chain(files.cert_file, files.key_file)
    except ssl.SSLError as error:
        raise _refused("cert_file", files.cert_file, error) from error


def _certificates(file: str, key: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(file, key))
    except ValueError as error:
        raise ConfigError(
            f"{PATH}.{key}", f"{file} holds no certificate in PEM, or a broken one"
        ) from error


def _public_key(key_file: str) -> bytes:
    pem = _read(key_file, "key_file")
    try:
        return _spelled(load_pem_private_key(pem, password=None).public_key())
    except TypeError as error:
        raise ConfigError(
            f"{PATH}.key_file", f"{key_file} is encrypted; nobody could type its password"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{PATH}.key_file", f"{key_file} holds no private key in PEM") from error


def _spelled(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(_DER, PublicFormat.SubjectPublicKeyInfo)


def _read(file: str, key: str) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            return opened.read(_MAX_OCTETS)
    except PermissionError:
        raise
    except OSError as error:
        raise ConfigError(f"{PATH}.{key}", f"{file}: {error.strerror}") from error


def _refused(key: str, file: str, error: ssl.SSLError) -> ConfigError:
    why = error.reason or error.strerror
    return ConfigError(f"{PATH}.{key}", f"{file}: the TLS library refuses it: {why}")
