"""`loginward radius make-cert`: an authority of one's own, what it signs, and what is handed out."""

from __future__ import annotations

import os
import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from loginward.cli.exits import DONE, CommandFailed
from loginward.cli.options import examples, json_option
from loginward.cli.output import Output
from loginward.crypto.certificates import MOST_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from loginward.cli.radius_profiles import Network
    from loginward.crypto.issuing import Issued

# What RFC 1123 section 2.1 allows; a wildcard is no name that a phone expects.
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_FILE_NAME: Final = re.compile(r"[^A-Za-z0-9.@_-]")
_PASSWORD_OCTETS: Final = 12  # of a bundle: typed once, on a phone
PAIR: Final = (("cert", "pem"), ("key", "key"))
_KEY_MODE, _OPEN_MODE = 0o600, 0o644
# Apart from each other: who may prove a person must not be able to be a server, or a NAS.
SERVERS, PEOPLE, NAS = "ca", "people-ca", "radsec-ca"


class MadeRow(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="made-file"):
    """One file that was made, for `--json`.

    Attributes:
        password: Of a bundle, shown once.
    """

    file: str
    what: str
    ends_at: datetime | None = None
    password: str = ""


class _Making:
    """What is about to be made: nothing is written before all of it is known to be possible."""

    def __init__(self, out: Path, now: datetime, days: int) -> None:
        self._out = out
        self._now = now
        self._days = days
        self._files: dict[Path, tuple[bytes, int]] = {}
        self.rows: list[MadeRow] = []

    def authority(self, file: str, of: str, name: str) -> Issued:
        """Return the authority that is there already, or a new one.

        Raises:
            CommandFailed: What is there cannot be used.
        """
        from loginward.crypto.issuing import authority, read_authority

        pem, key = self._out / f"{file}.pem", self._out / f"{file}.key"
        if pem.exists() or key.exists():
            try:
                return read_authority(pem.read_bytes(), key.read_bytes())
            except FileNotFoundError as error:
                hint = "an authority signs with its key: bring it back, or begin in another --out"
                raise CommandFailed(f"{error.filename} is not there", hint) from error
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                raise CommandFailed(f"{pem} and {key.name} are no authority: {why}") from error
        made = authority(name, self._now)
        self.keep(file, made, f"authority of {of}")
        return made

    def server(self, issuer: Issued, names: Sequence[str]) -> None:
        """Make a server's certificate."""
        from loginward.crypto.issuing import server

        self.keep(names[0], server(issuer, names, self._days, self._now), "the server")

    def person(self, issuer: Issued, name: str, trusted: Sequence[Certificate]) -> None:
        """Make a person's certificate, also as a bundle for their device."""
        from loginward.crypto.issuing import bundle, person

        made = person(issuer, name, self._days, self._now)
        file = _FILE_NAME.sub("_", name).lstrip(".") or "_"
        self.keep(file, made, f"{name}, for EAP-TLS")
        password = secrets.token_urlsafe(_PASSWORD_OCTETS)
        octets = bundle(made, name, trusted, password.encode())
        self.add(f"{file}.p12", octets, _KEY_MODE, f"both, for {name}'s device", password)

    def nas(self, issuer: Issued, name: str) -> None:
        """Make the certificate of a client that comes by TLS."""
        from loginward.crypto.issuing import radsec_client

        made = radsec_client(issuer, name, self._days, self._now)
        self.keep(f"{name}.radsec", made, f"client with tls_name: {name}")

    def keep(self, file: str, issued: Issued, what: str) -> None:
        """Add a certificate and its key."""
        ends_at = issued.certificate.not_valid_after_utc
        self.add(f"{file}.pem", issued.pem, _OPEN_MODE, what, ends_at=ends_at)
        self.add(f"{file}.key", issued.key_pem, _KEY_MODE, "its key")

    def add(
        self,
        file: str,
        octets: bytes,
        mode: int,
        what: str,
        password: str = "",
        ends_at: datetime | None = None,
    ) -> None:
        """Add a file."""
        path = self._out / file
        self._files[path] = (octets, mode)
        self.rows.append(MadeRow(file=str(path), what=what, ends_at=ends_at, password=password))

    def write(self) -> None:
        """Write all files, none of them over another.

        Raises:
            CommandFailed: One is there already, or cannot be written.
        """
        there = [str(path) for path in self._files if path.exists() or path.is_symlink()]
        if there:
            hint = "move it away to renew it; the authority is used again"
            raise CommandFailed(f"{there[0]} is there already; nothing was made", hint)
        for path, (octets, mode) in self._files.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_new(path, octets, mode)
            except OSError as error:
                raise CommandFailed(f"{path}: {error.strerror}", "name another --out") from error


