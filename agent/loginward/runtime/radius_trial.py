"""`loginward radius test`: the built-in client set up from the configuration, and what came of it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from loginward.cli.exits import FAULT, UNREACHABLE, USAGE, CommandFailed
from loginward.config.secrets import read_secret
from loginward.crypto.certificates import described, problems
from loginward.doors.radius.clients import Clients, RadiusClient
from loginward.doors.radius.dictionaries import load
from loginward.doors.radius.trial import logins
from loginward.doors.radius.trial.exchanges import Exchanges, NoAnswerError
from loginward.errors import ConfigError, ProtocolError
from loginward.runtime.clock import SystemClock
from loginward.wire.radius.attributes import Attribute, vendor_values
from loginward.wire.radius.shown import shown
from loginward.wire.radius.signing import SharedSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from loginward.core.secret import Secret
    from loginward.crypto.certificates import Described
    from loginward.doors.radius.trial.peer import Peer
    from loginward.settings.radius import Radius
    from loginward.wire.radius.dictionary import Definition
    from loginward.wire.radius.packet import Packet

Way = Literal["pap", "eap-ttls-pap", "peap-gtc", "status"]
EXTRA: Final = "needs pyOpenSSL, which is not installed: make install EXTRAS=eap"
_PORT: Final = 1812
# They hold a packet together, and mean nothing to a person.
_NOT_SHOWN: Final = frozenset(
    {
        Attribute.MESSAGE_AUTHENTICATOR,
        Attribute.EAP_MESSAGE,
        Attribute.REPLY_MESSAGE,
        Attribute.STATE,
        Attribute.PROXY_STATE,
    }
)
_HIDDEN: Final = "(hidden by the shared secret)"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask, and as whom.

    Attributes:
        client: Whose secret it is; empty: of a file that was named.
        seen_as: The client that the configuration takes our address for; empty: none.
    """

    host: str
    port: int
    secret: SharedSecret
    client: str = ""
    seen_as: str = ""

    @property
    def shown(self) -> str:
        """Return the address as one writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        attributes: Names and values, in order.
        took_s: From the first packet to the last, typing included.
        tls: The version that was spoken; empty: none.
        certificate: The server's; None: none was shown.
        doubts: Why a phone would not believe it.
        is_trusted: Whether it leads to the authority that was named; None: none was.
        distrust: Why it does not; nothing was said inside then.
    """

    reply: Packet
    message: str
    attributes: tuple[tuple[str, str], ...]
    rounds: int
    took_s: float
    tls: str = ""
    keys_agree: bool | None = None
    certificate: Described | None = None
    doubts: tuple[str, ...] = ()
    is_trusted: bool | None = None
    distrust: str = ""


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
    host, port = _address(server, radius)
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


def try_it(
    target: Target,
    way: Way,
    name: bytes,
    typed: Callable[[str], Secret],
    *,
    patience_s: float,
    ca_file: Path | None = None,
    domain: str = "",
    dictionaries: Sequence[Path] = (),
) -> Outcome:
    """Sign in, and return what came of it.

    Args:
        typed: Returns what is typed at a prompt; the first, with no prompt, is the password.
        ca_file: The authority that a phone would be given.
        domain: The name that a phone would be told to expect.

    Raises:
        ConfigError: What the way needs is not installed, or the authority cannot be read.
        CommandFailed: There is no answer, or none that can be believed.
    """
    clock = SystemClock()
    names = names_of(dictionaries)
    peer = _peer(way, name, typed, ca_file) if way in {"eap-ttls-pap", "peap-gtc"} else None
    begin = clock.monotonic()
    try:
        with _socket_to(target.host, target.port) as sock:
            exchanges = Exchanges(sock, target.secret, clock, patience_s)
            if peer is not None:
                ended = logins.tunnelled(exchanges, peer)
            elif way == "pap":
                ended = logins.pap(exchanges, name, typed)
            else:
                ended = logins.status(exchanges)
    except NoAnswerError as error:
        why = f"{target.shown}: {error}"
        raise CommandFailed(why, _why_silent(target), UNREACHABLE) from error
    except ProtocolError as error:
        raise CommandFailed(f"{target.shown}: {error}", code=FAULT) from error
    except ValueError as error:
        raise CommandFailed(f"this cannot be asked: {error}", code=USAGE) from error
    took_s = clock.monotonic() - begin
    chain = () if peer is None else peer.chain
    return Outcome(
        reply=ended.reply,
        message=ended.message or ("" if peer is None else peer.problem),
        attributes=attributes_of(ended.reply, names),
        rounds=ended.rounds,
        took_s=took_s,
        tls=peer.tls if peer is not None and chain else "",
        keys_agree=ended.keys_agree,
        certificate=described(chain[0]) if chain else None,
        doubts=problems(chain[0], clock.now(), domain) if chain else (),
        is_trusted=None if peer is None or ca_file is None or not chain else not peer.distrust,
        distrust="" if peer is None else peer.distrust,
    )


