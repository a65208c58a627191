"""Who may ask: NAS, access points and gateways by their address, the longest prefix first.

Source: RFC 2865 section 3, RFC 3579 section 4.3.7: the secret follows from the address that a packet
comes from, never from what the packet says.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.wire.radius.signing import SharedSecret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginward.settings.radius import Client

TLS_SECRET: Final = SharedSecret(b"radsec")  # RFC 6614 section 2.3: TLS protects, not this
_REMEMBERED = 4096  # addresses whose client has been looked up


@dataclass(frozen=True, slots=True)
class RadiusClient:
    """A client and the secret shared with it.

    Attributes:
        secret: None: it comes by TLS alone.
        coa_secret: Signs what is sent to it of our own accord; None: nothing can be.
    """

    settings: Client
    secret: SharedSecret | None
    coa_secret: SharedSecret | None = None

    @property
    def name(self) -> str:
        """Return what the site calls it."""
        return self.settings.name


class Clients:
    """The clients of one configuration; a value: a reload makes another."""

    def __init__(self, clients: Iterable[RadiusClient]) -> None:
        self._by_prefix: dict[tuple[int, int], dict[int, RadiusClient]] = {}
        for client in clients:
            for written in client.settings.addresses:
                network = ipaddress.ip_network(written)
                prefix = (network.version, network.prefixlen)
                self._by_prefix.setdefault(prefix, {})[int(network.network_address)] = client
        self._longest_first = sorted(self._by_prefix, reverse=True)
        self._found: dict[str, RadiusClient | None] = {}

    def find(self, address: str) -> RadiusClient | None:
        """Return the client that an address belongs to; None: nobody we know."""
        if address in self._found:
            return self._found[address]
        client = self._looked_up(address)
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        self._found[address] = client
        return client

    def _looked_up(self, address: str) -> RadiusClient | None:
        ip = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        for version, length in self._longest_first:
            if version != ip.version:
                continue
            network = int(ip) >> (ip.max_prefixlen - length) << (ip.max_prefixlen - length)
            client = self._by_prefix[version, length].get(network)
            if client is not None:
                return client
        return None