def _write_new(path: Path, octets: bytes, mode: int) -> None:
    """Write a file that is not there; from its first octet nobody else can read a secret."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(octets)
        file.flush()
        os.fsync(descriptor)


@click.command(
    "make-cert",
    epilog=examples(
        "loginward radius make-cert --name radius.example.org --ssid Example --out eap",
        "loginward radius make-cert --user ann@corp.example --out eap    also proves ann",
        "loginward radius make-cert --radsec-client ap1.example.org --out eap",
    ),
)
@click.option("--out", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="A DNS name of the server, which devices are told to expect; more than once: all in one.",
)
@click.option("--ca-name", metavar="TEXT", help="What to call the authority; people see it.")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=MOST_DAYS,
    show_default=True,
    help="How long; Apple's devices take no more.",
)
@click.option("--ssid", metavar="NAME", help="Also make profiles that let devices join this Wi-Fi.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="A person, for EAP-TLS.")
@click.option("--radsec-client", "nas", multiple=True, metavar="NAME", help="A client's tls_name.")
@json_option
def make_cert_command(
    out: Path,
    names: tuple[str, ...],
    ca_name: str | None,
    days: int,
    ssid: str | None,
    users: tuple[str, ...],
    nas: tuple[str, ...],
    as_json: bool,
) -> int:
    """Make certificates for EAP and RadSec.

    An authority and an ECDSA certificate of the server as Android, Windows and Apple demand it, with profiles to hand out; certificates of people and of RadSec clients, each kind by an authority of its own. What lies in DIR is never overwritten; an authority that is there is used again.
    """
    _check(names, users, nas, ssid)
    from loginward.runtime.clock import SystemClock

    making = _Making(out, SystemClock().now(), days)
    domain = (names or nas or ("",))[0].partition(".")[2]
    title = ca_name or (f"{domain} RADIUS authority" if domain else "RADIUS authority")
    trusted = _trusted(out / f"{SERVERS}.pem")
    if names:
        servers = making.authority(SERVERS, "servers", title[:64])
        trusted = [servers.certificate]
        making.server(servers, names)
        if ssid:
            _hand_out(making, _network(ssid, names, servers))
    if users:
        people = making.authority(PEOPLE, "people", f"People, {title}"[:64])
        for user in users:
            making.person(people, user, trusted)
    if nas:
        clients = making.authority(NAS, "RadSec clients", f"RadSec clients, {title}"[:64])
        for one in nas:
            making.nas(clients, one)
    making.write()
    _show(Output(as_json=as_json), making.rows, _lines(out, names, users=users, nas=nas))
    return DONE


def _check(
    names: Sequence[str], users: Sequence[str], nas: Sequence[str], ssid: str | None
) -> None:
    """Refuse what no certificate can say.

    Raises:
        click.UsageError: Something is.
    """
    from loginward.crypto.issuing import MAX_COMMON_NAME

    if not (names or users or nas):
        raise click.UsageError("say what to make: --name, --user or --radsec-client")
    for name in (*names, *nas):
        if not _DNS_NAME.fullmatch(name):
            raise click.UsageError(f"{name}: must be a whole DNS name such as radius.example.org")
    for name in (*names[:1], *nas, *users):
        if not 0 < len(name) <= MAX_COMMON_NAME or not name.isprintable():
            raise click.UsageError(f"a name has 1 to {MAX_COMMON_NAME} printable characters")
    if ssid is not None and not (names and 0 < len(ssid.encode()) <= 32):
        raise click.UsageError("--ssid has 1 to 32 octets, and goes with --name")


def _trusted(file: Path) -> list[Certificate]:
    """Return whom people's devices are told to trust: the authority of servers, if one was made."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(file.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{file} is no certificate that can be read") from error


def _network(ssid: str, names: tuple[str, ...], issuer: Issued) -> Network:
    from cryptography.x509.oid import NameOID

    from loginward.cli.radius_profiles import Network

    common = issuer.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Network(ssid, names, issuer.der, str(common[0].value) if common else "")


def _hand_out(making: _Making, network: Network) -> None:
    """Add what people are given."""
    from loginward.cli import radius_profiles as profiles

    files: Mapping[str, tuple[bytes, str]] = {
        "ttls": (profiles.apple_ttls(network), "Apple, EAP-TTLS/PAP"),
        "peap": (profiles.apple_peap(network), "Apple, PEAP-GTC"),
        "linux": (profiles.wpa_supplicant(network).encode(), "Linux"),
        "text": (profiles.by_hand(network).encode(), "Android, Windows and the rest, by hand"),
        "der": (network.authority, "the authority, for Android and Windows"),
        "pem": (network.authority_pem.encode(), "the authority, for Linux"),
    }
    for kind, (octets, what) in files.items():
        making.add(f"hand-out/{profiles.FILES[kind]}", octets, _OPEN_MODE, what)


def _lines(
    out: Path, names: Sequence[str], *, users: Sequence[str], nas: Sequence[str]
) -> list[str]:
    """Return the lines of the configuration that use what was made."""
    folder = out.absolute()
    pair = [f"    {kind}_file: {folder / names[0]}.{end}" for kind, end in PAIR] if names else []
    lines = ["doors:", "  radius:"]
    if names or users:
        lines += ["    eap:", *(f"  {one}" for one in pair)]
    if users:
        lines.append(f"      ca_file: {folder / PEOPLE}.pem")
    if nas:
        lines += ["    tls:", *(f"  {one}" for one in pair)]
        lines.append(f"      client_ca_file: {folder / NAS}.pem")
        lines += ["    clients:", *(f"      - {{..., tls_name: {one}}}" for one in nas)]
    return lines


def _show(out: Output, rows: Sequence[MadeRow], lines: Sequence[str]) -> None:
    if out.as_json:
        for row in rows:
            out.row(row)
        return
    until = {row.file: f", until {row.ends_at:%Y-%m-%d}" for row in rows if row.ends_at}
    secret = {row.file: f", password {row.password}" for row in rows if row.password}
    cells = [
        (row.file, row.what + until.get(row.file, "") + secret.get(row.file, "")) for row in rows
    ]
    out.table(("file", "what"), cells)
    out.line()
    out.line("In the configuration, and keep the keys of the authorities elsewhere:")
    for line in lines:
        out.raw(line)
