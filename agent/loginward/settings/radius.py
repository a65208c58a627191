"""The RADIUS door."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from loginward.settings.keys import InvalidSettingError, Key, Section

Method = Literal["pap", "eap-ttls-pap", "eap-ttls-gtc", "peap-gtc", "eap-tls"]
TlsVersion = Literal["1.2", "1.3"]
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")  # such a peer is seen as the IPv4 it is


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusTls(Section):
    """RADIUS over TLS (RFC 6614)."""

    listen: Annotated[
        tuple[str, ...], Key("Addresses", at_least=1, example='["[::]:2083"]', needs_restart=True)
    ]
    cert_file: Annotated[Path, Key("Certificate chain, PEM")]
    key_file: Annotated[Path, Key("Private key, PEM, mode 0600")]
    client_ca_file: Annotated[Path, Key("Authority of the clients' certificates, PEM")]

    def check(self) -> None:
        check_addresses("listen", self.listen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coa(Section):
    """Where Disconnect and CoA are sent (RFC 5176)."""

    port: Annotated[int, Key("UDP port", at_least=1, at_most=65535)] = 3799
    secret_file: Annotated[
        Path | None, Key("File with the shared secret, mode 0600", null="the client's own")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Section):
    """A NAS, access point or gateway that may ask."""

    name: Annotated[str, Key("What to call it", example="wifi")]
    addresses: Annotated[
        tuple[str, ...], Key("Networks it asks from", at_least=1, example="[10.20.0.0/16]")
    ]
    secret_file: Annotated[
        Path | None, Key("File with the shared secret, mode 0600", null="only by TLS")
    ] = None
    tls_name: Annotated[
        str | None,
        Key("Name in the certificate of a client that comes by TLS", null="only by UDP"),
    ] = None
    require_message_authenticator: Annotated[
        bool, Key("Drop requests without a Message-Authenticator (CVE-2024-3596)")
    ] = True
    methods: Annotated[tuple[Method, ...], Key("How people may prove themselves", at_least=1)] = (
        "pap",
        "eap-ttls-pap",
        "eap-ttls-gtc",
        "peap-gtc",
        "eap-tls",
    )
    strip_realms: Annotated[
        tuple[str, ...], Key("Realms cut off the name", example="[corp.example]")
    ] = ()
    groups: Annotated[tuple[str, ...], Key("Groups whose members may; empty: anybody")] = ()
    coa: Annotated[Coa | None, Key("Where Disconnect is sent", null="never")] = field(
        default_factory=Coa
    )

    def check(self) -> None:
        if not self.name:
            raise InvalidSettingError("name", "must not be empty")
        for at, written in enumerate(self.addresses):
            try:
                network = ipaddress.ip_network(written)
            except ValueError as error:
                raise InvalidSettingError(f"addresses[{at}]", str(error)) from error
            if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
                raise InvalidSettingError(f"addresses[{at}]", "must be written as IPv4")
        if self.secret_file is None and self.tls_name is None:
            raise InvalidSettingError("secret_file", "a client needs secret_file or tls_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Eap(Section):
    """Certificates for EAP."""

    cert_file: Annotated[Path, Key("Certificate chain, PEM")]
    key_file: Annotated[Path, Key("Private key, PEM, mode 0600")]
    ca_file: Annotated[
        Path | None, Key("Authority of people's certificates, PEM", null="no eap-tls")
    ] = None
    crl_file: Annotated[Path | None, Key("Revoked certificates, PEM", null="none")] = None
    user_from_certificate: Annotated[
        Literal["san-upn", "san-email", "common-name"], Key("Which name in it is the account's")
    ] = "san-upn"
    tls_min: Annotated[TlsVersion, Key("Oldest TLS, in quotes")] = "1.2"
    tls_max: Annotated[TlsVersion, Key("Newest TLS, in quotes")] = "1.3"

    def check(self) -> None:
        if self.tls_min > self.tls_max:
            raise InvalidSettingError("tls_min", "must not be above tls_max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Section):
    """Attributes of an Access-Accept."""

    groups: Annotated[
        tuple[str, ...], Key("Whose members get them; empty: anybody", example="[staff]")
    ] = ()
    clients: Annotated[
        tuple[str, ...], Key("Names of clients; empty: all of them", example="[wifi]")
    ] = ()
    attributes: Annotated[
        Mapping[str, tuple[str, ...]],
        Key(
            "Values of attributes by name, several in brackets; a tag follows the name",
            example="{Tunnel-Type: VLAN}",
            alone=True,
        ),
    ] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Radius(Section):
    """The RADIUS door."""

    listen: Annotated[
        tuple[str, ...], Key("Addresses for access requests", at_least=1, needs_restart=True)
    ] = (
        "0.0.0.0:1812",
        "[::]:1812",
    )
    accounting: Annotated[tuple[str, ...], Key("Addresses for accounting", needs_restart=True)] = (
        "0.0.0.0:1813",
        "[::]:1813",
    )
    tls: Annotated[RadiusTls | None, Key("RADIUS over TLS", null="UDP alone", opens=True)] = None
    clients: Annotated[tuple[Client, ...], Key("Who may ask", at_least=1)]
    eap: Annotated[Eap | None, Key("Certificates for EAP", null="PAP alone", opens=True)] = None
    reply_message: Annotated[Literal["off", "short", "full"], Key("How much a reject says")] = (
        "short"
    )
    reject_delay_s: Annotated[
        float | None,
        Key("Seconds before a reject leaves", at_least=0.1, at_most=5, null="at once"),
    ] = 1.0
    when_unavailable: Annotated[
        Literal["silent", "reject"],
        Key("silent: the client tries its next server while the directory is away"),
    ] = "silent"
    status_server: Annotated[
        Literal["answer", "silent-when-unusable"], Key("Whether Status-Server is answered")
    ] = "answer"
    offline_verifiers: Annotated[bool, Key("Check against sealed verifiers while offline")] = False
    disconnect_on: Annotated[
        tuple[Literal["suspended", "locked-by-admin"], ...],
        Key(
            "What ends running sessions: suspended (ended and removed too), never a lock by guesses"
        ),
    ] = ("suspended", "locked-by-admin")
    dictionaries: Annotated[tuple[Path, ...], Key("More attribute dictionaries")] = ()
    replies: Annotated[tuple[Reply, ...], Key("Attributes by group, first match")] = ()

    def check(self) -> None:
        check_addresses("listen", self.listen)
        check_addresses("accounting", self.accounting)
        names: set[str] = set()
        for at, client in enumerate(self.clients):
            if client.name in names:
                raise InvalidSettingError(f"clients[{at}].name", "is used twice")
            names.add(client.name)
            self._check_client(f"clients[{at}]", client)
        self._check_networks()
        self._check_replies(names)
        if self.tls and self.eap and self.tls.client_ca_file == self.eap.ca_file:
            raise InvalidSettingError(
                "tls.client_ca_file", "must not be eap.ca_file: people are no RADIUS clients"
            )

    def _check_networks(self) -> None:
        """Refuse the same network twice: whose secret would count?"""
        owners: dict[str, str] = {}
        for at, client in enumerate(self.clients):
            for place, written in enumerate(client.addresses):
                network = str(ipaddress.ip_network(written))
                if network in owners:
                    raise InvalidSettingError(
                        f"clients[{at}].addresses[{place}]",
                        f"{network} belongs to {owners[network]} already",
                    )
                owners[network] = client.name

    def _check_replies(self, names: set[str]) -> None:
        for at, reply in enumerate(self.replies):
            for place, name in enumerate(reply.clients):
                if name not in names:
                    raise InvalidSettingError(
                        f"replies[{at}].clients[{place}]", f"there is no client {name}"
                    )

    def _check_client(self, key: str, client: Client) -> None:
        if client.tls_name is not None and self.tls is None:
            raise InvalidSettingError(f"{key}.tls_name", "needs doors.radius.tls")
        if self.eap is not None and self.eap.ca_file is None and "eap-tls" in client.methods:
            raise InvalidSettingError(f"{key}.methods", "eap-tls needs doors.radius.eap.ca_file")
        if self.eap is None and set(client.methods) != {"pap"}:
            raise InvalidSettingError(f"{key}.methods", "EAP methods need doors.radius.eap")


def check_addresses(key: str, addresses: tuple[str, ...]) -> None:
    """Refuse what is not an IP address with a port."""
    for at, address in enumerate(addresses):
        try:
            parts = urlsplit(f"//{address}")
            ipaddress.ip_address(parts.hostname or "")
            good = bool(parts.port) and parts.netloc == address
        except ValueError:
            good = False
        if not good:
            raise InvalidSettingError(f"{key}[{at}]", 'must look like "0.0.0.0:1812"')
