"""What the tunnels are made with: our certificate, and whose certificates prove people.

Source: RFC 9190 section 2.1.2 and RFC 9427 section 3.1: a resumed tunnel would skip the password,
the lock and the expiry, so none is ever resumed: no tickets, no cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from loginward.doors.radius.eap import certificate
from loginward.doors.radius.eap.tunnel import detail_of
from loginward.errors import ConfigError

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.settings.radius import Eap

PATH: Final = "doors.radius.eap"
MAX_FILE_OCTETS: Final = 32 * 1024 * 1024  # a large authority revokes half a million certificates

_VERSIONS: Final = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
# Of TLS 1.2 only what keeps the past secret and is authenticated; 1.3 has nothing else.
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20"
_OPTIONS: Final = (
    SSL.OP_NO_TICKET
    | SSL.OP_NO_COMPRESSION
    | SSL.OP_NO_RENEGOTIATION
    | SSL.OP_CIPHER_SERVER_PREFERENCE
)
_MAX_DEPTH: Final = 5
_PrivateKey = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)

_T = TypeVar("_T")


class RevocationUnknownError(Exception):
    """Whether a certificate is revoked cannot be said now; the text is for the log."""


class TlsContexts:
    """The contexts of one configuration; the list of revoked certificates is read anew when it changes.

    Args:
        settings: What they are made of.
        read: Returns a file's octets.

    Raises:
        ConfigError: A file cannot be used.
    """

    def __init__(
        self, settings: Eap, clock: Clock, read: Callable[[Path], bytes] | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._read = read or read_file
        self._chain = self._parsed("cert_file", settings.cert_file, _certificates)
        self._key = self._parsed("key_file", settings.key_file, _private_key)
        self._authorities = (
            self._parsed("ca_file", settings.ca_file, _certificates) if settings.ca_file else []
        )
        self._for_passwords = self._context()
        self._crl_seen: tuple[int, ...] = ()  # the list is read once more when it is first needed
        self._crls: tuple[x509.CertificateRevocationList, ...] = ()
        self._for_certificates: SSL.Context | None = None
        if settings.crl_file is not None:
            self._crls = self._parsed("crl_file", settings.crl_file, certificate.read_crls)
        if self._authorities:
            self._for_certificates = self._context_with_authorities()

    def for_passwords(self) -> SSL.Context:
        """Return the context of tunnels in which a password is given."""
        return self._for_passwords

    def for_certificates(self) -> SSL.Context:
        """Return the context of tunnels whose peers prove themselves with a certificate.

        Raises:
            RevocationUnknownError: The list of revoked certificates is stale or cannot be read.
        """
        if self._settings.crl_file is not None:
            self._refresh(self._settings.crl_file)
        if self._for_certificates is None:
            raise RevocationUnknownError("there is no authority for certificates of people")
        return self._for_certificates

    def name_of(self, proven: x509.Certificate) -> str:
        """Return whose certificate it is.

        Raises:
            CertificateRefusedError: It names nobody, or several.
        """
        return certificate.name_of(proven, self._settings.user_from_certificate)

    def _parsed(self, key: str, file: Path, parse: Callable[[bytes], _T]) -> _T:
        try:
            return parse(self._read(file))
        except OSError as error:
            raise ConfigError(f"{PATH}.{key}", f"{file}: {error.strerror}") from error
        except ValueError as error:
            raise ConfigError(f"{PATH}.{key}", f"{file} {error}") from error

    def _refresh(self, crl_file: Path) -> None:
        try:
            seen = _stamp(crl_file)
            if seen != self._crl_seen:
                self._crls = certificate.read_crls(self._read(crl_file))
                self._for_certificates = self._context_with_authorities()
                self._crl_seen = seen
        except (OSError, ValueError, SSL.Error) as error:
            self._crl_seen = ()
            raise RevocationUnknownError("crl_file cannot be read") from error
        ends_at = certificate.ends_at(self._crls)
        if ends_at is None or ends_at <= self._clock.now():
            raise RevocationUnknownError("crl_file is stale: its nextUpdate is past, or missing")

    def _context(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(_VERSIONS[self._settings.tls_min])
        context.set_max_proto_version(_VERSIONS[self._settings.tls_max])
        context.set_options(_OPTIONS)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # half the memory of a tunnel that waits
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_session_id(os.urandom(16))  # nothing of another context is ever taken up
        context.set_cipher_list(_CIPHERS)
        try:
            context.use_certificate(self._chain[0])
            for issuer in self._chain[1:]:
                context.add_extra_chain_cert(issuer)
        except SSL.Error as error:
            raise ConfigError(
                f"{PATH}.cert_file", f"the TLS library refuses it: {detail_of(error)}"
            ) from error
        try:
            context.use_privatekey(self._key)
            context.check_privatekey()
        except SSL.Error as error:
            raise ConfigError(
                f"{PATH}.key_file", "is not the key of the first certificate in cert_file"
            ) from error
        return context

    def _context_with_authorities(self) -> SSL.Context:
        context = self._context()
        store = context.get_cert_store()
        if store is None:
            raise ConfigError(f"{PATH}.ca_file", "the library has no store for it")
        for authority in self._authorities:
            store.add_cert(crypto.X509.from_cryptography(authority))
            context.add_client_ca(authority)
        for crl in self._crls:
            store.add_crl(crl)
        if self._crls:  # every authority of a chain must have its list
            store.set_flags(crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
        context.set_verify_depth(_MAX_DEPTH)
        return context


def _stamp(file: Path) -> tuple[int, ...]:
    status = file.stat()
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def read_file(file: Path) -> bytes:
    """Return a file's octets.

    Raises:
        ValueError: It is too large.
        OSError: It cannot be read.
    """
    with file.open("rb") as opened:
        octets = opened.read(MAX_FILE_OCTETS + 1)
    if len(octets) > MAX_FILE_OCTETS:
        raise ValueError("is too large")
    return octets


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ValueError("holds no certificate in PEM, or a broken one") from None


def _private_key(pem: bytes) -> _PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("is encrypted; nobody could type its password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("holds no private key in PEM") from None
    if not isinstance(key, _PrivateKey):
        raise ValueError("holds a key that signs nothing in TLS")  # noqa: TRY004  as the others
    return key