def attributes_of(
    reply: Packet, names: Mapping[tuple[int, int], Definition]
) -> tuple[tuple[str, str], ...]:
    """Return names and values of a reply's attributes, in order.

    Args:
        names: By vendor (0: none) and type.
    """
    found: list[tuple[str, str]] = []
    for type_, value in reply.attributes:
        if type_ == Attribute.VENDOR_SPECIFIC:
            vendor = int.from_bytes(value[:4], "big")
            inner = vendor_values([value], vendor)
            found += [_named(names, vendor, inner_type, octets) for inner_type, octets in inner]
        elif type_ not in _NOT_SHOWN:
            found.append(_named(names, 0, type_, value))
    return tuple(found)


def _named(
    names: Mapping[tuple[int, int], Definition], vendor: int, type_: int, value: bytes
) -> tuple[str, str]:
    definition = names.get((vendor, type_))
    if definition is None:
        name = f"Vendor-{vendor}-{type_}" if vendor else f"Attr-{type_}"
        return name, shown(None, value)
    return definition.name, _HIDDEN if definition.is_hidden else shown(definition, value)


def names_of(dictionaries: Sequence[Path]) -> Mapping[tuple[int, int], Definition]:
    """Return what is known of attributes; nothing where no dictionary can be read."""
    try:
        dictionary = load(dictionaries)
    except ConfigError:
        return {}
    known = [dictionary.find(name) for name in dictionary.names()]
    return {(one.vendor, one.type): one for one in known if one is not None}


def _peer(
    way: Way,
    name: bytes,
    typed: Callable[[str], Secret],
    ca_file: Path | None,
) -> Peer:
    from cryptography import x509  # noqa: PLC0415  only tunnels need it

    try:
        from loginward.doors.radius.trial.peer import Method, Peer  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ConfigError(way, EXTRA) from error
    authorities: Sequence[x509.Certificate] = ()
    if ca_file is not None:
        try:
            authorities = x509.load_pem_x509_certificates(ca_file.read_bytes())
        except OSError as error:
            raise ConfigError("--ca", f"{ca_file}: {error.strerror}") from error
        except ValueError as error:
            raise ConfigError("--ca", f"{ca_file} holds no certificate in PEM") from error
    return Peer(Method(way), name, typed, authorities)


def _address(server: str | None, radius: Radius | None) -> tuple[str, int]:
    """Return host and port; of a listener on all addresses, the loopback one."""
    if server is None:
        if radius is None:
            raise ConfigError("doors.radius", "there is no RADIUS door here; name a --server")
        server = radius.listen[0]
    elif server.count(":") > 1 and not server.startswith("["):
        server = f"[{server}]"  # an IPv6 address without a port
    try:
        parts = urlsplit(f"//{server}")
        host, port = parts.hostname or "", parts.port or _PORT
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


def _why_silent(target: Target) -> str:
    """Return what to look at where nothing came back, as far as our own configuration tells."""
    if not target.seen_as:
        return (
            "a server answers its clients alone, by their address: is ours one of them? And is it"
            " the right secret, and UDP let through?"
        )
    if target.client and target.client != target.seen_as:
        return (
            f"from here a request comes as client {target.seen_as}, not {target.client};"
            " the secret of another is not believed"
        )
    return (
        "does the daemon run (loginward status), with this secret since its last reload, and can it"
        " reach the directory (when_unavailable: silent)?"
    )


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
