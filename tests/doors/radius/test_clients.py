"""A client is who asks from its network; of several networks the narrowest counts, every time."""

from __future__ import annotations

import ipaddress
import random

from hypothesis import given
from hypothesis import strategies as st

from loginward.doors.radius.clients import Clients, RadiusClient
from tests.doors.radius.stage import client

# https://github.com/goauthentik/authentik/issues/22853: whichever came first in a map was taken.
OVERLAPPING = {
    "everywhere": "0.0.0.0/0",
    "site": "10.0.0.0/8",
    "floor": "10.1.0.0/16",
    "rack": "10.1.2.0/24",
    "box": "10.1.2.3/32",
    "everywhere6": "::/0",
    "site6": "2001:db8::/32",
    "box6": "2001:db8::7/128",
}


def known(networks, order=None):
    return Clients(
        RadiusClient(client(name, networks[name]), None) for name in order or list(networks)
    )


def name_of(clients, address):
    found = clients.find(address)
    return None if found is None else found.name


def test_the_longest_prefix_wins_in_any_order_a_thousand_times():
    dice = random.Random(22853)
    expected = {
        "10.1.2.3": "box", "10.1.2.4": "rack", "10.1.3.1": "floor", "10.9.9.9": "site",
        "192.0.2.1": "everywhere", "2001:db8::7": "box6", "2001:db8::8": "site6",
        "2001:db9::1": "everywhere6", "::ffff:10.1.2.3": "box", "::ffff:192.0.2.1": "everywhere",
        "fe80::1%eth0": "everywhere6",
    }  # fmt: skip
    for _ in range(1000):
        order = dice.sample(sorted(OVERLAPPING), len(OVERLAPPING))
        clients = known(OVERLAPPING, order)
        assert {address: name_of(clients, address) for address in expected} == expected


@given(
    networks=st.lists(
        st.one_of(
            st.ip_addresses(v=4).flatmap(lambda ip: nets(ip, 32)),
            st.ip_addresses(v=6).flatmap(lambda ip: nets(ip, 128)),
        ),
        unique=True, max_size=12,
    ),
    asked=st.lists(st.ip_addresses(), min_size=1, max_size=8),
)  # fmt: skip
def test_it_agrees_with_trying_every_network(networks, asked):
    """The invariant: of the networks that hold the address, the one with the longest prefix."""
    networks = [
        one for one in networks if one.version == 4 or one.network_address.ipv4_mapped is None
    ]
    clients = known({str(one): str(one) for one in networks})
    asked = [*asked, *(one.network_address for one in networks)]
    for address in asked:
        real = getattr(address, "ipv4_mapped", None) or address
        holding = [one for one in networks if real in one]
        best = max(holding, key=lambda one: one.prefixlen, default=None)
        expected = None if best is None else str(best)
        assert name_of(clients, str(address)) == expected
        assert name_of(clients, str(address)) == expected, "the second time, as remembered"


def nets(ip, most):
    return st.integers(0, most).map(lambda n: ipaddress.ip_network((ip, n), strict=False))


def test_who_is_nobodys_neighbour_is_nobody():
    clients = known({"rack": "10.1.2.0/24"})
    assert clients.find("10.1.3.1") is None
    assert clients.find("::1") is None


def test_strangers_do_not_pile_up():
    clients = known({"rack": "10.1.2.0/24"})
    for n in range(10_000):
        clients.find(f"192.0.{n // 256}.{n % 256}")
    assert len(clients._found) <= 4096
    assert name_of(clients, "10.1.2.9") == "rack"
