"""`loginward radius test`: the built-in client set up from the configuration, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from loginward.cli.exits import FAULT, UNREACHABLE, USAGE, CommandFailed
from loginward.crypto.certificates import described, problems
from loginward.doors.radius.dictionaries import load
from loginward.doors.radius.trial import logins
from loginward.doors.radius.trial.exchanges import Exchanges, NoAnswerError
from loginward.doors.radius.trial.tls import TlsLink
from loginward.errors import ConfigError, ProtocolError
from loginward.runtime.clock import SystemClock
from loginward.wire.radius.attributes import Attribute, vendor_values
from loginward.wire.radius.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from loginward.core.secret import Secret
    from loginward.crypto.certificates import Described
    from loginward.doors.radius.trial.peer import Peer
    from loginward.runtime.radius_target import Target
    from loginward.wire.radius.dictionary import Definition
    from loginward.wire.radius.packet import Packet

Way = Literal["pap", "eap-ttls-pap", "peap-gtc", "status"]
EXTRA: Final = "needs pyOpenSSL, which is not installed: make install EXTRAS=eap"
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
        with target.link(patience_s) as link:
            exchanges = Exchanges(link, target.secret, clock, patience_s)
            if peer is not None:
                ended = logins.tunnelled(exchanges, peer)
            elif way == "pap":
                ended = logins.pap(exchanges, name, typed)
            else:
                ended = logins.status(exchanges)
    except (NoAnswerError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        silent = f"{target.shown}: {why or error}"
        raise CommandFailed(silent, target.why_silent(), UNREACHABLE) from error
    except ProtocolError as error:
        raise CommandFailed(f"{target.shown}: {error}", code=FAULT) from error
    except ValueError as error:
        raise CommandFailed(f"this cannot be asked: {error}", code=USAGE) from error
    took_s = clock.monotonic() - begin
    if peer is None and isinstance(link, TlsLink):
        return _over_tls(ended, link, took_s, names, (clock.now(), domain))
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


def _over_tls(
    ended: logins.Ended,
    link: TlsLink,
    took_s: float,
    names: Mapping[tuple[int, int], Definition],
    expected: tuple[datetime, str],
) -> Outcome:
    """Return what came of a login without a tunnel of its own; the server's certificate is trusted.

    Args:
        expected: Now, and the name that the server was expected to have.
    """
    certificate = link.certificate
    return Outcome(
        reply=ended.reply,
        message=ended.message,
        attributes=attributes_of(ended.reply, names),
        rounds=ended.rounds,
        took_s=took_s,
        tls=link.version,
        certificate=None if certificate is None else described(certificate),
        doubts=() if certificate is None else problems(certificate, *expected),
        is_trusted=True,
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
