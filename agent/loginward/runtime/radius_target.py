"""Whom `loginward radius test` asks, and as whom: found in the configuration, or named."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from loginward.config.secrets import read_secret
from loginward.doors.radius.clients import Clients, RadiusClient
from loginward.doors.radius.trial import tls
from loginward.errors import ConfigError
from loginward.wire.radius.signing import SharedSecret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from loginward.settings.radius import Radius

_PORT: Final = 1812
_TLS_PORT: Final = 2083  # RFC 6614 section 2.1


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask, and as whom.

    Attributes:
        client: Whose secret it is; empty: of a file that was named.
        seen_as: The client that the configuration takes our address for; empty: none.
        papers: What is shown and believed where it is asked over TLS; None: over UDP.
    """

    host: str
    port: int
    secret: SharedSecret
    client: str = ""
    seen_as: str = ""
    papers: tls.Papers | None = None

    @property
    def shown(self) -> str:
        """Return the address as one writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @contextmanager
    def link(self, patience_s: float) -> Iterator[socket.socket | tls.TlsLink]:
        """Give a way to the server until the end of the block.

        Raises:
            ConfigError: A file of the papers cannot be used.
            OSError: There is none.
        """
        if self.papers is not None:
            with tls.connected(self.host, self.port, self.papers, patience_s) as link:
                yield link
        else:
            with _socket_to(self.host, self.port) as sock:
                yield sock

    def why_silent(self) -> str:
        """Return what to look at where nothing came back, as far as our configuration tells."""
        if self.papers is not None:
            return (
                "is the certificate of client_ca_file's authority, with the client's tls_name, and"
                " does this machine's address belong to that client?"
            )
        if not self.seen_as:
            return (
                "a server answers its clients alone, by their address: is ours one of them? And is"
                " it the right secret, and UDP let through?"
            )
        if self.client and self.client != self.seen_as:
            return (
                f"from here a request comes as client {self.seen_as}, not {self.client};"
                " the secret of another is not believed"
            )
        return (
            "does the daemon run (loginward status), with this secret since its last reload, and"
            " can it reach the directory (when_unavailable: silent)?"
        )


def target_of(
    radius: Radius | None, server: str | None, client: str | None, secret_file: Path | None
) -> Target:
    """Return whom to ask.

    Args:
        server: HOST or HOST:PORT; None: where the configuration listens.
        client: Whose secret is used; None: that of the client that our address belongs to.
        secret_file: Used instead.

    Raises:
        ConfigError: There is no such client or host, or a secret cannot be read.
    """
    host, port = _address(server, () if radius is None else radius.listen, _PORT)
    seen_as = _seen_as(radius, host, port)
    if secret_file is not None:
        secret = read_secret(secret_file.absolute(), "--secret-file")
        return Target(host, port, SharedSecret(secret.reveal()), "", seen_as)
    name = client or seen_as
    if not name:
        raise ConfigError(
            "doors.radius.clients", f"no client has the address by which {host} is reached"
        )
    file = _secret_file(radius, name)
    secret = read_secret(file, f"the secret of {name}")
    return Target(host, port, SharedSecret(secret.reveal()), name, seen_as)


def tls_target_of(
    radius: Radius | None, server: str | None, papers: tuple[Path, Path, Path], name: str
) -> Target:
    """Return whom to ask over TLS.

    Args:
        server: HOST or HOST:PORT; None: where the configuration listens for TLS.
        papers: Authority of the server, our certificate, its key.
        name: The server's in its certificate; empty: the host, if that was named.

    Raises:
        ConfigError: There is no such host.
    """
    listen = () if radius is None or radius.tls is None else radius.tls.listen
    host, port = _address(server, listen, _TLS_PORT)
    named = name or (server or "").partition(":")[0]
    if not named:
        raise ConfigError("--domain", "which name has the server's certificate?")
    shown = tls.Papers(*papers, named)
    return Target(host, port, SharedSecret(tls.SECRET), papers=shown)


def _address(server: str | None, listen: Sequence[str], usual: int) -> tuple[str, int]:
    """Return host and port; of a listener on all addresses, the loopback one."""
    if server is None:
        if not listen:
            raise ConfigError("doors.radius", "there is no such door here; name a --server")
        server = listen[0]
    elif server.count(":") > 1 and not server.startswith("["):
        server = f"[{server}]"  # an IPv6 address without a port
    try:
        parts = urlsplit(f"//{server}")
        host, port = parts.hostname or "", parts.port or usual
    except ValueError:
        raise ConfigError("--server", "must look like HOST or HOST:PORT") from None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0]
    except OSError as error:
        raise ConfigError("--server", f"{host}: {error.strerror}") from error
    address = ipaddress.ip_address(str(found).partition("%")[0])
    if address.is_unspecified:
        return ("127.0.0.1" if address.version == 4 else "::1"), port
    return str(found), port


def _socket_to(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.connect((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _seen_as(radius: Radius | None, host: str, port: int) -> str:
    """Return the client that the configuration takes us for; empty: none."""
    if radius is None:
        return ""
    clients = Clients(RadiusClient(one, None) for one in radius.clients)
    try:
        with _socket_to(host, port) as sock:
            found = clients.find(sock.getsockname()[0])
    except OSError as error:
        raise ConfigError("--server", f"{host}: {error.strerror}") from error
    return "" if found is None else found.name


def _secret_file(radius: Radius | None, name: str) -> Path:
    clients = () if radius is None else radius.clients
    found = [one for one in clients if one.name == name]
    if not found:
        known = ", ".join(one.name for one in clients)
        raise ConfigError("--client", f"there is no RADIUS client {name}; there are: {known}")
    if found[0].secret_file is None:
        raise ConfigError("--client", f"{name} comes by TLS alone and has no shared secret")
    return found[0].secret_file
